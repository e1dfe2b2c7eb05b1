// A bill that a group pays together: how much, who, and how it is divided. Each then gets a request over their part.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { whyPay } from '../../app/pay.ts'
import { chatPath, go } from '../../app/router.ts'
import { chatOf, contactOf, engine, nameOf } from '../../app/session.ts'
import type { JID } from '../../core/model.ts'
import { newPayId, type Split, type SplitShare } from '../../core/pay.ts'
import { money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Field } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { Amount, tooLong, useAmount, type Typed } from './fields.tsx'
import { Items, type Line } from './Items.tsx'
import type { PageProps } from './index.tsx'
import { byItems, byParts, equal, sum } from './share.ts'

/** No bill has more people. */
export const maxPeople = 100

/** SplitPage divides a bill in the group `id`. */
export function SplitPage({ id: group }: PageProps): JSX.Element {
  const people = useMembers(group)
  return (
    <>
      <PageHead title={t('pm.split')} always up={chatPath(group)} />
      <div class="scroll">{people ? <Form group={group} people={people} /> : <div class="blank" />}</div>
    </>
  )
}

/** Who is in the group, at most 100, ourselves first. */
function useMembers(group: JID): { jid: JID; name: string }[] | undefined {
  const [people, setPeople] = useState<{ jid: JID; name: string }[]>()
  useEffect(() => {
    const me = engine().account().jid
    void engine().members(group, { limit: maxPeople }).then(({ members }) => {
      const others = members.filter((m) => m.jid !== me && m.jid.includes('@') && !m.jid.includes('/')).map((m) => ({ jid: m.jid, name: nameOf(m.jid) }))
      setPeople([{ jid: me, name: t('pm.you') }, ...others.sort((a, b) => a.name.localeCompare(b.name))])
    })
  }, [group])
  return people
}

function Form({ group, people }: { group: JID; people: { jid: JID; name: string }[] }): JSX.Element {
  const wallet = useWallet()
  const [id] = useState(newPayId)
  const typed = useAmount(wallet)
  const [words, setWords] = useState('')
  const [by, setBy] = useState<Split['by']>('equal')
  const [out, setOut] = useState<JID[]>([])
  const [parts, setParts] = useState<Record<JID, number>>({})
  const [exact, setExact] = useState<Record<JID, string>>({})
  const [lines, setLines] = useState<Line[]>([{ name: '', text: '', who: people.map((p) => p.jid) }])
  const [state, setState] = useState<{ busy?: boolean; failed?: string }>({})
  const payers = people.filter((p) => !out.includes(p.jid))
  const shares = divided({ by, typed, payers: payers.map((p) => p.jid), parts, exact, lines })
  const left = typed.amount === undefined ? undefined : typed.amount - sum(shares?.map((s) => s.amount) ?? [])
  const me = engine().account().jid
  const paying = shares?.filter((s) => s.amount > 0) ?? []
  const complete = typed.amount !== undefined && left === 0 && paying.some((s) => s.jid !== me) && !tooLong(words)
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (!complete || state.busy || typed.amount === undefined) return
    setState({ busy: true })
    try {
      await (await engine().pay()).makeSplit({ id, group, payee: me, total: typed.amount, unit: typed.unit.code, exponent: typed.unit.exponent, for: words.trim(), by, shares: paying })
      go(chatPath(group), { replace: true })
    } catch (error) { setState({ failed: whyPay(error) }) }
  }
  const toggle = (jid: JID): void => setOut(out.includes(jid) ? out.filter((one) => one !== jid) : [...out, jid])
  const shareOf = (jid: JID): number => shares?.find((s) => s.jid === jid)?.amount ?? 0
  return (
    <form class="page" onSubmit={(e) => void make(e)}>
      <p class="mid" dir="auto">{chatOf(group)?.name ?? group}</p>
      <Amount label={t('pm.total')} typed={typed} big focus />
      <Field label={t('pm.forBill')} value={words} change={setWords} limit={200} wrong={tooLong(words) ? t('pm.long') : undefined} />
      <Radios label={t('pm.how')} bar value={by} change={setBy} answers={[{ value: 'equal', label: t('pm.equal') }, { value: 'shares', label: t('pm.shares') }, { value: 'exact', label: t('pm.exact') }, { value: 'items', label: t('pm.items') }]} />
      {by === 'items' && <Items lines={lines} change={setLines} people={payers} unit={typed.unit} />}
      <ul class="card flat shares" aria-label={t('pm.whoPays')}>
        {people.map((p) => {
          const inside = !out.includes(p.jid)
          return (
            <li key={p.jid}>
              <label class="check"><input type="checkbox" checked={inside} onChange={() => toggle(p.jid)} /><Avatar id={p.jid} name={p.name} picture={p.jid === me ? engine().account().avatar : contactOf(p.jid)?.avatar} size="s" /><span class="cut" dir="auto">{p.name}</span></label>
              {inside && by === 'shares' && <Stepper name={p.name} value={parts[p.jid] ?? 1} change={(n) => setParts({ ...parts, [p.jid]: n })} />}
              {inside && by === 'exact'
                ? <input class="exact" inputMode="decimal" dir="ltr" maxLength={20} placeholder="0" aria-label={t('pm.partOf', { name: p.name })} value={exact[p.jid] ?? ''} onInput={(e) => setExact({ ...exact, [p.jid]: e.currentTarget.value })} />
                : <b class="num">{inside && typed.amount !== undefined ? money(shareOf(p.jid), { unit: typed.unit.code, exponent: typed.unit.exponent }) : '–'}</b>}
            </li>
          )
        })}
      </ul>
      <p class="small" role="status">{saidOf(left, typed, payers.length)}</p>
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
      <Button kind="p" wide submit disabled={!complete || state.busy}>{t(state.busy ? 'busy' : 'pm.splitDo')}</Button>
    </form>
  )
}

function saidOf(left: number | undefined, { unit }: Typed, people: number): string {
  if (left === undefined) return ''
  if (people < 2) return t('pm.needTwo')
  if (left === 0) return t('pm.addsUp')
  return t(left > 0 ? 'pm.left' : 'pm.over', { amount: money(Math.abs(left), { unit: unit.code, exponent: unit.exponent }) })
}

interface Dividing { by: Split['by']; typed: Typed; payers: JID[]; parts: Record<JID, number>; exact: Record<JID, string>; lines: Line[] }

/** Whose part is how much; undefined while there is nothing to divide. */
function divided({ by, typed: { amount, unit }, payers, parts, exact, lines }: Dividing): SplitShare[] | undefined {
  if (amount === undefined) return undefined
  const of = (amounts: number[]): SplitShare[] => payers.map((jid, i) => ({ jid, amount: amounts[i] ?? 0, items: [] }))
  if (by === 'equal') return of(equal(amount, payers.length))
  if (by === 'exact') return of(payers.map((jid) => readAmount(exact[jid] ?? '', unit.exponent) ?? 0))
  if (by === 'items') return byItems(amount, payers, lines.map(({ name, text, who }) => ({ name: name.trim(), amount: readAmount(text, unit.exponent) ?? 0, who })))
  return of(byParts(amount, payers.map((jid) => parts[jid] ?? 1))).map((share) => ({ ...share, parts: parts[share.jid] ?? 1 }))
}

const maxParts = 99

function Stepper({ name, value, change }: { name: string; value: number; change: (n: number) => void }): JSX.Element {
  return (
    <span class="stepper" role="group" aria-label={t('pm.partsOf', { name })}>
      <button type="button" aria-label={t('pm.less')} disabled={value < 1} onClick={() => change(value - 1)}>−</button>
      <b class="num" aria-live="polite">{value}</b>
      <button type="button" aria-label={t('pm.more')} disabled={value >= maxParts} onClick={() => change(value + 1)}>+</button>
    </span>
  )
}
