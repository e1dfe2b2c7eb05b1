// What is on its way by a network outside, begun on this device or another one.
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { connected, usePaid } from '../../app/paid.ts'
import { engine } from '../../app/session.ts'
import type { Payment, Wallet } from '../../core/pay.ts'
import { amountText } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { movedBy, railTitle } from './rails.ts'
import { nowWords } from './way.ts'
import './pay.css'

/** UnderWay lists it; nothing is shown when there is none. */
export function UnderWay({ wallet }: { wallet: Wallet }): JSX.Element | null {
  const pending = usePaid<Payment[]>((pay, show) => pay.watchPending(show)) ?? []
  const live = connected()
  useEffect(() => { if (live) engine().pay().then((pay) => pay.ask('underWay')).catch(() => undefined) }, [live]) // what is kept is shown
  const moving = pending.flatMap((payment) => { const by = movedBy(payment); return by ? [{ payment, by }] : [] })
  if (!moving.length) return null
  return (
    <section class="stack"><h2>{t('pr.under')}</h2>
      <ul class="card flat">{moving.map(({ payment: p, by }) => {
        const title = railTitle(wallet, by.name)
        return <li key={p.id}><a class="act" href={`/pay/transfer/${encodeURIComponent(p.id)}`}><span class="grow"><b class="cut one" dir="auto">{title}</b><small>{nowWords(p, title).title}</small></span><b class="num"><bdi dir="ltr">{by.way === 'in' ? '+' : '−'}{amountText(p.amount, p.exponent)}</bdi>{`\u00a0${p.unit}`}</b></a></li>
      })}</ul>
    </section>
  )
}
