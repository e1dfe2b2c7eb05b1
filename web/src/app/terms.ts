// What a hold or a mandate allows, in lines for people: the same in the conversation, in the sheet that is signed, and on the pages.
import type { Terms } from '../core/pay.ts'
import { money } from '../i18n/money.ts'
import { t } from '../i18n/t.ts'
import { fullDate, fullTime } from '../i18n/when.ts'

/** termLines says how much, how often and until when; texts are of the part `paycards`. */
export function termLines(terms: Terms, amount: number, facts: { unit: string; exponent: number }): string[] {
  if (terms.kind === 'hold') return [t('pc.termUntil', { when: fullTime(terms.until) })]
  const until = t('pc.termUntil', { when: fullDate(terms.until) })
  if (terms.period === 'once') return [t('pc.upToOnce', { amount: money(amount, facts) }), until]
  return [t('pc.upTo', { amount: money(amount, facts) }), t(`pc.total-${terms.period}`, { amount: money(terms.total, facts) }), until]
}
