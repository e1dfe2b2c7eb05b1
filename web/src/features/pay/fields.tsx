// What the pages of payments ask for: an amount in a unit.
import type { JSX } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { unitOf } from '../../app/paid.ts'
import type { Unit, Wallet } from '../../core/pay.ts'
import { money, plainDigits, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Field } from '../../ui/controls.tsx'
import './pay.css'

/** An amount that is being typed: what stands there, the unit, and what it means; undefined while it means nothing. `other` is a unit that was asked for and that the wallet does not have. */
export interface Typed { other?: string; text: string; unit: Unit; amount: number | undefined; set: (text: string | ((was: string) => string)) => void; choose: (code: string) => void; units: Unit[] }

const none: Unit = { code: '', exponent: 0, name: '', closed: false }

/** useAmount keeps an amount, in the unit that the wallet has most of at first. */
export function useAmount(wallet: Wallet | null | undefined, begin = '', unit = ''): Typed {
  const [text, set] = useState(begin)
  const [code, choose] = useState(unit)
  const units = wallet?.about.units ?? []
  const first = [...(wallet?.balances ?? [])].sort((a, b) => b.amount - a.amount)[0]?.unit ?? units[0]?.code ?? ''
  const chosen = unitOf(wallet, code || first)
  return { text, unit: chosen ?? none, amount: chosen && readAmount(text, chosen.exponent), set, choose, units, ...(wallet && code && !chosen ? { other: code } : {}) }
}

interface AmountProps { label: string; typed: Typed; hint?: string; big?: boolean; focus?: boolean; optional?: boolean }

/** Amount asks for an amount, and for its unit where there are several; what cannot be one is said below. */
export function Amount({ label, typed, hint, big, focus, optional }: AmountProps): JSX.Element {
  const id = useId()
  const wrong = typed.text.trim() !== '' && typed.unit.code !== '' && typed.amount === undefined
  return (
    <div class={`field amount${big ? ' big' : ''}`}>
      <label for={id}>{label}</label>
      <div class="amount-in">
        <input id={id} inputMode="decimal" autocomplete="off" dir="ltr" maxLength={20} placeholder="0" value={typed.text} required={!optional} autofocus={focus} aria-invalid={wrong || undefined} aria-describedby={wrong ? `${id}w` : hint ? `${id}h` : undefined} onInput={(e) => typed.set(e.currentTarget.value)} />
        {typed.units.length > 1
          ? <select aria-label={t('pm.unit')} value={typed.unit.code} onChange={(e) => typed.choose(e.currentTarget.value)}>{typed.units.map((u) => <option key={u.code} value={u.code}>{u.code}</option>)}</select>
          : <span class="unit">{typed.unit.code}</span>}
      </div>
      {hint && <span class="hint" id={`${id}h`}>{hint}</span>}
      {typed.other && <span class="wrong" role="alert">{t('pm.unitOther', { unit: typed.other })}</span>}
      {wrong && <span class="wrong" id={`${id}w`} role="alert">{t('pm.amountWrong')}</span>}
    </div>
  )
}

const maxWords = 256

/** tooLong is whether words have more than the 256 bytes that an intent may say. */
export const tooLong = (words: string): boolean => new TextEncoder().encode(words).length > maxWords

/** What may be a PIN: 6 to 12 digits. */
export const isPin = (pin: string): boolean => /^\d{6,12}$/.test(pin)

interface PinProps { label: string; hint?: string; value: string; change: (pin: string) => void; wrong?: string | undefined; focus?: boolean }

/** Pin asks for a PIN, which is the same with the digits of each keyboard; blanks that are pasted with it are left out. */
export function Pin({ label, hint, value, change, wrong, focus = false }: PinProps): JSX.Element {
  return <Field label={label} {...(hint ? { hint } : {})} type="password" value={value} change={(typed) => change(plainDigits(typed).replace(/\s/g, ''))} limit={12} required ltr digits focus={focus} wrong={wrong} />
}

interface NewPinProps { label: string; hint: string; change: (pin: string | undefined) => void }

/** NewPin asks for a new PIN, twice; `change` gets it once both fields have it. */
export function NewPin({ label, hint, change }: NewPinProps): JSX.Element {
  const [pin, setPin] = useState('')
  const [second, setSecond] = useState('')
  const fits = isPin(pin) && pin === second
  useEffect(() => change(fits ? pin : undefined), [fits, pin])
  return (
    <>
      <Pin label={label} hint={hint} value={pin} change={setPin} wrong={/\D/.test(pin) ? t('pc.pinWrong') : undefined} />
      <Pin label={t('pc.pinAgain')} value={second} change={setSecond} wrong={second !== '' && second.length >= pin.length && second !== pin ? t('pc.pinOther') : undefined} />
    </>
  )
}

/** wrongAmount is what is wrong with an amount before anybody was asked; undefined: nothing. */
export function wrongAmount({ amount, unit }: Typed, wallet: Wallet | null | undefined): string | undefined {
  const balance = wallet?.balances.find((b) => b.unit === unit.code)
  const limit = wallet?.limits.find((l) => l.unit === unit.code)
  const say = (n: number): string => money(n, { unit: unit.code, exponent: unit.exponent })
  if (amount === undefined || !wallet) return undefined
  if (amount > (balance?.amount ?? 0)) return t('pay.tooMuch', { amount: say(balance?.amount ?? 0) })
  if (limit?.transaction !== undefined && amount > limit.transaction) return t('pay.overOnce', { amount: say(limit.transaction) })
  if (limit?.left !== undefined && amount > limit.left) return t('pay.overDay', { amount: say(limit.left) })
  return undefined
}
