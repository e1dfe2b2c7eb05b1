// What the pages of payments ask for: an amount in a unit.
import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { unitOf } from '../../app/paid.ts'
import type { Unit, Wallet } from '../../core/pay.ts'
import { readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
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
