// What can be done about a contact, and what is asked before it is.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { go } from '../../app/router.ts'
import { connection, engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { confirm, over, Sheet } from '../../ui/overlay.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { saveAs } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'

const day = 86_400

/** After how long messages can disappear. */
export const spans: { seconds: number; text: Key }[] = [
  { seconds: 0, text: 'ab.never' }, { seconds: day, text: 'ab.day' }, { seconds: 7 * day, text: 'ab.week' }, { seconds: 90 * day, text: 'ab.quarter' },
]

/** attempt says what came of something that was asked for: it is kept in any case, and has left only with a connection. */
export function attempt(work: Promise<void>, well = t('ab.done'), leaves = false): void {
  const away = leaves && connection.value.state !== 'live' && connection.value.state !== 'fallback'
  work.then(() => toast(away ? t('ab.waits') : well), () => toast(t('ab.failed')))
}

/** chooseSpan asks after how long messages disappear. */
export function chooseSpan(jid: string, now: number): void {
  void over((done) => (
    <Sheet title={t('ab.expires')} close={done}>
      <div class="stack sheet-in">
        <p class="small">{t('ab.expiresText')}</p>
        <Radios label={t('ab.expires')} hideLabel value={String(now)} answers={spans.map((s) => ({ value: String(s.seconds), label: t(s.text) }))}
          change={(value) => { done(); attempt(engine().setChat(jid, { expires: Number(value) || undefined })) }} />
      </div>
    </Sheet>
  ))
}

/** rename asks for the name that only we see. */
export function rename(jid: string, name: string): void {
  void over((done) => <Sheet title={t('ab.rename')} close={done}><Renaming first={name} save={(fresh) => { done(); attempt(engine().renameContact(jid, fresh), undefined, true) }} /></Sheet>)
}

function Renaming({ first, save }: { first: string; save: (name: string) => void }): JSX.Element {
  const [name, setName] = useState(first)
  return (
    <form class="stack sheet-in" onSubmit={(e) => { e.preventDefault(); if (name.trim()) save(name.trim()) }}>
      <Field label={t('ab.renameLabel')} value={name} change={setName} limit={100} focus required />
      <div class="do"><Button kind="p" submit>{t('ab.save')}</Button></div>
    </form>
  )
}

/** showCode shows the code of an address, to hand on whom one knows. */
export function showCode(jid: string, name: string): void {
  void over((done) => <Sheet title={name} close={done}><div class="qr-of"><Qr text={`xmpp:${encodeURI(jid)}`} label={t('ab.codeLabel', { name })} /><bdi dir="ltr">{jid}</bdi></div></Sheet>)
}

/** exportChat saves a chat as a file. */
export function exportChat(jid: string, name: string): void {
  engine().exportChat(jid).then((blob) => saveAs(blob, `${name}.${blob.type.includes('zip') ? 'zip' : blob.type.includes('json') ? 'json' : 'txt'}`), () => toast(t('ab.failed')))
}

/** clear removes the messages of a chat. */
export async function clear(jid: string, name: string): Promise<void> {
  if (await confirm({ title: t('ab.clearTitle', { name }), text: t('ab.clearText'), yes: t('ab.clearYes'), danger: true })) attempt(engine().clearChat(jid))
}

/** removeContact ends the mutual subscription. */
export async function removeContact(jid: string, name: string): Promise<void> {
  if (await confirm({ title: t('ab.removeTitle', { name }), text: t('ab.removeText'), yes: t('ab.removeYes'), danger: true })) attempt(engine().removeContact(jid), undefined, true)
}

/** block asks whether to tell the operator too, and blocks. */
export function block(jid: string, name: string, then: () => void = () => go('/')): void {
  void over((done) => <Sheet title={t('ab.blockTitle', { name })} close={done}><Blocking jid={jid} done={done} then={then} /></Sheet>)
}

type Why = 'none' | 'spam' | 'abuse'
const named = 5

function Blocking({ jid, done, then }: { jid: string; done: () => void; then: () => void }): JSX.Element {
  const [why, setWhy] = useState<Why>('none')
  const [text, setText] = useState('')
  const [withMessages, setWith] = useState(true)
  const send = async (): Promise<void> => {
    done()
    const messages = withMessages && why !== 'none' ? await lastOf(jid) : undefined
    attempt(engine().block(jid, why === 'none' ? undefined : { reason: why, ...(text.trim() ? { text: text.trim() } : {}), ...(messages ? { messages } : {}) }), t('ab.blocked'), true)
    then()
  }
  return (
    <form class="stack sheet-in" onSubmit={(e) => { e.preventDefault(); void send() }}>
      <p class="small">{t('ab.blockText')}</p>
      <Radios<Why> label={t('ab.why')} value={why} change={setWhy} answers={[{ value: 'none', label: t('ab.whyNone') }, { value: 'spam', label: t('ab.whySpam') }, { value: 'abuse', label: t('ab.whyAbuse') }]} />
      {why !== 'none' && (
        <>
          <Field label={t('ab.whyText')} value={text} change={setText} multiline limit={1000} />
          <label class="check"><input type="checkbox" checked={withMessages} onChange={(e) => setWith(e.currentTarget.checked)} /><span>{t('ab.whyMessages')}</span></label>
        </>
      )}
      <div class="do"><Button kind="d" submit>{t('ab.blockYes')}</Button></div>
    </form>
  )
}

async function lastOf(jid: string): Promise<string[]> {
  try {
    const { messages } = await engine().page(jid, { before: Date.now() * 1000 + 60_000_000, limit: 50 })
    return messages.filter((m) => !m.own).slice(-named).map((m) => m.id)
  } catch { return [] }
}
