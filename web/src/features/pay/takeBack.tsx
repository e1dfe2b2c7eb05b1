// Taking back what was promised without network: with the PIN of the key that promised, without network as well; with this device's main key where that one is gone.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { askProof, whyPay } from '../../app/pay.ts'
import { engine, nameOf } from '../../app/session.ts'
import type { Payment } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { isPin, Pin } from './fields.tsx'

/** mayTakeBack is whether a payment is a promise of ours that is not to be taken back already. */
export const mayTakeBack = (p: Payment): boolean => p.kind === 'offline' && p.state === 'promised' && p.payer === engine().account().jid && p.back !== true

/** takeBack says what taking back a promise means, has it confirmed, and does it. */
export async function takeBack(p: Payment): Promise<void> {
  const pay = await engine().pay()
  const title = t('pm.takeBackTitle', { amount: money(p.amount, p), name: nameOf(p.payee) })
  if (await pay.takesBackOffline(p.id)) return over((close) => <Sheet title={title} close={close}><Sure go={(offlinePin) => pay.takeBack(p.id, { offlinePin })} close={close} /></Sheet>)
  const proof = await askProof(title, t('pm.takeBackText'))
  if (proof) await pay.takeBack(p.id, proof).catch((error: unknown) => toast(whyPay(error)))
}

function Sure({ go, close }: { go: (pin: string) => Promise<void>; close: () => void }): JSX.Element {
  const [pin, setPin] = useState('')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const take = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!isPin(pin) || state.busy) return
    setState({ busy: true })
    try { await go(pin); close() } catch (error) { setState({ failed: whyPay(error) }); setPin('') }
  }
  return (
    <form class="form" onSubmit={(e) => void take(e)}>
      <p>{t('pm.takeBackText')}</p>
      <Pin label={t('pm.pinOffline')} value={pin} change={setPin} focus wrong={state.failed} />
      <Button kind="p" wide submit disabled={!isPin(pin) || state.busy}>{t(state.busy ? 'busy' : 'pm.takeBack')}</Button>
      <Button kind="t" act={close}>{t('cancel')}</Button>
    </form>
  )
}
