// A voice note: play, a waveform in which one can move, speed, length.
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import pausePath from 'icon:pause'
import playPath from 'icon:play'
import type { Media, Message } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import { length } from '../../i18n/when.ts'
import { Icon } from '../../ui/Icon.tsx'
import { prefs } from '../../ui/prefs.ts'
import { useSeen, whenHere } from './bytes.ts'
import { wasHeard } from './label.ts'
import { faster, playing, seek, toggle } from './player.ts'
import { fetchesItself, fetchSeen, ringed, Ring } from './transfer.tsx'

const bars = 40
const flat = Array.from({ length: bars }, () => 4)

/** The outline of the bars from one to another, 6 units apart in a box of 240 by 32. */
function outline(heights: number[], from: number, to: number): string {
  return heights.slice(from, to).map((h, i) => { const tall = 2 + Math.min(15, Math.max(0, h)) * .87; return `M${(from + i) * 6 + 3} ${16 - tall}V${16 + tall}` }).join('')
}

/** Voice shows a voice note or a piece of music. */
export function Voice({ message, media, type }: { message: Message; media: Media; type: 'voice' | 'audio' }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useSeen(() => box.current, () => fetchSeen(message), fetchesItself({ type, media }))
  const mine = playing.value?.id === message.id ? playing.value : undefined
  const seconds = mine?.length || media.seconds || 0
  const heights = media.waveform?.length === bars ? media.waveform : flat
  const done = mine && seconds ? Math.round((mine.at / seconds) * bars) : 0
  const act = async (): Promise<void> => { if (!await toggle(message) && await whenHere(message, media.key) && !playing.value?.on) await toggle(message) }
  return (
    <div class="voice" ref={box}>
      {ringed(message, media) ? <Ring message={message} media={media} /> : (
        <button type="button" class="pl" onClick={() => void act()} aria-label={t(mine?.on ? 'voice.pause' : 'voice.play')}><Icon path={mine?.on ? pausePath : playPath} /></button>
      )}
      <span class="wv">
        <svg viewBox="0 0 240 32" preserveAspectRatio="none" aria-hidden="true"><path d={outline(heights, done, bars)} /><path class="on" d={outline(heights, 0, done)} /></svg>
        <input type="range" min={0} max={Math.max(1, seconds)} step={.1} value={mine?.at ?? 0} disabled={!mine} aria-label={t('voice.place')} aria-valuetext={length(mine?.at ?? 0)} onInput={(e) => seek(message, Number(e.currentTarget.value))} />
      </span>
      {mine ? <button type="button" class="rate num" onClick={faster} aria-label={t('voice.rate', { rate: prefs.voiceRate.value })}>{prefs.voiceRate.value}×</button>
        : <span class="d num">{length(seconds)}</span>}
      {wasHeard(message) && <span class="heard"><Icon name="mic" /><span class="vh">{t('voice.heard')}</span></span>}
      {!message.own && !media.played && !mine && <span class="new"><span class="vh">{t('voice.new')}</span></span>}
    </div>
  )
}
