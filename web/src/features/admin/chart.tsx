// Small charts of a figure over time: a line, what it is now, and the same as a table for who does not see lines.
import type { JSX } from 'preact'
import { t } from '../../i18n/t.ts'
import { clock } from '../../i18n/when.ts'

type Values = readonly (number | null)[]

const width = 120
const height = 36
const rows = 12

interface ChartProps {
  title: string
  values: Values
  /** Seconds between two values, and when the last was taken (microseconds). */
  every: number
  at: number
  /** Writes a value. */
  show: (value: number) => string
  /** A second line, drawn fainter, with its name. */
  other?: { title: string; values: Values }
}

/** Chart shows a figure. The line is scaled to its own largest value; gaps stay gaps. */
export function Chart({ title, values, every, at, show, other }: ChartProps): JSX.Element {
  const seen = values.filter((v) => v !== null)
  const last = values.findLast((v) => v !== null) ?? null
  const top = Math.max(...seen, ...(other?.values.filter((v) => v !== null) ?? []), 0)
  const label = seen.length ? t('adm.range', { low: show(Math.min(...seen)), high: show(Math.max(...seen)) }) : t('adm.noFigures')
  return (
    <figure class="fig">
      <figcaption><span>{title}</span><b class="num">{last === null ? '–' : show(last)}</b></figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${title}: ${label}`}>
        <path class="area" d={area(values, top)} />
        {other && <path class="line two" d={line(other.values, top)} />}
        <path class="line" d={line(values, top)} />
      </svg>
      <small>{label}{other && <> · <i class="dash" />{other.title}</>}</small>
      <Numbers title={title} values={values} every={every} at={at} show={show} other={other} />
    </figure>
  )
}

function Numbers({ title, values, every, at, show, other }: ChartProps): JSX.Element {
  const step = Math.max(1, Math.floor(values.length / rows))
  const picked = values.map((_, i) => i).filter((i) => (values.length - 1 - i) % step === 0).reverse()
  const text = (v: number | null | undefined): string => (v === null || v === undefined ? '–' : show(v))
  return (
    <details class="numbers-of">
      <summary>{t('adm.asTable')}<span class="vh"> {title}</span></summary>
      <table>
        <caption class="vh">{title}</caption>
        <thead><tr><th scope="col">{t('adm.time')}</th><th scope="col">{title}</th>{other && <th scope="col">{other.title}</th>}</tr></thead>
        <tbody>{picked.map((i) => (
          <tr key={i}><th scope="row">{clock(at - (values.length - 1 - i) * every * 1e6)}</th><td>{text(values[i])}</td>{other && <td>{text(other.values[i])}</td>}</tr>
        ))}</tbody>
      </table>
    </details>
  )
}

const x = (i: number, n: number): number => round(n < 2 ? width : (i / (n - 1)) * width)
const y = (value: number, top: number): number => round(height - 2 - (top > 0 ? value / top : 0) * (height - 4))
const round = (n: number): number => Math.round(n * 10) / 10

/** line is the path through the values; a value that is alone is a short dash. */
export function line(values: Values, top: number): string {
  let path = ''
  values.forEach((v, i) => {
    if (v === null) return
    const joined = i > 0 && values[i - 1] !== null
    path += `${joined ? 'L' : 'M'}${x(i, values.length)} ${y(v, top)}`
    if (!joined && (values[i + 1] ?? null) === null) path += 'h1'
  })
  return path
}

/** area is what lies below the line. */
function area(values: Values, top: number): string {
  let path = ''
  for (let i = 0; i < values.length; i++) {
    if ((values[i] ?? null) === null) continue
    const from = i
    while (i + 1 < values.length && (values[i + 1] ?? null) !== null) i++
    const points = values.slice(from, i + 1).map((v, j) => `L${x(from + j, values.length)} ${y(v ?? 0, top)}`).join('')
    path += `M${x(from, values.length)} ${height}${points}L${x(i, values.length)} ${height}Z`
  }
  return path
}
