// What can be done with the whole conversation from inside it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Chat } from '../../core/model.ts'
import { block } from '../../app/block.ts'
import { engine, isMuted } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { now } from '../../i18n/when.ts'
import { Button } from '../../ui/controls.tsx'
import { choose, confirm, Dialog, over } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { jump, loadAround, timeline } from './state.ts'

const hour = 3_600_000_000
const daySeconds = 86_400

/** askMute asks for how long a chat is to make no sound. */
export async function askMute(chat: Chat): Promise<void> {
  if (isMuted(chat)) { await engine().setChat(chat.jid, { muted: undefined }); return }
  const span = await choose({ title: t('mute.title'), text: t('mute.text'), answers: [{ value: '8', label: t('mute.hours', { n: 8 }) }, { value: '168', label: t('mute.week') }, { value: 'always', label: t('mute.always') }] })
  if (span) await engine().setChat(chat.jid, { muted: span === 'always' ? Infinity : now() + Number(span) * hour })
}

/** askExpiry asks after how long new messages disappear for both sides. */
export async function askExpiry(chat: Chat): Promise<void> {
  const days = [1, 7, 90]
  const span = await choose({
    title: t('expires.title'), text: t('expires.text'),
    answers: [{ value: '0', label: t('expires.never'), main: !chat.expires }, ...days.map((n) => ({ value: String(n), label: t('expires.days', { n }), main: chat.expires === n * daySeconds }))],
  })
  if (span) await engine().setChat(chat.jid, { expires: Number(span) * daySeconds })
}

/** askDate asks for a day, and goes to its first message. */
export function askDate(): Promise<void> {
  return over((close) => <DateDialog close={close} go={(time) => { close(); void goTo(time) }} />)
}

async function goTo(time: number): Promise<void> {
  const line = timeline.value
  if (!line || !await loadAround(line, time)) return
  const first = line.messages.value.find((m) => m.order >= time) ?? line.messages.value.at(-1)
  if (first) await jump(first.id)
}

function DateDialog({ close, go }: { close: () => void; go: (time: number) => void }): JSX.Element {
  const [day, setDay] = useState('')
  const submit = (event: Event): void => { event.preventDefault(); const time = new Date(`${day}T00:00`).getTime(); if (!Number.isNaN(time)) go(time * 1000) }
  const today = new Date().toISOString().slice(0, 10)
  return (
    <Dialog title={t('chat.date')} close={close}>
      <form class="field" onSubmit={submit}>
        <label for="jump-day">{t('date.label')}</label>
        <input id="jump-day" type="date" max={today} value={day} autofocus onInput={(e) => setDay(e.currentTarget.value)} />
        <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" submit disabled={!day}>{t('date.go')}</Button></div>
      </form>
    </Dialog>
  )
}

/** saveChat gives the conversation as a file. */
export async function saveChat(chat: Chat): Promise<void> {
  const sure = await confirm({ title: t('export.title'), text: t('export.text'), yes: t('export.yes') })
  if (!sure) return
  const url = URL.createObjectURL(await engine().exportChat(chat.jid))
  const link = document.createElement('a')
  link.href = url
  link.download = `palabre-${chat.jid.replace(/[^\w.@-]/g, '_')}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** blockContact asks whether and why to tell the operator too, and blocks. */
export async function blockContact(chat: Chat): Promise<void> {
  try { await block(chat.jid, chat.name) } catch (error) { console.warn('block', error); toast(t('part.failed')) }
}
