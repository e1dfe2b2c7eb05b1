// What this phone has promised without network and nobody has handed in yet: it can be shown again, and is counted before more is promised.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { usePaid } from '../../app/paid.ts'
import { noteOf, whyPay } from '../../app/pay.ts'
import { engine, nameOf } from '../../app/session.ts'
import { promisesOf, type Payment, type Promised } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { mayTakeBack, takeBack } from './takeBack.tsx'
import './pay.css'

/** usePending follows our payments that are not over. */
export const usePending = (): Payment[] => usePaid<Payment[]>((pay, show) => pay.watchPending(show)) ?? []

/** Promises lists those among what is pending; `show` gets one whose code is to be shown again. */
export function Promises({ pending, show }: { pending: Payment[]; show: (promise: Promised) => void }): JSX.Element | null {
  const [failed, setFailed] = useState<string>()
  const again = async ({ id, payee, amount, unit, for: what }: Payment): Promise<void> => {
    // With its id nothing is signed: what was kept comes back.
    try { show(await (await engine().pay()).promise({ id, kind: 'offline', payee, amount, unit, fee: 0, for: what }, '')) } catch (error) { setFailed(whyPay(error)) }
  }
  const promises = promisesOf(pending, engine().account().jid)
  if (!promises.length) return null
  return (
    <section class="stack"><h2>{t('pm.promises')}</h2>
      <ul class="card flat debts">{promises.map((p) => (
        <li key={p.id}><span class="grow"><b class="cut one" dir="auto">{nameOf(p.payee)}</b>{p.for && <small dir="auto">{p.for}</small>}{(p.back || p.why) && <small>{noteOf(p)}</small>}</span><b class="num">{money(p.amount, p)}</b>{mayTakeBack(p) && <>{!p.back && <Button act={() => void again(p)}>{t('pm.showAgain')}<span class="vh"> {nameOf(p.payee)}, {money(p.amount, p)}</span></Button>}<Button kind="t" act={() => void takeBack(p)}>{t(p.back ? 'again' : 'pm.takeBack')}<span class="vh"> {nameOf(p.payee)}, {money(p.amount, p)}</span></Button></>}</li>
      ))}</ul>
      {failed && <p class="wrong" role="alert">{failed}</p>}
    </section>
  )
}

/** Already says what was promised to somebody before. */
export function Already({ pending, to }: { pending: Payment[]; to: string }): JSX.Element {
  const theirs = promisesOf(pending, engine().account().jid).filter((p) => p.payee === to)
  return <div role="status">{theirs.length > 0 && <p><b>{t('pm.promisedAlready', { name: nameOf(to), amount: theirs.map((p) => money(p.amount, p)).join(' + ') })}</b></p>}</div>
}
