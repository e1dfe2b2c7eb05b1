// Sending what one sees on, to at most twenty chats.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { chats, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'

const most = 20

/** forward asks for chats and sends a message on to them. */
export function forward(id: string): Promise<void> {
  return over((done) => <Sheet title={t('med.forwardTo')} close={done}><Choose send={(to) => { done(); void sendTo(id, to) }} /></Sheet>)
}

async function sendTo(id: string, to: string[]): Promise<void> {
  try { for (const jid of to) await engine().send(jid, { forwardOf: id }); toast(t('med.forwarded')) } catch { toast(t('med.failed')) }
}

function Choose({ send }: { send: (to: string[]) => void }): JSX.Element {
  const [to, setTo] = useState<string[]>([])
  const flip = (jid: string): void => setTo((all) => (all.includes(jid) ? all.filter((j) => j !== jid) : [...all, jid].slice(0, most)))
  return (
    <>
      <ul class="acts pick-list">{(chats.value ?? []).filter((c) => !c.blocked && !c.request).map((c) => (
        <li key={c.jid}><label class="act"><Avatar id={c.jid} name={c.name} kind={c.kind} picture={c.avatar} size="s" /><b class="grow cut" dir="auto">{c.name}</b><input type="checkbox" checked={to.includes(c.jid)} onChange={() => flip(c.jid)} /></label></li>
      ))}</ul>
      <div class="do"><Button kind="p" icon="send" disabled={!to.length} act={() => send(to)}>{t('med.send')}</Button></div>
    </>
  )
}
