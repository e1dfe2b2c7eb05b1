// One transfer with a network outside: what became of it, asking anew, saying what it is when nobody knows, and sending back what came in. The last two need a second administrator.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Facts } from '../../core/engine.ts'
import { money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { admin, attempt, useAnswer } from './load.ts'
import { at, sum, word, type Units } from './Money.tsx'
import { railStates, ways } from './railWords.ts'
import { Waiting } from './Waiting.tsx'

const longest = 200

interface TransferProps { id: string; units: Units; close: () => void; changed: () => void }

/** Transfer shows one, with whom it is about. */
export function Transfer({ id, units, close, changed }: TransferProps): JSX.Element {
  const answer = useAnswer(() => admin('transfer', id), [id])
  const f = answer.value?.facts
  return (
    <Sheet title={f ? `${word(ways, f['kind'])}: ${sum(units, f['amount'], f['unit'])}` : t('adm.details')} close={close}>
      <div class="sheet-in">
        <Waiting answer={answer} />
        {f && <>
          <dl class="facts">{rowsOf(f, units).map(([label, text]) => text && <><dt>{label}</dt><dd><bdi dir="auto">{text}</bdi></dd></>)}</dl>
          <h3>{t('adm.became')}</h3>
          <ol class="became">{answer.value?.steps.map((s, i) => <li key={i}><b>{word(railStates, s['state'])}</b> <small>{at(s['at'])}</small>{s['words'] && <p dir="auto">{s['words']}</p>}</li>)}</ol>
          <div class="dos">
            <Button kind="s" icon="refresh" act={() => void attempt(admin('askRail', id), t('adm.asked')).then(() => { answer.reload(); changed() })}>{t('adm.askNow')}</Button>
            {f['state'] === 'unknown' && <Button kind="g" act={() => { close(); void over((done) => <Say transfer={f} units={units} close={done} made={changed} />) }}>{t('adm.say')}</Button>}
            {f['kind'] === 'in' && f['state'] === 'settled' && <Button kind="g" act={() => { close(); void over((done) => <SendBack transfer={f} units={units} close={done} />) }}>{t('adm.sendBack')}</Button>}
          </div>
        </>}
        <Button kind="t" wide act={close}>{t('close')}</Button>
      </div>
    </Sheet>
  )
}

const rowsOf = (f: Facts, units: Units): [string, string | undefined][] => {
  const amount = (name: string): string | undefined => f[name] && sum(units, f[name], f['unit'])
  return [
    [t('adm.state'), word(railStates, f['state'])], [t('adm.why'), f['why']], [t('adm.account'), f['account']], [t('adm.there'), f['address']], [t('adm.reference'), f['reference']], [t('adm.id'), f['id']],
    [t('adm.feesTaken'), amount('fee')], [t('adm.moved'), amount('moved')], [t('adm.returned'), amount('returned')], [t('adm.sentBack'), amount('refunded')], [t('adm.owed'), amount('owed')], [t('adm.cost'), amount('cost')],
    [t('adm.begun'), at(f['created'])], [t('adm.settledAt'), at(f['settled'])],
  ]
}

interface SayProps { transfer: Facts; units: Units; close: () => void; made: () => void }

/** Say proposes what became of a transfer that nobody knows of. */
export function Say({ transfer: f, units, close, made }: SayProps): JSX.Element {
  const [state, setState] = useState<'settled' | 'rejected'>('settled')
  const [typed, setTyped] = useState('')
  const [why, setWhy] = useState('')
  const unit = f['unit'] ?? ''
  const amount = readAmount(typed, units[unit] ?? 0)
  const fits = why.trim() !== '' && (typed.trim() === '' || amount !== undefined)
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (fits && await attempt(admin('propound', { id: f['id'] ?? '', state, why: why.trim(), ...(state === 'settled' && amount ? { amount } : {}) }), t('adm.proposed'))) { made(); close() }
  }
  return (
    <Sheet title={t('adm.say')} close={close}>
      <form class="form" onSubmit={(e) => void send(e)}>
        <p class="small">{t('adm.sayText')}</p>
        <Radios label={t('adm.became')} value={state} change={setState} answers={[{ value: 'settled', label: t('adm.verSettled') }, { value: 'rejected', label: t('adm.verRejected') }]} />
        {state === 'settled' && <Field label={`${t('adm.amount')} (${unit})`} hint={t('adm.amountAsked', { amount: sum(units, f['amount'], unit) })} value={typed} change={setTyped} limit={24} ltr wrong={typed.trim() && amount === undefined ? t('adm.amountWrong') : undefined} />}
        <Field label={t('adm.why')} value={why} change={setWhy} limit={longest} required />
        <Button kind="p" wide submit disabled={!fits}>{t('adm.propose')}</Button>
      </form>
      <Button kind="t" wide act={close}>{t('close')}</Button>
    </Sheet>
  )
}

const msOfWeek = 604_800_000
/** The service keeps 200 that wait, in pages of 50. */
const maxPages = 4

/** waiting is how much of what came in is proposed to be sent back already, by what can still be approved. */
async function waiting(of: string): Promise<number> {
  let found = 0, before: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const { more, rows } = await admin('office', 'proposals', before ? { before } : {})
    for (const p of rows) if (p['kind'] === 'refund' && p['of'] === of && Date.now() - Date.parse(p['at'] ?? '') < msOfWeek) found += Number(p['amount'] ?? 0)
    before = rows.at(-1)?.['id']
    if (!more || !before) break
  }
  return found
}

/** SendBack proposes that what came in goes back by the way that it came. */
function SendBack({ transfer: f, units, close }: Omit<SayProps, 'made'>): JSX.Element {
  const [typed, setTyped] = useState('')
  const [why, setWhy] = useState('')
  const unit = f['unit'] ?? ''
  const answer = useAnswer(() => waiting(f['id'] ?? ''), [f['id']])
  const proposed = answer.value ?? 0
  const left = Math.max(0, Number(f['moved'] ?? 0) - Number(f['returned'] ?? 0) - Number(f['refunded'] ?? 0) - proposed)
  const amount = readAmount(typed, units[unit] ?? 0)
  const wrong = typed.trim() !== '' && (amount === undefined || amount > left)
  const ready = answer.value !== undefined && left > 0 && !wrong && why.trim() !== ''
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (ready && await attempt(admin('propose', { kind: 'refund', of: f['id'] ?? '', why: why.trim(), ...(amount ? { amount, unit } : {}) }), t('adm.proposed'))) close()
  }
  return (
    <Sheet title={t('adm.sendBack')} close={close}>
      <form class="form" onSubmit={(e) => void send(e)}>
        <p class="small">{t('adm.sendBackText')}</p>
        <Waiting answer={answer} />
        {proposed > 0 && <p role="status">{t('adm.backWaits', { amount: money(proposed, { unit, exponent: units[unit] ?? 0 }) })}</p>}
        <Field label={`${t('adm.amount')} (${unit})`} hint={t('adm.allOf', { amount: money(left, { unit, exponent: units[unit] ?? 0 }) })} value={typed} change={setTyped} limit={24} ltr wrong={wrong ? t('adm.amountWrong') : undefined} />
        <Field label={t('adm.why')} value={why} change={setWhy} limit={longest} required />
        <Button kind="p" wide submit disabled={!ready}>{t('adm.propose')}</Button>
      </form>
      <Button kind="t" wide act={close}>{t('close')}</Button>
    </Sheet>
  )
}
