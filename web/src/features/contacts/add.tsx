// Adding somebody by address or code.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { chatPath, go } from '../../app/router.ts'
import { connection, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { addressIn } from '../../ui/address.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { scan } from '../../ui/Scan.tsx'
import { toast } from '../../ui/toast.tsx'

/** add asks for an address, and leads to the chat with whom it is. */
export function add(): void {
  void over((done) => <Sheet title={t('con.add')} close={done}><Adding done={done} /></Sheet>)
}

function Adding({ done }: { done: () => void }): JSX.Element {
  const [typed, setTyped] = useState('')
  const [name, setName] = useState('')
  const [wrong, setWrong] = useState<string>()
  const [busy, setBusy] = useState(false)
  const use = async (text: string): Promise<void> => {
    const address = addressIn(text)
    if (!address) { setWrong(t('con.addressBad')); return }
    if (address === engine().account().jid) { setWrong(t('con.own')); return }
    setWrong(undefined)
    setBusy(true)
    try {
      await engine().addContact(address, name.trim() || undefined)
      if (/omemo-sid-/.test(text)) await engine().compare(text).catch(() => undefined)
      done()
      toast(t(connection.value.state === 'live' || connection.value.state === 'fallback' ? 'con.added' : 'con.waits'))
      go(chatPath(address))
    } catch { setWrong(t('con.failed')) } finally { setBusy(false) }
  }
  const look = async (): Promise<void> => {
    const text = await scan(t('con.scan'))
    if (!text) return
    const address = addressIn(text)
    if (address) { setTyped(address); void use(text) } else setWrong(t('con.scanNothing'))
  }
  return (
    <form class="stack" onSubmit={(e) => { e.preventDefault(); void use(typed) }}>
      <Field label={t('con.address')} hint={t('con.addressHint')} wrong={wrong} value={typed} change={setTyped} ltr focus limit={600} required />
      <Field label={t('con.name')} value={name} change={setName} limit={100} />
      <div class="do">
        <Button kind="s" icon="camera" act={() => void look()}>{t('con.scan')}</Button>
        <Button kind="p" submit disabled={busy}>{t('con.addDo')}</Button>
      </div>
    </form>
  )
}
