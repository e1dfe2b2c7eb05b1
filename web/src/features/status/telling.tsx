// Telling something for a day: words on a colour, a photo or video, a voice, each with whom it is for.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import crop from 'icon:pencil'
import type { Audience } from '../../core/engine.ts'
import { MAX_STATUS_TEXT, STATUS_COLOURS } from '../../core/status.ts'
import { preparePicture, takePhoto } from '../../app/media.ts'
import { lookAt } from '../../app/poster.ts'
import { connection, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { length } from '../../i18n/when.ts'
import { IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { over } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { chooseAudience, isNobody, nameOfAudience } from './audience.tsx'
import { record, type Recording } from './record.ts'
import { Sound } from './sound.tsx'
import './status.css'

/** compose lets a person tell something; it fulfils when that is over. */
export const compose = (): Promise<void> => over((done) => <Composer close={done} />)

/** What is told besides words: a file as it was chosen, or a voice. */
interface Picked { blob: Blob; name: string; as: 'image' | 'video' | 'voice'; seconds?: number }

function Composer({ close }: { close: () => void }): JSX.Element {
  const root = useRef<HTMLDivElement>(null)
  const [text, setText] = useState('')
  const [colour, setColour] = useState(0)
  const [picked, setPicked] = useState<Picked>()
  const [audience, setAudience] = useState<Audience>()
  const [busy, setBusy] = useState(false)
  const recording = useRecording(setPicked)
  useTrap(root)
  useEffect(() => { engine().status('audience').then(setAudience, (error: unknown) => console.warn('audience', error)) }, [])
  const ready = audience !== undefined && (picked !== undefined || text.trim() !== '') && !recording.now && !busy
  const post = async (): Promise<void> => {
    if (!ready || !audience) return
    if (isNobody(audience)) { toast(t('st.nobody')); return }
    setBusy(true)
    try {
      await engine().status('post', { audience, colour, ...(picked ? { file: await fileOf(picked, text) } : { text: text.trim() }) })
      if (connection.value.state !== 'live' && connection.value.state !== 'fallback') toast(t('st.waits'))
      close()
    } catch (error) { console.error('status', error); toast(t('st.notKept')); setBusy(false) }
  }
  const take = (files: FileList | null): void => {
    const file = files?.[0]
    const as = file?.type.startsWith('video/') ? 'video' : file && /^image\/(?!svg)/.test(file.type) ? 'image' : undefined
    if (file && as) setPicked({ blob: file, name: file.name, as })
    else if (file) toast(t('st.notPicture'))
  }
  const keys = (e: KeyboardEvent): void => {
    if (e.key === 'Escape') { e.stopPropagation(); close() } else if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); void post() }
  }
  const plain = !picked && !recording.now
  return (
    <div class={`story-maker k${colour}${picked && picked.as !== 'voice' ? ' dark' : ''}`} role="dialog" aria-modal="true" aria-label={t('st.new')} tabIndex={-1} ref={root} onKeyDown={keys} data-theme="dark">
      <header>
        <IconButton icon="x" label={t('close')} act={close} />
        <span class="grow" />
        {plain && <><Pick label={t('st.media')} take={take} /><IconButton icon="camera" label={t('st.camera')} act={() => void shoot().then((photo) => { if (photo) setPicked(photo) })} /><IconButton icon="mic" label={t('st.voice')} act={recording.begin} /></>}
        {picked?.as === 'image' && <IconButton path={crop} label={t('st.edit')} act={() => void edit(picked, text).then((made) => { if (made) { setPicked(made.picked); setText(made.text) } })} />}
        {picked && <IconButton icon="trash" label={t('st.drop')} act={() => setPicked(undefined)} />}
      </header>
      <div class="paper">
        {recording.now ? <Listening seconds={recording.seconds} stop={recording.stop} />
          : picked ? <Preview picked={picked} />
            : <textarea autofocus dir={text ? 'auto' : undefined} class={text.length < 60 ? 'l' : text.length < 200 ? 'm' : 's'} rows={5} maxLength={MAX_STATUS_TEXT} aria-label={t('st.write')} placeholder={t('st.write')} value={text} onInput={(e) => setText(e.currentTarget.value)} />}
      </div>
      <footer>
        {picked && picked.as !== 'voice' ? <input type="text" dir={text ? 'auto' : undefined} class="words-field" maxLength={1000} aria-label={t('st.caption')} placeholder={t('st.caption')} value={text} onInput={(e) => setText(e.currentTarget.value)} /> : <Colours colour={colour} change={setColour} />}
        <div class="line">
          <button type="button" class="chip for" disabled={!audience} onClick={() => { if (audience) void chooseAudience(audience).then(setAudience) }}><Icon name="users" /><span class="vh">{t('st.audience')}: </span><span class="cut">{audience ? nameOfAudience(audience) : '…'}</span></button>
          <button type="button" class="send" aria-label={t('st.post')} title={t('st.post')} disabled={!ready} onClick={() => void post()}><Icon name="send" flip /></button>
        </div>
      </footer>
    </div>
  )
}

function Pick({ label, take }: { label: string; take: (files: FileList | null) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  return <><IconButton icon="image" label={label} act={() => input.current?.click()} /><input ref={input} type="file" hidden accept="image/*,video/*" onChange={(e) => take(e.currentTarget.files)} /></>
}

/** The ten backgrounds; the arrow keys go from one to the next. */
function Colours({ colour, change }: { colour: number; change: (colour: number) => void }): JSX.Element {
  return (
    <fieldset class="colours"><legend class="vh">{t('st.colours')}</legend>
      {Array.from({ length: STATUS_COLOURS }, (_, i) => <label key={i} class={`k${i}`}><input type="radio" name="status-colour" checked={i === colour} aria-label={t('st.colour', { n: i + 1 })} onChange={() => change(i)} /></label>)}
    </fieldset>
  )
}

function Preview({ picked }: { picked: Picked }): JSX.Element {
  const [url, setUrl] = useState<string>()
  useEffect(() => { const made = URL.createObjectURL(picked.blob); setUrl(made); return () => URL.revokeObjectURL(made) }, [picked])
  if (picked.as === 'image') return <img src={url} alt={t('kind.image')} />
  if (picked.as === 'video') return <video src={url} controls playsInline aria-label={t('kind.video')} />
  return <Sound url={url} seconds={picked.seconds} stopped />
}

function Listening({ seconds, stop }: { seconds: number; stop: () => void }): JSX.Element {
  return <div class="listening"><i class="rdot" /><span class="num" role="timer">{length(seconds)}</span><button type="button" class="btn s" onClick={stop}>{t('st.stop')}</button></div>
}

/** Records a voice, and lets the microphone go when the composer is left. */
function useRecording(done: (voice: Picked) => void): { now: boolean; seconds: number; begin: () => void; stop: () => void } {
  const [now, setNow] = useState<Recording>()
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    if (!now) return
    const timer = setInterval(() => { setSeconds(now.seconds()); if (now.over()) void end(now) }, 200)
    return () => { clearInterval(timer); now.cancel() }
  }, [now])
  const end = async (one: Recording): Promise<void> => {
    const voice = await one.stop()
    setNow(undefined)
    done({ blob: voice.blob, seconds: voice.seconds, as: 'voice', name: `voice.${voice.ending}` })
  }
  const begin = (): void => { setSeconds(0); record().then(setNow, () => toast(t('st.micRefused'))) }
  return { now: now !== undefined, seconds, begin, stop: () => { if (now) void end(now) } }
}

async function shoot(): Promise<Picked | undefined> {
  const photo = await takePhoto().catch(() => { toast(t('part.failed')); return undefined })
  return photo && { blob: photo, name: 'photo.jpg', as: 'image' }
}

async function edit(picked: Picked, text: string): Promise<{ picked: Picked; text: string } | undefined> {
  const made = await preparePicture(new File([picked.blob], picked.name, { type: picked.blob.type }), text).catch(() => { toast(t('part.failed')); return undefined })
  return made && { picked: { ...picked, blob: made.blob }, text: made.caption }
}

async function fileOf({ blob, name, as, seconds }: Picked, text: string): Promise<{ blob: Blob; name: string; mime: string; as: Picked['as']; caption?: string; seconds?: number; width?: number; height?: number; poster?: string }> {
  const looks = as === 'video' ? await lookAt(blob).catch(() => ({})) : {}
  return { blob, name, as, mime: blob.type.split(';')[0] || 'application/octet-stream', ...looks, ...(seconds ? { seconds } : {}), ...(text.trim() && as !== 'voice' ? { caption: text.trim() } : {}) }
}
