// The doors to confirming payments, which is loaded when it is first needed, and the words for what did not work.
import { payTrouble, type PayDraft, type Payment, type Proof, type Trouble } from '../core/pay.ts'
import { has, loadPart, t } from '../i18n/t.ts'
import { fullTime } from '../i18n/when.ts'
import { toast } from '../ui/toast.tsx'

type Confirm = typeof import('../features/pay/Confirm.tsx')

async function load(): Promise<Confirm | undefined> {
  try {
    const [confirm] = await Promise.all([import('../features/pay/Confirm.tsx'), loadPart('paycards')])
    return confirm
  } catch (error) {
    console.warn('pay', error)
    toast(t('part.failed'))
    return undefined
  }
}

/** payNow shows what a payment costs and what to look at, has it confirmed, and sends it; undefined when it was not confirmed. The payment is kept then, and leaves by itself. */
export const payNow = async (draft: Omit<PayDraft, 'fee'>): Promise<Payment | undefined> => (await load())?.confirmPayment(draft)

/** askProof asks for the PIN or the passkey of this device; undefined when it was not given. */
export const askProof = async (title: string): Promise<Proof | undefined> => (await load())?.askProof(title)

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
