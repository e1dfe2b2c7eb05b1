// The new device: it scans the code of one that is signed in, or shows one for it. A camera app that opened a code brings it behind the #.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Linking } from '../../core/accounts.ts'
import type { LinkState } from '../../core/model.ts'
import { enter } from '../../app/enter.ts'
import { accounts } from '../../app/open.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { go } from '../../app/router.ts'
import { engine, ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { scan } from '../../ui/Scan.tsx'
import { NoNet, Steps, useLeaving } from './Steps.tsx'

type By = { scanned: string } | { address: string }

/** addressOf completes a name to an address of this server. */
const addressOf = (typed: string): string => { const name = typed.trim().toLowerCase(); return name && !name.includes('@') ? `${name}@${location.hostname}` : name }

/** Take links this device to an account. Leaving the page cancels it. */
export function Take(): JSX.Element {
  const [state, setState] = useState<LinkState>()
  const linking = useRef<Linking | undefined>(undefined)
  const stop = (): void => { linking.current?.stop(); linking.current = undefined }
  const begin = async (by: By): Promise<void> => {
    stop()
    setState({ step: 'starting' })
    try {
      const begun: Linking = (await accounts()).link(by, (now) => { if (linking.current === begun) setState(now) })
      linking.current = begun
    } catch { setState({ step: 'failed', why: 'storage' }) }
  }
  useEffect(() => {
    void accounts().catch(() => undefined) // there is a connection now; when it is needed there may be none
    const look = (): void => {
      if (location.hash.length < 2) return
      const scanned = location.href
      history.replaceState(history.state, '', location.pathname)
      void begin({ scanned })
    }
    look()
    addEventListener('hashchange', look)
    return () => { removeEventListener('hashchange', look); stop() }
  }, [])
  useLeaving(() => { if (linking.current) { stop(); setState({ step: 'failed', why: 'over' }) } })
  const inside = async (): Promise<void> => { if (await enter('/') === 'here') go('/', { replace: true }) }
  return (
    <div class="scroll link-new">
      <PageHead title={t('link.take')} up={ready.value ? '/settings' : '/welcome'} always />
      <div class="page">
        <NoNet />
        {state ? (
          <Steps state={state} side="new" show={t('link.takeShown')} again={() => { stop(); setState(undefined) }} finish={() => void inside()}
            compared={(same) => linking.current?.compared(same)}>
            {state.step === 'failed' && !ready.value && <Button kind="t" wide act={() => go('/signin')}>{t('link.password')}</Button>}
          </Steps>
        ) : <Choose begin={(by) => void begin(by)} />}
        {state && (state.step === 'showing' || state.step === 'comparing') && <Button kind="t" wide act={() => { stop(); setState(undefined) }}>{t('cancel')}</Button>}
      </div>
    </div>
  )
}

function Choose({ begin }: { begin: (by: By) => void }): JSX.Element {
  const [code, setCode] = useState('')
  const [showing, setShowing] = useState(false)
  const [address, setAddress] = useState(() => (ready.value ? engine().account().jid : ''))
  if (showing) {
    return (
      <form class="link-step" onSubmit={(e) => { e.preventDefault(); begin({ address: addressOf(address) }) }}>
        <p>{t('link.showText')}</p>
        <Field label={t('link.address')} hint={t('link.addressHint', { domain: location.hostname })} value={address} change={setAddress} complete="username" ltr focus limit={300} required />
        <Button kind="p" icon="qr" submit wide>{t('link.show')}</Button>
        <Button kind="t" wide act={() => setShowing(false)}>{t('back')}</Button>
      </form>
    )
  }
  return (
    <section class="link-step">
      <p>{t('link.takeText')}</p>
      <Button kind="p" icon="camera" wide act={() => void scan(t('link.scan')).then((scanned) => { if (scanned) begin({ scanned }) })}>{t('link.scan')}</Button>
      <form onSubmit={(e) => { e.preventDefault(); begin({ scanned: code }) }}>
        <Field label={t('link.paste')} value={code} change={setCode} ltr limit={4096} required />
        <Button kind="s" submit wide>{t('link.next')}</Button>
      </form>
      <Button kind="t" icon="qr" wide act={() => setShowing(true)}>{t('link.showHere')}</Button>
    </section>
  )
}
