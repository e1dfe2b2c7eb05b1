// How far a payment by a network outside is, in words and in steps: nothing is said that is not known.
import type { Payment } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { movedBy } from './rails.ts'

/** Whether nothing more is expected to happen. */
export const hasEnd = ({ state }: Payment): boolean => state === 'done' || state === 'ended' || state === 'refused'

/** What its owner should know first, and what that means. `look` is how it is marked. */
export interface Now { title: string; text: string; look: 'ok' | 'bad' | 'wait' }

/** nowWords say how a payment stands; `name` is what its network is called. */
export function nowWords(p: Payment, name: string): Now {
  const way = movedBy(p)?.way ?? 'out'
  const back = p.refunded ?? 0
  const values = { name, amount: money(back || p.amount, p) }
  const say = (what: string, look: Now['look']): Now => ({ title: t(`pr.is-${what}` as 'pr.is-done-in', values), text: t(`pr.say-${what}` as 'pr.say-done-in', values), look })
  if (p.state === 'done' || p.state === 'ended') return back ? say(`back-${way}`, 'bad') : say(`done-${way}`, 'ok')
  if (p.state === 'refused') return say(p.why === 'expired' ? 'expired' : `refused-${way}`, 'bad')
  if (p.state !== 'waiting') return say(p.state === 'signed' ? 'kept' : 'asked', 'wait')
  return p.way === 'unknown' ? say('unknown', 'bad') : p.way === 'accepted' ? say(`accepted-${way}`, 'wait') : p.way === 'submitted' ? say('submitted', 'wait') : say(`waiting-${way}`, 'wait')
}

/** The steps of every such payment, in their order. */
export const steps = ['kept', 'service', 'sent', 'has', 'done'] as const

/** How far a step is. */
export type Far = 'done' | 'now' | 'open'

/** reached is how far each step is; undefined where the payment has ended without the last one. */
export function reached({ state, way }: Payment): Far[] | undefined {
  if (state === 'refused') return undefined
  const until = state === 'done' || state === 'ended' ? 5 : state === 'waiting' ? way === 'accepted' ? 3 : 2 : 1
  return steps.map((_, i) => (i < until ? 'done' : i === until && state !== 'signed' ? 'now' : 'open'))
}
