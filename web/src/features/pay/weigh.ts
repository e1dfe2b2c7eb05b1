// What there is to weigh before a payment is confirmed: whether there is enough for it, and whether there is anything at all to look at.
import type { PayDraft, Quote, Wallet } from '../../core/pay.ts'

/** What moves money out of the wallet. */
const spends = new Set<PayDraft['kind']>(['send', 'tip', 'hold', 'reserve', 'refund', 'cashout'])

/** haveOf is what can be spent of a unit, as it was told last; undefined before anything was told. */
export const haveOf = (wallet: Wallet | null | undefined, unit: string): number | undefined => wallet ? wallet.balances.find((b) => b.unit === unit)?.amount ?? 0 : undefined

/** isShort says that there is less than it costs: as the service says of the payment, or as what one has says of all of it, fees and tip too. */
export const isShort = (kind: PayDraft['kind'], quote: Pick<Quote, 'short'>, all: number, have: number | undefined): boolean => spends.has(kind) && (quote.short || (have !== undefined && all > have))

/** Whom it goes to: what we call them, and whether they are a contact. */
interface Whom { name: string; known: boolean }

/** isPlain says that there is nothing to weigh, so that the device's lock may be asked for at once: money to somebody whom we know, who is called the same by the service, without a fee, a tip, a warning or terms. */
export const isPlain = ({ kind, until }: Pick<PayDraft, 'kind' | 'until'>, { name, warnings }: Pick<Quote, 'name' | 'warnings'>, { name: ours, known }: Whom, more: number): boolean =>
  kind === 'send' && known && (!name || name === ours) && !warnings.length && !more && until === undefined
