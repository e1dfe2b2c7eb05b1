// What a shop's codes ask for on top of an amount: nothing, a tip that the customer chooses, or a percentage. It holds for all codes of this device.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { fieldText, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Field } from '../../ui/controls.tsx'
import { Choice } from './Request.tsx'
import { canAsk, type Shop } from './shop.ts'

/** A percentage has two digits behind the point at most. */
const digits = 2

interface TipsProps { tip: Shop['tip']; change: (tip: Shop['tip']) => void }

/** Tips lets the shop choose. A percentage that is none is told all the same (canAsk). */
export function Tips({ tip, change }: TipsProps): JSX.Element {
  const [text, setText] = useState(() => fieldText(tip && 'percent' in tip ? Math.round(Number(tip.percent) * 100) : 1000, digits, true))
  const typed = (now: string): void => { setText(now); change({ percent: String((readAmount(now, digits) ?? 0) / 100) }) }
  const choose = (how: 'none' | 'ask' | 'percent'): void => { if (how === 'percent') typed(text); else change(how === 'ask' ? { ask: true } : undefined) }
  return (
    <>
      <Choice id="tips" label={t('pm.tips')} value={!tip ? 'none' : 'ask' in tip ? 'ask' : 'percent'} change={choose} answers={{ none: t('pm.tipNone'), ask: t('pm.tipsAsk'), percent: t('pm.tipsPercent') }} />
      {tip && 'percent' in tip && <Field label={t('pm.tipsHow')} hint={t('pm.tipsText')} value={text} change={typed} limit={5} ltr wrong={canAsk(tip) ? undefined : t('pm.tipsWrong')} />}
    </>
  )
}
