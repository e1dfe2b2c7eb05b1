// A moving picture: a silent video that plays while it is seen and begins anew when it ends; where nothing shall move, or data are dear, it stands still until it is
// touched.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import playPath from 'icon:play'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { still } from '../../ui/prefs.ts'

/** Loop plays a moving picture. `open` looks at it closely. */
export function Loop({ url, poster, name, open }: { url: string; poster: string | undefined; name: string; open: () => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const [on, setOn] = useState(false)
  const quiet = still.value
  useEffect(() => {
    const element = video.current
    if (!element) return
    if (quiet) { element.pause(); return }
    const watch = new IntersectionObserver(([entry]) => { if (entry?.isIntersecting) element.play().catch(() => undefined); else element.pause() }, { threshold: .25 })
    watch.observe(element)
    return () => watch.disconnect()
  }, [url, quiet])
  const act = (): void => {
    const element = video.current
    if (!quiet || !element) open()
    else if (element.paused) element.play().catch(() => undefined)
    else element.pause()
  }
  return (
    <>
      <video ref={video} src={url} poster={poster} muted loop playsInline preload={poster ? 'none' : 'metadata'} onPlay={() => setOn(true)} onPause={() => setOn(false)} />
      <button type="button" class="cover" onClick={act} aria-label={quiet ? t(on ? 'loop.stop' : 'loop.play') : t('look', { what: name })} />
      {quiet && !on && <span class="get" aria-hidden="true"><Icon path={playPath} full /></span>}
    </>
  )
}
