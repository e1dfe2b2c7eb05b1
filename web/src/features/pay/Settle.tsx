// Settling up in a group: the transfers after which nobody owes anybody anything, and fewer of them when all have agreed to it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { unitOf, useWallet } from '../../app/paid.ts'
import { askProof, payNow, whyPay } from '../../app/pay.ts'
import { chatPath, go } from '../../app/router.ts'
import { chatOf, engine, nameOf } from '../../app/session.ts'
import { newPayId, type Debt } from '../../core/pay.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button, Empty, Pill } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import type { PageProps } from './index.tsx'
import './pay.css'

/** SettlePage shows who owes whom in the group `id`, and pays what we owe. */
export function SettlePage({ id: group }: PageProps): JSX.Element {
  const wallet = useWallet()
  const [chosen, setChosen] = useState('')
  const units = wallet?.about.units ?? []
  const { code: unit, exponent } = unitOf(wallet, chosen || (wallet?.balances[0]?.unit ?? '')) ?? units[0] ?? { code: '', exponent: 0 }
  const asked = useAsked(async () => (unit ? (await engine().pay()).ask('debts', group, unit) : []), [unit], whyPay)
  const me = engine().account().jid
  const called = (jid: string): string => (jid === me ? t('pm.you') : nameOf(jid))
  const pay = async ({ id, to, amount: all, once: amount = all }: Debt): Promise<void> => {
    if (await payNow({ id: newPayId(), kind: 'send', payee: to, amount, unit, ...(id ? { of: id } : {}), for: t('pm.settleFor', { group: chatOf(group)?.name ?? '' }).slice(0, 60), chat: group })) go(chatPath(group))
  }
  const agree = async (debts: Debt[]): Promise<void> => {
    const proof = await askProof(t('pm.agreeProof'))
    if (!proof) return
    try { await (await engine().pay()).order({ kind: 'agree', group, unit, debts }, proof) } catch (error) { toast(whyPay(error)) }
    asked.again()
  }
  return (
    <>
      <PageHead title={t('pm.settle')} always up={chatPath(group)} />
      <div class="scroll"><div class="page">
        {Boolean(asked.value?.length) && <p>{t('pm.settleText')}</p>}
        {units.length > 1 && <div class="chips wrap">{units.map((u) => <button type="button" key={u.code} class="chip" aria-pressed={u.code === unit} onClick={() => setChosen(u.code)}>{u.code}</button>)}</div>}
        {!asked.value ? <Waiting asked={asked} /> : !asked.value.length ? <Empty title={t('pm.settled')} text={t('pm.settledText')} />
          : <ul class="card flat debts">{asked.value.map((debt) => (
            <li key={`${debt.from} ${debt.to}`}>
              <span class="grow"><b dir="auto">{called(debt.from)}</b> <span aria-hidden="true" class="arrow">→</span><span class="vh"> {t('pm.owes')} </span> <b dir="auto">{called(debt.to)}</b></span>
              <Pill kind={debt.from === me ? 'wait' : 'info'}><span class="num">{money(debt.amount, { unit, exponent })}</span></Pill>
              {debt.from === me && <Button kind="p" act={() => void pay(debt)}>{t('pm.payIt')}</Button>}
            </li>
          ))}</ul>}
        {asked.value?.some((debt) => debt.agree) && <><p class="small">{t('pm.agreeText')}</p><Button act={() => void agree(asked.value ?? [])}>{t('pm.agree')}</Button></>}
      </div></div>
    </>
  )
}
