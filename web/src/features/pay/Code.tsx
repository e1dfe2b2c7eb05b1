// Our code: the one that others scan to pay us, with an amount or without, and the one that we show in a shop so that it can ask us.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { engine } from '../../app/session.ts'
import { writeCustomer } from '../../core/qr/customer.ts'
import { money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Busy, Button, Field } from '../../ui/controls.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { Amount, useAmount } from './fields.tsx'
import type { PageProps } from './index.tsx'
import { codeOf, keepShop, limits, shopOf, type Shop } from './shop.ts'
import { Tips } from './Tips.tsx'
import './pay.css'

/** CodePage shows our code. */
export function CodePage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  const account = engine().account()
  const [way, setWay] = useState<'paid' | 'shown'>('paid')
  const [shop, setShop] = useState<Shop>(() => shopOf(account))
  const typed = useAmount(wallet)
  const change = (part: Partial<Shop>): void => { const now = { ...shop, ...part }; setShop(now); keepShop(now) }
  return (
    <>
      <PageHead title={t('pm.code')} always up="/pay" />
      <div class="scroll"><div class="page">
        <Radios label={t('pm.codeWay')} hideLabel bar value={way} change={setWay} answers={[{ value: 'paid', label: t('pm.codePaid') }, { value: 'shown', label: t('pm.codeShown') }]} />
        <div class="card code print-me">
          <Avatar id={account.jid} name={account.name} picture={account.avatar} />
          <h2 dir="auto">{way === 'paid' ? shop.name : account.name}</h2>
          <small dir="ltr">{account.jid}</small>
          {way === 'shown' ? <Qr text={writeCustomer({ jid: account.jid, name: account.name })} label={t('pm.codeShownText')} /> : wallet ? <Drawn text={safely(() => codeOf(account.jid, shop, typed))} /> : wallet === null ? <p>{t('pm.noWallet')}</p> : <Busy />}
          {way === 'paid' && typed.amount !== undefined && <p class="sum"><b class="num">{money(typed.amount, { unit: typed.unit.code, exponent: typed.unit.exponent })}</b></p>}
          <p>{t(way === 'shown' ? 'pm.codeShownText' : 'pm.codePaidText')}</p>
        </div>
        {way === 'paid' && (
          <>
            <Amount label={t('pm.codeAmount')} typed={typed} optional hint={t('pm.codeAmountText')} />
            <details class="more"><summary>{t('pm.shop')}</summary>
              <div class="form">
                <Field label={t('pm.shopName')} value={shop.name} change={(name) => change({ name })} limit={limits.name} />
                <Field label={t('pm.shopCity')} value={shop.city} change={(city) => change({ city })} limit={limits.city} />
                <Field label={t('pm.shopCountry')} value={shop.country} change={(country) => change({ country: country.toUpperCase().replace(/[^A-Z]/g, '').slice(0, 2) })} limit={2} ltr />
                <Tips tip={shop.tip} change={(tip) => change({ tip })} />
              </div>
            </details>
            <div class="dos"><Button act={() => print()}>{t('pm.print')}</Button></div>
          </>
        )}
      </div></div>
    </>
  )
}

function Drawn({ text }: { text: string | undefined }): JSX.Element {
  return text ? <div data-code={text}><Qr text={text} label={t('pm.codePaidText')} /></div> : <p class="wrong" role="alert">{t('pm.codeNot')}</p>
}

/** What cannot be a code (an address that is too long, a country that is none) is none. */
export function safely(write: () => string): string | undefined {
  try { return write() } catch { return undefined }
}
