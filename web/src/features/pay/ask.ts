// What somebody is asked for, as it is sent: the same each time until it is known to have arrived.
import type { Micros } from '../../core/model.ts'
import { newPayId, type RequestDraft } from '../../core/pay.ts'

/** Asked is a draft that may have arrived, and what it was made of. */
export interface Asked { wish: string; draft: RequestDraft }

/**
 * asked is what to send for what stands in the fields, of which `make` makes a draft at a time. Where that is what was sent `before`, it is that draft, with its id and its times: the service, which
 * may have it, answers the same, and a minute later asks nobody for the money a second time. Anything else has an id of its own, and so has it once its time is over.
 */
export function asked(before: Asked | undefined, make: (at: Micros) => Omit<RequestDraft, 'id'>, at: Micros): Asked {
  const wish = JSON.stringify(make(0))
  const ends = Math.min(before?.draft.expires ?? 0, before?.draft.terms?.until ?? Infinity)
  return before?.wish === wish && ends > at ? before : { wish, draft: { id: newPayId(), ...make(at) } }
}
