// Where the worker begins that makes one video smaller; whoever began it ends it (film.ts).

import type { FilmAnswer, FilmTask } from './film.ts'
import { prepareLoop } from './gif.ts'
import { prepareVideo } from './video.ts'

const scope = self as unknown as { postMessage(message: FilmAnswer): void; onmessage: ((event: MessageEvent<FilmTask>) => void) | null }
scope.onmessage = ({ data }) => {
  const progress = (share: number) => scope.postMessage({ share })
  const made = 'gif' in data ? prepareLoop(data.gif, progress) : prepareVideo(data.file, data.size, progress)
  made.then((ready) => scope.postMessage({ ready }), (error: unknown) => {
    console.warn('video', error)
    scope.postMessage({ ready: undefined })
  })
}
