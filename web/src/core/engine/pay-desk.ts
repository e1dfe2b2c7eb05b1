// Payments in each tab. Loaded when they are first needed.

import { PayTrouble, type Pay } from '../pay.ts'

/** Payments as one tab has them. Fails with `none` where there is no service of payments. */
export function payDesk(): Pay {
  throw new PayTrouble({ why: 'none' })
}
