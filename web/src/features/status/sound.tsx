// A voice that is played: what recorders write has no length, so that players of browsers know none.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import pausePath from 'icon:pause'
import playPath from 'icon:play'
import { t } from '../../i18n/t.ts'
import { length } from '../../i18n/when.ts'
import { Icon } from '../../ui/Icon.tsx'

interface SoundProps {
  url: string | undefined
  /** How long it is, as far as was told. */
  seconds?: number | undefined
  /** It does not play by itself. */
  stopped: boolean
  here?: (seconds: number) => void
  ended?: () => void
}

const unknownSeconds = 5

/** Sound plays a voice while nothing stops it; a person may begin and stop it at any time. */
export function Sound({ url, seconds, stopped, here, ended }: SoundProps): JSX.Element {
  const ref = useRef<HTMLAudioElement>(null)
  const [on, setOn] = useState(false)
  const [at, setAt] = useState(0)
  const [total, setTotal] = useState(seconds ?? unknownSeconds)
  const play = (): void => { ref.current?.play().catch((error: unknown) => console.warn('sound', error)) } // the browser wants a person to begin it
  useEffect(() => { if (stopped) ref.current?.pause(); else if (url) play() }, [stopped, url])
  const known = (): void => {
    const told = ref.current?.duration ?? 0
    const now = Number.isFinite(told) && told > 0 ? told : seconds ?? unknownSeconds
    setTotal(now)
    here?.(now)
  }
  return (
    <div class="sound" role="group" aria-label={t('kind.voice')}>
      <audio ref={ref} src={url} onPlay={() => setOn(true)} onPause={() => setOn(false)} onLoadedMetadata={known} onTimeUpdate={(e) => setAt(e.currentTarget.currentTime)} onEnded={() => { setAt(0); if (!stopped) ended?.() }} />
      <button type="button" aria-label={t(on ? 'st.pause' : 'st.listen')} onClick={() => (on ? ref.current?.pause() : play())}><Icon path={on ? pausePath : playPath} full /></button>
      <span class="track" aria-hidden="true"><i style={{ inlineSize: `${Math.min(100, (at / total) * 100)}%` }} /></span>
      <span class="num">{length(on || at > 0 ? at : total)}</span>
    </div>
  )
}
