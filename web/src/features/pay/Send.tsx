// Paying somebody: how much and what for. What it costs, warnings and the PIN come with the sheet behind it.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { payNow } from '../../app/pay.ts'
import { chatPath, go, place } from '../../app/router.ts'
import { connection, contactOf, engine, nameOf } from '../../app/session.ts'
import type { JID } from '../../core/model.ts'
import { newPayId, type Pay, type Wallet } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Banner, Button, Empty, Field } from '../../ui/controls.tsx'
import { Amount, tooLong, useAmount, wrongAmount } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { Choose } from './Request.tsx'

/** SendPage pays the person `id`, '' while nobody was chosen; `?amount=`, `?unit=` and `?for=` fill it in. */
export function SendPage({ id }: PageProps): JSX.Element {
  const wallet = useWallet()
  const none = useNone(wallet === null && connection.value.state === 'live', id)
  return (
    <>
      <PageHead title={t('pay.send')} always up={id ? chatPath(id) : '/pay'} />
      <div class="scroll">{!id ? <Choose path="/pay/to/" /> : none ? <Empty title={t('pay.none')} text={t('pay.noneText')} /> : <Form payee={id} wallet={wallet} />}</div>
    </>
  )
}

/** useNone is whether there is no service, asked where nothing is known of a wallet. What somebody types meanwhile stays: mostly it is on its way. */
function useNone(unknown: boolean, payee: JID): boolean {
  const [none, setNone] = useState(false)
  useEffect(() => {
    setNone(false)
    if (unknown) engine().pay().then((pay) => pay.ask('wallet')).catch(() => setNone(true))
  }, [unknown, payee])
  return none
}

function Form({ payee, wallet }: { payee: JID; wallet: Wallet | null | undefined }): JSX.Element {
  const { query } = place.value
  const [id] = useState(newPayId)
  const typed = useAmount(wallet, query.get('amount') ?? '', query.get('unit') ?? '')
  const [words, setWords] = useState(query.get('for') ?? '')
  const [busy, setBusy] = useState(false)
  const balance = wallet?.balances.find((b) => b.unit === typed.unit.code)
  const against = wrongAmount(typed, wallet)
  const pay = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!typed.amount || !typed.unit.code || busy || tooLong(words)) return
    setBusy(true)
    const of = query.get('of')
    try {
      const made = await payNow({ id, kind: 'send', payee, amount: typed.amount, unit: typed.unit.code, for: words.trim(), chat: payee, ...(of ? { of } : {}) })
      if (made) go(chatPath(payee), { replace: true })
    } finally { setBusy(false) }
  }
  return (
    <form class="page" onSubmit={(e) => void pay(e)}>
      <div class="face"><Avatar id={payee} name={nameOf(payee)} picture={contactOf(payee)?.avatar} /><h2 dir="auto">{nameOf(payee)}</h2><p dir="ltr">{payee}</p></div>
      {wallet?.frozen && <Banner kind="bad" icon="lock" title={t('pay.frozen')} text={t('pay.frozenText')} action={{ label: t('pay.wallet'), act: () => go('/pay') }} />}
      {connection.value.state !== 'live' && <Offline />}
      <Amount label={t('pay.amount')} typed={typed} big focus {...(balance ? { hint: t('pay.have', { amount: money(balance.amount, { unit: typed.unit.code, exponent: typed.unit.exponent }) }) } : {})} />
      {against && <p class="wrong" role="alert">{against}</p>}
      <Field label={t('pay.for')} value={words} change={setWords} limit={200} wrong={tooLong(words) ? t('pay.forLong') : undefined} />
      {typed.unit.closed && <p class="small">{t('pay.closedUnit', { unit: typed.unit.name })}</p>}
      <Button kind="p" wide submit disabled={!typed.amount || !typed.unit.code || !!against || busy || wallet?.frozen}>{t('pay.next')}</Button>
      <div class="dos mid"><Button kind="t" act={() => go(`/pay/request/${encodeURIComponent(payee)}`)}>{t('pay.askInstead')}</Button></div>
    </form>
  )
}

/** Without a connection a passkey signs all the same; a PIN needs the service, but for the pocket. */
function Offline(): JSX.Element {
  const [device, setDevice] = useState<Awaited<ReturnType<Pay['device']>>>()
  useEffect(() => { engine().pay().then((pay) => pay.device()).then(setDevice, () => undefined) }, [])
  return <Banner icon="wifiOff" title={t('pay.offline')} text={t(device?.key === 'passkey' ? 'pay.offlineSigns' : 'pay.offlinePin')} {...(device?.offline ? { action: { label: t('pay.offlineDo'), act: () => go('/pay/offline') } } : {})} />
}
