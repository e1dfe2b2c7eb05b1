// What this device has signed about something (a mandate, a payment, what was set aside) and nobody has answered yet: it counts as done, so that nothing is done twice.
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { useAsked, type Asked } from '../../app/asked.tsx'
import { connected, usePaid } from '../../app/paid.ts'
import { noteOf, whyPay } from '../../app/pay.ts'
import type { Payment } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'

/** About: how something stands, and what of this device is on its way about it. `free`: nothing is, and how it stands was asked for since. `signed` says what was confirmed just now. */
export interface About<T> { asked: Asked<{ value: T; after: string }>; waits: Payment[]; free: boolean; signed: (payment: Payment | undefined) => void }

/** useAbout follows what is about `of`, and asks how that stands, also whenever something about it has got its end. */
export function useAbout<T>(of: string, ask: () => Promise<T>): About<T> {
  const waits = usePaid<Payment[]>((pay, show) => pay.watchPending((all) => show(all.filter((p) => p.of === of))), [of])
  const ids = waits?.map((p) => p.id).join(' ') ?? ''
  const last = useRef('')
  if (ids) last.current = ids
  const asked = useAsked(async () => { const after = ids ? '-' : last.current; return { value: await ask(), after } }, [of, connected(), ids], whyPay)
  const signed = (payment: Payment | undefined): void => { if (payment) { last.current = payment.id; asked.again() } }
  return { asked, waits: waits ?? [], free: waits !== undefined && !ids && (!last.current || asked.value?.after === last.current), signed }
}

/** leftOf is what is left of an amount when what is on its way of a kind counts as done. */
export const leftOf = (left: number, waits: Payment[], kind: Payment['kind']): number => Math.max(0, left - waits.reduce((sum, p) => sum + (p.kind === kind ? p.amount : 0), 0))

/** Waits says of each how far it is. */
export function Waits({ all }: { all: Payment[] }): JSX.Element {
  return <div role="status">{all.map((p) => <p key={p.id} class="small">{p.amount > 0 && <><b class="num">{money(p.amount, p)}</b> · </>}{noteOf(p)}</p>)}</div>
}
