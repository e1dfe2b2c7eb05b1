// A post is written here: its words, its files, for whom it is, and when it is published.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import calendar from 'icon:calendar-clock'
import paperclip from 'icon:paperclip'
import type { Channel, Post } from '../../core/channels.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, IconButton, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { desk, why } from './desk.tsx'

const longest = 10_000
const mostFiles = 10
const year = 365 * 86_400_000

interface Props { channel: Channel; edited: (Post & { kind: 'post' }) | undefined; done: () => void }

/** Compose publishes; with `edited` it changes that post. What is published is kept first, and leaves by itself. */
export function Compose({ channel, edited, done }: Props): JSX.Element {
  const [text, setText] = useState(edited ? [edited.title, edited.text].filter(Boolean).join('\n') : '')
  const [files, setFiles] = useState<File[]>([])
  const [segments, setSegments] = useState<string[]>(edited?.segments ?? [])
  const [at, setAt] = useState<number>()
  const [busy, setBusy] = useState(false)
  const area = useRef<HTMLTextAreaElement>(null)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => { const e = area.current; if (e) { e.style.height = 'auto'; e.style.height = `${Math.min(e.scrollHeight, 240)}px` } }, [text])
  useEffect(() => { if (edited) area.current?.focus() }, [])
  const empty = !text.trim() && !files.length && !edited?.media.length
  const publish = async (): Promise<void> => {
    if (empty || busy) return
    setBusy(true)
    try {
      await (await desk()).publish(channel.name, { text, segments, files: files.map((file) => ({ blob: file, name: file.name })), ...(at === undefined ? {} : { at }), ...(edited ? { item: edited.item } : {}) })
      if (at !== undefined) toast(t('ch.waitingAt', { time: fullTime(at) }))
      setText(''); setFiles([]); setAt(undefined); setSegments([])
      done()
    } catch (error) { toast((error as { name?: string }).name === 'Unpublishable' ? t('ch.full') : why(error)) }
    setBusy(false)
  }
  const extra = !!channel.segments.length || !edited
  return (
    <form class="ch-compose" onSubmit={(e) => { e.preventDefault(); void publish() }}>
      {edited && <p class="ch-changing"><span>{t('ch.changing')}</span><IconButton icon="x" label={t('cancel')} act={done} /></p>}
      {(files.length > 0 || segments.length > 0 || at !== undefined) && (
        <ul class="chips">
          {at !== undefined && <li><Pill kind="wait" icon="clock">{fullTime(at)}</Pill></li>}
          {segments.map((s) => <li key={s}><Pill kind="info">{channel.segments.find((one) => one.name === s)?.label ?? s}</Pill></li>)}
          {files.map((file, i) => <li key={i}><button type="button" class="chip" aria-label={t('ch.dropFile', { name: file.name })} onClick={() => setFiles(files.filter((f) => f !== file))}><span class="cut" dir="auto">{file.name}</span><Icon name="x" /></button></li>)}
        </ul>
      )}
      <div class="ch-line-in">
        <input type="file" multiple class="vh" ref={input} tabIndex={-1} aria-hidden="true" onChange={(e) => { setFiles([...files, ...e.currentTarget.files ?? []].slice(0, mostFiles)); e.currentTarget.value = '' }} />
        <IconButton path={paperclip} label={t('ch.attach')} act={() => input.current?.click()} />
        <textarea ref={area} rows={1} dir="auto" aria-label={t('ch.write')} placeholder={t('ch.write')} maxLength={longest} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        {extra && <IconButton path={calendar} label={t('ch.options')} act={() => void options(channel, segments, at, !edited, (s, a) => { setSegments(s); setAt(a) })} />}
        <button type="submit" class="send" aria-label={t(at === undefined ? 'ch.publish' : 'ch.publishAt')} title={t(at === undefined ? 'ch.publish' : 'ch.publishAt')} disabled={empty || busy}><Icon name="send" flip /></button>
      </div>
    </form>
  )
}

/** What datetime-local shows for a time in microseconds. */
function local(time: number): string {
  const d = new Date(time / 1000)
  return new Date(d.getTime() - d.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function options(channel: Channel, segments: string[], at: number | undefined, timed: boolean, set: (segments: string[], at: number | undefined) => void): Promise<void> {
  return over((close) => <Options channel={channel} segments={segments} at={at} timed={timed} set={(s, a) => { set(s, a); close() }} close={close} />)
}

interface OptionsProps { channel: Channel; segments: string[]; at: number | undefined; timed: boolean; set: (segments: string[], at: number | undefined) => void; close: () => void }

function Options({ channel, segments, at, timed, set, close }: OptionsProps): JSX.Element {
  const [chosen, setChosen] = useState(segments)
  const [when, setWhen] = useState(at === undefined ? '' : local(at))
  const [wrong, setWrong] = useState(false)
  const take = (): void => {
    const time = when ? new Date(when).getTime() : undefined
    if (time !== undefined && !(time > Date.now() && time < Date.now() + year)) { setWrong(true); return }
    set(chosen, time === undefined ? undefined : time * 1000)
  }
  return (
    <Sheet title={t('ch.options')} close={close}>
      <form class="stack" onSubmit={(e) => { e.preventDefault(); take() }}>
        {channel.segments.length > 0 && <Segments channel={channel} chosen={chosen} change={setChosen} label={t('ch.for')} />}
        {timed && (
          <div class="field"><label for="ch-when">{t('ch.later')}</label><input id="ch-when" type="datetime-local" value={when} min={local(Date.now() * 1000)} aria-invalid={wrong || undefined} aria-describedby={wrong ? 'ch-when-w' : undefined} onInput={(e) => { setWhen(e.currentTarget.value); setWrong(false) }} />
            {wrong && <span class="wrong" id="ch-when-w" role="alert">{t('ch.past')}</span>}</div>
        )}
        <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" submit>{t('ch.done')}</Button></div>
      </form>
    </Sheet>
  )
}

/** Segments lets a person choose parts of a channel; none means all. */
export function Segments({ channel, chosen, change, label }: { channel: Channel; chosen: string[]; change: (chosen: string[]) => void; label: string }): JSX.Element {
  return (
    <fieldset class="ch-segments">
      <legend>{label}</legend>
      {channel.segments.map((s) => (
        <label class="check" key={s.name}><input type="checkbox" checked={chosen.includes(s.name)} onChange={(e) => change(e.currentTarget.checked ? [...chosen, s.name] : chosen.filter((one) => one !== s.name))} /><span dir="auto">{s.label}</span></label>
      ))}
      {!chosen.length && <p class="small">{t('ch.forAll')}</p>}
    </fieldset>
  )
}
