// The doors to confirming payments, which is loaded when it is first needed, and the words for what did not work.
import { nextPayId, payTrouble, type PayDraft, type Payment, type PayState, type Proof, type Trouble } from '../core/pay.ts'
import { has, loadPart, t, type Key } from '../i18n/t.ts'
import { fullTime } from '../i18n/when.ts'
import { toast } from '../ui/toast.tsx'

type Confirm = typeof import('../features/pay/Confirm.tsx')

async function load(): Promise<Confirm | undefined> {
  try {
    const [confirm] = await Promise.all([import('../features/pay/Confirm.tsx'), loadPart('paycards'), loadPart('pay')])
    return confirm
  } catch (error) {
    console.warn('pay', error)
    toast(t('part.failed'))
    return undefined
  }
}

/**
 * payNow shows what a payment costs and what to look at, has it confirmed, and sends it; undefined when it was not confirmed. The payment is kept then, and leaves by itself. A `tip` is confirmed
 * with it and is a payment of its own about it.
 */
export const payNow = async (draft: Omit<PayDraft, 'fee'>, tip = 0): Promise<Payment | undefined> => (await load())?.confirmPayment(draft, tip)

/** What a fee may keep from being paid, or a proof that was too old, and all of which the payment says. */
const again: Payment['kind'][] = ['send', 'tip', 'hold', 'refund', 'cashout'] satisfies PayDraft['kind'][]

/** mayPayAgain says whether a payment of ours was refused because of its fee, or because it arrived too long after the PIN. */
export const mayPayAgain = ({ state, why, kind, payer }: Payment, account: string): boolean => state === 'refused' && (why === 'fee-changed' || why === 'step-up') && payer === account && again.includes(kind)

/** payAgain pays that with the fee as it is now, which is shown and confirmed as ever: under an id that follows from the first one's, so that it is paid once, whoever asks and however often. */
export async function payAgain({ id, kind, payer, payee, amount, unit, of, for: what, until, chat }: Payment): Promise<Payment | undefined> {
  if (kind === 'cashin' || kind === 'cashrefund') return undefined
  return payNow({ id: await nextPayId('again', id, payer), kind, payee, amount, unit, for: what, ...(of ? { of } : {}), ...(until ? { until } : {}), ...(chat ? { chat } : {}) })
}

/** askProof asks for the PIN or the passkey of this device, with words on what it is for; undefined when it was not given. */
export const askProof = async (title: string, text?: string): Promise<Proof | undefined> => (await load())?.askProof(title, text)

/** What is certain of a payment that has no end yet: nothing more is said, and nothing less. */
const notes: Partial<Record<PayState, Key>> = { signed: 'pay.signedNote', sent: 'pay.sentNote', waiting: 'pay.waitingNote', promised: 'pay.promisedNote' }

/** noteOf says in a sentence how far a payment is; undefined where its state says it all. */
export function noteOf({ state, back, why }: Pick<Payment, 'state' | 'back' | 'why'>): string | undefined {
  if (state === 'promised' && why && !back) return `${t('pay.laterNote')} ${ofPromise(why)}`.trim()
  if (state === 'promised' && back === 'refused') return t('pc.notBack', { why: whyWords({ why: why ?? 'refused' }) })
  const key = back && state === 'promised' ? 'pay.takingBack' : notes[state]
  return key && t(key)
}

/** What a reason means of a promise: the pocket and the key are its payer's, who may be somebody else. Empty where it means the same. */
function ofPromise(why: string): string {
  const key = `pc.promise-${why}`
  return has(key) ? t(key) : ''
}

/** whyRefused says why a payment was refused. */
export const whyRefused = ({ kind, why = 'refused' }: Pick<Payment, 'kind' | 'why'>): string => (kind === 'offline' && ofPromise(why)) || whyWords({ why })

/** whyWords says why something of payments could not be done, and what to do. */
export function whyWords({ why, left, until }: Trouble): string {
  if (why === 'wrong-pin' && left !== undefined) return t('pc.wrongPin', { n: left })
  if ((why === 'wait' || why === 'not-ready') && until !== undefined) return t('pc.waitUntil', { when: fullTime(until) })
  const key = `pc.why-${why}`
  return has(key) ? t(key) : t('pc.why-refused')
}

/** whyPay says why an error of payments came. */
export function whyPay(error: unknown): string {
  const trouble = payTrouble(error)
  if (trouble.why === 'refused') console.warn('pay', error)
  return error instanceof Error && error.name === 'WrongPromise' ? error.message : whyWords(trouble)
}
