// The microphone: hold to speak and let go to send, slide to the side to throw away, slide up to go on without a finger; a tap or a key begins
// without a finger at once. What was said can be heard before it is sent.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import pausePath from 'icon:square'
import playPath from 'icon:play'
import upPath from 'icon:chevron-up'
import type { Chat } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { length } from '../../i18n/when.ts'
import { t } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { toast } from '../../ui/toast.tsx'
import { once, wantOnce } from './late.ts'
import { begin as here, cancel, forget, InOtherTab, isHere, leave, lock, recording, restore, start, stop, type Recorded } from './recorder.ts'
import { replying } from './state.ts'

const tapMs = 350
const cancelAt = 90
const lockAt = 70

async function begin(chat: Chat, locked: boolean): Promise<boolean> {
  try {
    await start(chat.jid, locked, () => toast(t('voice.unkept')))
    engine().typing(chat.jid, 'recording')
    return true
  } catch (error) { toast(t(error instanceof InOtherTab ? 'voice.elsewhere' : 'voice.refused')); return false }
}

async function finish(chat: Chat): Promise<void> {
  const done = await stop()
  engine().typing(chat.jid, 'paused')
  if (!done) { toast(t('voice.short')); return }
  if (isHere(chat.jid)) recording.value = undefined
  const sent = await sendVoice(chat, done)
  if (!isHere(chat.jid)) return
  if (sent) { forget(); single.value = false }
  else recording.value = { since: 0, locked: true, level: 0, done }
}

/** Sends a recording; its draft goes in the same step. False when it could not be kept. */
/** What is recorded can be heard once. */
const single = signal(false)

async function sendVoice(chat: Chat, { blob, seconds, waveform, kept }: Recorded): Promise<boolean> {
  const reply = replying.value?.id
  replying.value = undefined
  const ending = blob.type.includes('mp4') ? 'm4a' : blob.type.includes('ogg') ? 'ogg' : 'webm'
  try { await engine().send(chat.jid, { file: { blob, name: `voice.${ending}`, mime: blob.type.split(';')[0] ?? blob.type, as: 'voice', seconds, waveform, ...(single.value && once.value?.mayOnce() ? { once: true } : {}) }, ...(reply ? { reply } : {}), ...(kept ? { voice: kept } : {}) }) }
  catch (error) { console.error('voice', error); toast(t('voice.notKept')); return false }
  return true
}

function throwAway(chat: Chat): void {
  single.value = false
  void cancel(chat.jid)
  engine().typing(chat.jid, 'paused')
}

/** useVoice brings the chat's voice draft back, and leaves what is being recorded as one when the conversation is left. */
export function useVoice(chat: Chat): void {
  const draft = chat.voice?.id
  useEffect(() => {
    here(chat.jid)
    return () => { if (recording.value) engine().typing(chat.jid, 'paused'); void leave(chat.jid) }
  }, [])
  useEffect(() => {
    if (!draft) return
    const over = new AbortController()
    void restore(chat.jid, draft, over.signal)
    return () => over.abort()
  }, [draft])
}

/** RecordButton is the microphone, and the send button while something is being recorded. */
export function RecordButton({ chat }: { chat: Chat }): JSX.Element {
  const holding = useRef(false)
  const now = recording.value
  if (now?.locked) return <button type="button" class="send" aria-label={t('voice.send')} onClick={() => void finish(chat)}><Icon name="send" flip /></button>
  const down = (event: PointerEvent): void => {
    if (!event.isPrimary || event.button !== 0) return
    event.preventDefault()
    const button = event.currentTarget as HTMLElement
    const origin = { x: event.clientX, y: event.clientY, time: Date.now() }
    const sign = document.documentElement.dir === 'rtl' ? -1 : 1
    holding.current = true
    const started = begin(chat, false)
    const end = (act: (() => void) | undefined): void => {
      holding.current = false
      button.removeEventListener('pointermove', move); button.removeEventListener('pointerup', up); button.removeEventListener('pointercancel', lost)
      void started.then((on) => { if (on) act?.() })
    }
    const move = (e: PointerEvent): void => {
      if ((origin.x - e.clientX) * sign > cancelAt) end(() => throwAway(chat))
      else if (origin.y - e.clientY > lockAt) end(lock)
    }
    const up = (): void => end(Date.now() - origin.time < tapMs ? lock : () => void finish(chat))
    const lost = (): void => end(lock)
    button.setPointerCapture(event.pointerId)
    button.addEventListener('pointermove', move); button.addEventListener('pointerup', up); button.addEventListener('pointercancel', lost)
  }
  const byKey = (event: MouseEvent): void => { if (event.detail === 0 && !holding.current) void begin(chat, true) }
  return (
    <>
      {now && <div class="rec-lock" aria-hidden="true"><Icon name="lock" /><Icon path={upPath} /></div>}
      <button type="button" class={`send${now ? ' rec' : ''}`} aria-label={t('voice.record')} title={t('voice.hold')} onPointerDown={down} onClick={byKey} onContextMenu={(e) => e.preventDefault()}><Icon name="mic" /></button>
    </>
  )
}

/** RecordBar stands in the place of the text while something is being recorded. */
export function RecordBar({ chat }: { chat: Chat }): JSX.Element {
  const now = recording.value
  const seconds = now?.done?.seconds ?? (now ? (Date.now() - now.since) / 1000 : 0)
  if (!now) return <div class="rec-bar" />
  return (
    <div class="rec-bar" role="group" aria-label={t('voice.recording')}>
      {now.locked && <IconButton icon="trash" label={t('voice.cancel')} act={() => throwAway(chat)} />}
      {now.locked && <Once />}
      {!now.done && <i class="rdot" />}
      <span class="num" role="timer">{length(seconds)}</span>
      {!now.locked ? <span class="hint">{t('voice.slide')}</span>
        : now.done ? <Listen blob={now.done.blob} />
          : <><meter class="grow" min={0} max={1} value={now.level} aria-label={t('voice.level')} /><IconButton path={pausePath} label={t('voice.stop')} act={() => void stop()} /></>}
    </div>
  )
}

/** Loaded with the first recording that goes on without a finger. */
function Once(): JSX.Element | null {
  useEffect(wantOnce, [])
  const part = once.value
  return part?.mayOnce() ? <part.Choice on={single.value} change={(on) => { single.value = on; if (on) toast(t('once.hint')) }} /> : null
}

function Listen({ blob }: { blob: Blob }): JSX.Element {
  const audio = useRef<HTMLAudioElement>(null)
  const [url, setUrl] = useState('')
  const [on, setOn] = useState(false)
  useEffect(() => { const made = URL.createObjectURL(blob); setUrl(made); return () => URL.revokeObjectURL(made) }, [blob])
  const toggle = (): void => { const a = audio.current; if (a) void (a.paused ? a.play() : Promise.resolve(a.pause())) }
  return (
    <>
      <audio ref={audio} src={url} onPlay={() => setOn(true)} onPause={() => setOn(false)} />
      <span class="grow">{t('voice.ready')}</span>
      <IconButton path={on ? pausePath : playPath} label={t(on ? 'voice.pause' : 'voice.listen')} act={toggle} />
    </>
  )
}
