// The device that is signed in: it shows a code, or scans the one of the new device.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LinkState } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { back } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { scan } from '../../ui/Scan.tsx'
import { NoNet, Steps, useLeaving } from './Steps.tsx'

/** Give links a new device to this account. Leaving the page cancels it. */
export function Give(): JSX.Element {
  const [state, setState] = useState<LinkState>({ step: 'starting' })
  const [other, setOther] = useState(false)
  const stop = useRef<() => void>(() => undefined)
  const begin = (scanned?: string): void => {
    stop.current()
    setOther(false)
    let wanted = true
    const end = engine().link(scanned, (now) => { if (wanted) setState(now) })
    stop.current = () => { wanted = false; end() }
  }
  useEffect(() => { begin(); return () => stop.current() }, [])
  useLeaving(() => { stop.current(); setState({ step: 'failed', why: 'over' }) })
  const instead = (): void => { stop.current(); stop.current = () => undefined; setOther(true) }
  const compared = (same: boolean): void => {
    if (state.step === 'comparing') engine().linkCompared(state.code, same).catch(() => undefined) // the tab that led is gone: another one shows another code
  }
  const done = (): void => back('/devices')
  return (
    <div class="scroll">
      <PageHead title={t('link.give')} up="/devices" always />
      <div class="page">
        <NoNet />
        {other ? <FromNew use={begin} show={() => begin()} /> : (
          <Steps state={state} side="old" show={t('link.giveText', { host: location.host })} again={() => begin()} finish={done}
            compared={compared}>
            <Button kind="t" icon="camera" wide act={instead}>{t('link.scanNew')}</Button>
          </Steps>
        )}
        {state.step === 'comparing' && !other && <Button kind="t" wide act={done}>{t('cancel')}</Button>}
      </div>
    </div>
  )
}

function FromNew({ use, show }: { use: (code: string) => void; show: () => void }): JSX.Element {
  const [code, setCode] = useState('')
  return (
    <section class="link-step">
      <p>{t('link.scanNewText')}</p>
      <Button kind="p" icon="camera" wide act={() => void scan(t('link.scanNew')).then((text) => { if (text) use(text) })}>{t('link.scan')}</Button>
      <form onSubmit={(e) => { e.preventDefault(); use(code) }}>
        <Field label={t('link.paste')} value={code} change={setCode} ltr limit={4096} required />
        <Button kind="s" submit wide>{t('link.next')}</Button>
      </form>
      <Button kind="t" icon="qr" wide act={show}>{t('link.showHere')}</Button>
    </section>
  )
}
