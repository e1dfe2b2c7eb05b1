// Who had what: the lines of a bill, each with those who had it.
import type { JSX } from 'preact'
import type { JID } from '../../core/model.ts'
import type { Unit } from '../../core/pay.ts'
import { readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'

/** A line that is being written. */
export interface Line { name: string; text: string; who: JID[] }

const maxLines = 100

interface ItemsProps { lines: Line[]; change: (lines: Line[]) => void; people: { jid: JID; name: string }[]; unit: Unit }

/** Items edits the lines. */
export function Items({ lines, change, people, unit }: ItemsProps): JSX.Element {
  const set = (i: number, part: Partial<Line>): void => change(lines.map((line, j) => (j === i ? { ...line, ...part } : line)))
  return (
    <div class="items">
      {lines.map((line, i) => (
        <fieldset key={i} class="card flat">
          <legend class="vh">{t('pm.itemNo', { n: i + 1 })}</legend>
          <div class="item-in">
            <input dir="auto" maxLength={60} aria-label={t('pm.itemName')} placeholder={t('pm.itemName')} value={line.name} onInput={(e) => set(i, { name: e.currentTarget.value })} />
            <input class="exact" dir="ltr" inputMode="decimal" maxLength={20} aria-label={t('pm.itemPrice')} placeholder="0" aria-invalid={(line.text.trim() !== '' && readAmount(line.text, unit.exponent) === undefined) || undefined} value={line.text} onInput={(e) => set(i, { text: e.currentTarget.value })} />
          </div>
          <div class="chips wrap">
            {people.map((p) => {
              const has = line.who.includes(p.jid)
              return <button type="button" key={p.jid} class="chip" aria-pressed={has} onClick={() => set(i, { who: has ? line.who.filter((jid) => jid !== p.jid) : [...line.who, p.jid] })}><span dir="auto">{p.name}</span></button>
            })}
          </div>
        </fieldset>
      ))}
      <p class="small">{t('pm.itemsText')}</p>
      {lines.length < maxLines && <Button icon="plus" act={() => change([...lines, { name: '', text: '', who: people.map((p) => p.jid) }])}>{t('pm.itemMore')}</Button>}
    </div>
  )
}
