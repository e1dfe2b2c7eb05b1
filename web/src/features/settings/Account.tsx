import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection, engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { choose, confirm, over, Sheet } from '../../ui/overlay.tsx'
import { PasswordInput } from '../../ui/PasswordInput.tsx'
import { saveAs } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'

/** Account is the password, what is taken along, and the ways out. */
export function Account(): JSX.Element {
  const sheet = (title: string, draw: (done: () => void) => JSX.Element): void => { void over((done) => <Sheet title={title} close={done}>{draw(done)}</Sheet>) }
  return (
    <>
      <Part title={t('set.pass')} text={t('set.passText')}><Button kind="s" act={() => sheet(t('set.pass'), (done) => <NewPassword done={done} />)}>{t('set.pass')}</Button></Part>
      <Recovery />
      <Export />
      <SignOut />
      <Part title={t('set.delete')} text={t('set.deleteText')}><Button kind="d" act={() => sheet(t('set.delete'), () => <Deleting />)}>{t('set.delete')}</Button></Part>
    </>
  )
}

function Part({ title, text, children }: { title: string; text: string; children: JSX.Element | JSX.Element[] }): JSX.Element {
  return <section class="card"><h2>{title}</h2><p class="small">{text}</p><div class="dos">{children}</div></section>
}

const shortest = 10

/** What is said when a password was asked for: that it is wrong only when the server says so. */
function whyNot(error: unknown): string {
  const trouble = error instanceof Error && error.name === 'Trouble' ? error.message : ''
  if (trouble.startsWith('password')) return t('set.passWrong')
  return t(connection.value.state !== 'live' && connection.value.state !== 'fallback' || trouble.startsWith('unreachable') ? 'set.offline' : 'set.failed')
}

function NewPassword({ done }: { done: () => void }): JSX.Element {
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [wrong, setWrong] = useState<{ old?: string; fresh?: string }>({})
  const [busy, setBusy] = useState(false)
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    if ([...fresh].length < shortest) { setWrong({ fresh: t('set.passShort') }); return }
    setWrong({})
    setBusy(true)
    try { await engine().changePassword(old, fresh); done(); toast(t('set.passDone')) } catch (error) { setWrong({ old: whyNot(error) }) } finally { setBusy(false) }
  }
  return (
    <form class="stack sheet-in" onSubmit={(e) => void send(e)}>
      <input type="text" class="vh" name="username" autocomplete="username" tabIndex={-1} aria-hidden="true" readOnly value={engine().account().jid} />
      <PasswordInput label={t('set.passOld')} value={old} change={setOld} complete="current-password" wrong={wrong.old} />
      <PasswordInput label={t('set.passFresh')} value={fresh} change={setFresh} complete="new-password" hint={t('set.passHint')} wrong={wrong.fresh} />
      <div class="do"><Button kind="p" submit disabled={busy}>{t('set.pass')}</Button></div>
    </form>
  )
}

function Recovery(): JSX.Element {
  const [code, setCode] = useState<string>()
  const make = async (): Promise<void> => {
    if (!await confirm({ title: t('set.recoverySure'), text: t('set.recoverySureText'), yes: t('set.recoveryShow') })) return
    engine().recoveryCode().then(setCode, () => toast(t('set.offline')))
  }
  return (
    <Part title={t('set.recovery')} text={t('set.recoveryText')}>
      {code ? <output class="secret grow" aria-label={t('set.recoveryLabel', { code })}>{code}</output> : <Button kind="s" act={() => void make()}>{t('set.recoveryShow')}</Button>}
    </Part>
  )
}

function Export(): JSX.Element {
  const [busy, setBusy] = useState(false)
  const run = async (): Promise<void> => {
    setBusy(true)
    try { const blob = await engine().exportData(); saveAs(blob, `palabre-${engine().account().jid}.${blob.type.includes('zip') ? 'zip' : 'json'}`) } catch { toast(t('set.failed')) } finally { setBusy(false) }
  }
  return <Part title={t('set.export')} text={t('set.exportText')}><Button kind="s" disabled={busy} act={() => void run()}>{busy ? t('set.exporting') : t('set.exportDo')}</Button></Part>
}

/** SignOut says what is lost before anything is: messages that wait, and money. */
function SignOut(): JSX.Element {
  const [money, setMoney] = useState(0)
  const [busy, setBusy] = useState(false)
  const look = async (): Promise<number> => {
    const left = await engine().unsettled()
    setMoney(left)
    return left
  }
  useEffect(() => void look().catch(() => undefined), []) // asked again with the tap
  const text = (left: number): string => [t('set.signOutText', { n: connection.value.waiting }), ...(left ? [t('set.signOutMoney', { n: left })] : [])].join(' ')
  const signOut = async (): Promise<void> => {
    setBusy(true)
    try {
      const answer = await choose<'wipe' | 'keep'>({ title: t('set.signOutTitle'), text: text(await look()),
        answers: [{ value: 'keep', label: t('set.signOutKeep') }, { value: 'wipe', label: t('set.signOutWipe'), danger: true }] })
      if (!answer) return
      await engine().signOut(answer === 'wipe')
      location.assign('/')
    } catch { toast(t('set.failed')) } finally { setBusy(false) }
  }
  return <Part title={t('set.signOut')} text={text(money)}><Button kind="g" disabled={busy} act={() => void signOut()}>{t('set.signOut')}</Button></Part>
}

function Deleting(): JSX.Element {
  const { jid } = engine().account()
  const [typed, setTyped] = useState('')
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState<string>()
  const [busy, setBusy] = useState(false)
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    setWrong(undefined)
    try { await engine().deleteAccount(password); location.assign('/') } catch (error) { setWrong(whyNot(error)); setBusy(false) }
  }
  return (
    <form class="stack sheet-in" onSubmit={(e) => void send(e)}>
      <p class="small">{t('set.deleteText')}</p>
      <Field label={t('set.deleteType', { address: jid })} value={typed} change={setTyped} ltr required limit={300} />
      <PasswordInput label={t('set.passOld')} value={password} change={setPassword} complete="current-password" wrong={wrong} />
      <div class="do"><Button kind="d" submit disabled={busy || typed.trim() !== jid}>{t('set.deleteDo')}</Button></div>
    </form>
  )
}
