// Asking somebody for money: once or again and again, whole or in parts.
import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { chatPath, go, place } from '../../app/router.ts'
import { calledOf, contactOf, contacts, engine, nameOf } from '../../app/session.ts'
import type { JID } from '../../core/model.ts'
import { plainDigits } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { now } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Field, Switch } from '../../ui/controls.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { toast } from '../../ui/toast.tsx'
import { asked, type Asked } from './ask.ts'
import { Amount, tooLong, useAmount } from './fields.tsx'
import type { PageProps } from './index.tsx'

const dayMicros = 86_400_000_000
/** For how many days it can be paid. The service ends one of which nothing is said after 30, and each after 366. */
const spans = { day: 1, week: 7, month: 30, year: 365 } as const
const maxShown = 50
/** An account's address, as somebody types it. */
const address = /^[^\s@/]+@[^\s@/]+$/

/** RequestPage asks one person; `id` is their address, '' while nobody was chosen. `?amount=` and `?for=` fill it in. */
export function RequestPage({ id }: PageProps): JSX.Element {
  return (
    <>
      <PageHead title={t('pm.ask')} always up={id ? chatPath(id) : '/pay'} />
      <div class="scroll">{id ? <Form payer={id} /> : <Choose />}</div>
    </>
  )
}

/** Choose leads to the form for one of the contacts, or for an address that somebody was told, which stands at a path with their address behind it. */
export function Choose({ path = '/pay/request/' }: { path?: string }): JSX.Element {
  const [words, setWords] = useState('')
  const wanted = words.trim().toLocaleLowerCase()
  const found = contacts.value.filter((c) => calledOf(c).toLocaleLowerCase().includes(wanted) || c.jid.includes(wanted)).slice(0, maxShown)
  const other = address.test(wanted) && !found.some((c) => c.jid === wanted) ? wanted : undefined
  const to = (jid: JID): string => `${path}${encodeURIComponent(jid)}${place.value.query.size ? `?${place.value.query}` : ''}`
  return (
    <div class="page">
      <Field label={t('pm.who')} hint={t('pm.whoHint')} type="search" value={words} change={setWords} focus />
      <div class="card flat">
        {found.map((c) => <Peer key={c.jid} id={c.jid} name={calledOf(c)} under={c.jid} picture={c.avatar} href={to(c.jid)} />)}
        {other && <Peer id={other} name={other} href={to(other)} />}
        {!found.length && !other && <p class="small">{t('pm.nobody')}</p>}
      </div>
    </div>
  )
}

function Form({ payer }: { payer: JID }): JSX.Element {
  const wallet = useWallet()
  const sent = useRef<Asked>(undefined)
  const typed = useAmount(wallet, place.value.query.get('amount') ?? '', place.value.query.get('unit') ?? '')
  const [words, setWords] = useState(place.value.query.get('for') ?? '')
  const [partial, setPartial] = useState(false)
  const [span, setSpan] = useState<keyof typeof spans>('week')
  const [every, setEvery] = useState<'' | 'day' | 'week' | 'month'>('')
  const [times, setTimes] = useState('12')
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (state.busy || !typed.amount || tooLong(words)) return
    setState({ busy: true })
    const { amount, unit } = typed
    sent.current = asked(sent.current, (at) => ({
      payer, amount, unit: unit.code, for: words.trim(), partial, chat: payer, expires: at + spans[span] * dayMicros,
      ...(every ? { every, times: Math.min(60, Math.max(2, Math.round(Number(times)) || 2)) } : {}),
    }), now())
    try {
      await (await engine().pay()).ask('makeRequest', sent.current.draft)
      toast(t('pm.asked', { name: nameOf(payer) }))
      go(chatPath(payer), { replace: true })
    } catch (error) { setState({ failed: whyPay(error) }) }
  }
  return (
    <form class="page" onSubmit={(e) => void ask(e)}>
      <div class="face"><Avatar id={payer} name={nameOf(payer)} picture={contactOf(payer)?.avatar} /><h2 dir="auto">{nameOf(payer)}</h2><p dir="ltr">{payer}</p></div>
      <Amount label={t('pm.amount')} typed={typed} big focus />
      <Field label={t('pm.for')} value={words} change={setWords} limit={200} wrong={tooLong(words) ? t('pm.long') : undefined} />
      <div class="card flat"><Switch label={t('pm.partial')} hint={t('pm.partialText')} on={partial} change={setPartial} /></div>
      <Choice id="req-until" label={t('pm.until')} value={span} change={setSpan} answers={{ day: t('pm.aDay'), week: t('pm.aWeek'), month: t('pm.aMonth'), year: t('pm.aYear') }} />
      <Choice id="req-every" label={t('pm.every')} value={every} change={setEvery} answers={{ '': t('pm.once'), day: t('pm.eachDay'), week: t('pm.eachWeek'), month: t('pm.eachMonth') }} />
      {every && <Field label={t('pm.times')} value={times} change={(typed) => setTimes(plainDigits(typed).replace(/\D/g, ''))} limit={2} ltr digits />}
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!typed.amount || state.busy}>{t(state.busy ? 'busy' : 'pm.ask')}</Button>
    </form>
  )
}

interface ChoiceProps<T extends string> { id: string; label: string; value: T; change: (value: T) => void; answers: Record<T, string> }

/** Choice is one of a few, as a list that opens. */
export function Choice<T extends string>({ id, label, value, change, answers }: ChoiceProps<T>): JSX.Element {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => change(e.currentTarget.value as T)}>{Object.entries<string>(answers).map(([key, words]) => <option key={key} value={key}>{words}</option>)}</select>
    </div>
  )
}
