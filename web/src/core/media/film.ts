// Has a video made smaller in a worker of its own (video.ts): screens stay quick, and to stop is to end the worker with all that it holds.

import { scriptURL } from '../trusted.ts'
import type { ReadyLoop } from './gif.ts'
import type { VideoSize } from './plan.ts'
import type { ReadyVideo } from './video.ts'
import workerURL from './video-worker.ts?worker&url'

/** What the worker is given. */
export type FilmTask = { file: Blob; size: VideoSize } | { gif: Blob }
/** What it says: how far it is, and once what came of it. */
export type FilmAnswer = { share: number } | { ready: ReadyVideo | ReadyLoop | undefined }

/** How long it may say nothing before the video is sent as it is, in milliseconds. */
const SILENCE = 60_000

/** Makes a video ready; undefined for what is sent as it is. Fails with the signal's reason when that ends it. */
export const prepareFilm = (file: Blob, size: VideoSize, progress: (share: number) => void, signal: AbortSignal): Promise<ReadyVideo | undefined> => work({ file, size }, progress, signal)

/** Makes a video of a moving picture; undefined for what is sent as it is. */
export const prepareGif = (gif: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<ReadyLoop | undefined> => work({ gif }, progress, signal)

function work<T extends ReadyVideo>(task: FilmTask, progress: (share: number) => void, signal: AbortSignal): Promise<T | undefined> {
  signal.throwIfAborted()
  const worker = new Worker(scriptURL(workerURL), { type: 'module', name: 'video' })
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop: () => void = () => undefined
  return new Promise<T | undefined>((resolve, reject) => {
    const heard = () => {
      clearTimeout(timer)
      timer = setTimeout(() => resolve(undefined), SILENCE)
    }
    stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop)
    worker.onmessage = ({ data }: MessageEvent<FilmAnswer>) => {
      heard()
      if ('share' in data) progress(data.share)
      else resolve(data.ready as T | undefined)
    }
    // It could not be loaded, or broke: the video is sent as it is.
    worker.onerror = () => resolve(undefined)
    heard()
    worker.postMessage(task)
  }).finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    worker.terminate()
  })
}
