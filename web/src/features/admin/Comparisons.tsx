// Comparisons of our list with a network's: one each night, and one of a day when somebody wants it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Facts } from '../../core/engine.ts'
import { t } from '../../i18n/t.ts'
import { utcDay } from '../../i18n/when.ts'
import { Button, Field, Pill } from '../../ui/controls.tsx'
import { admin, attempt, num, useAnswer } from './load.ts'
import { at, Rows, sum, word, type Units } from './Money.tsx'
import { differs } from './railWords.ts'
import { Waiting } from './Waiting.tsx'

const msOfDay = 86_400_000

/** Comparisons lists them; each opens to what it has found. */
export function Comparisons({ rail, units, changed }: { rail: string; units: Units; changed: () => void }): JSX.Element {
  const [before, setBefore] = useState<string>()
  const latest = new Date(Date.now() - msOfDay).toISOString().slice(0, 10) // a day that is not over differs by what is on its way
  const [day, setDay] = useState(latest)
  const [busy, setBusy] = useState(false)
  const answer = useAnswer(() => admin('comparisons', { rail, ...(before ? { before } : {}) }), [before])
  const early = !!utcDay(day) && day.trim() > latest
  const wrong = !utcDay(day) || early
  const compare = async (event: Event): Promise<void> => {
    event.preventDefault()
    const typed = utcDay(day)
    if (!typed || wrong || busy) return
    setBusy(true)
    if (await attempt(admin('compare', rail, typed.slice(0, 10)), t('adm.compared'))) { answer.reload(); changed() }
    setBusy(false)
  }
  return (
    <section class="card">
      <h2>{t('adm.comparisons')}</h2>
      <p class="small">{t('adm.comparisonsText')}</p>
      <form class="form" onSubmit={(e) => void compare(e)}>
        <Field label={t('adm.compareDay')} value={day} change={setDay} limit={10} ltr wrong={early ? t('adm.dayNotOver', { day: latest }) : day.trim() && wrong ? t('adm.dayWrong') : undefined} />
        <Button kind="s" submit disabled={wrong || busy}>{t(busy ? 'busy' : 'adm.compareNow')}</Button>
      </form>
      <Rows answer={answer} none={t('adm.noComparisons')}>{(c) => <Comparison key={c['number']} comparison={c} units={units} />}</Rows>
      {answer.value?.more && <Button kind="g" wide act={() => setBefore(answer.value?.rows.at(-1)?.['number'])}>{t('adm.older')}</Button>}
      {before && <Button kind="t" wide act={() => setBefore(undefined)}>{t('adm.newest')}</Button>}
    </section>
  )
}

function Comparison({ comparison: c, units }: { comparison: Facts; units: Units }): JSX.Element {
  const [open, setOpen] = useState(false)
  const found = Number(c['differences'] ?? 0)
  return (
    <article class="report" aria-label={c['since']?.slice(0, 10)}>
      <p><b><bdi dir="ltr">{c['since']?.slice(0, 10)}</bdi></b> <Pill kind={found ? 'bad' : 'ok'}>{found ? t('adm.differences', { n: num(found) }) : t('adm.noDifference')}</Pill> <small>{t('adm.lines', { n: num(Number(c['lines'] ?? 0)) })} · <bdi>{at(new Date(Number(c['number'] ?? 0) / 1000).toISOString())}</bdi></small></p>
      {found > 0 && <Button kind="t" act={() => setOpen(!open)}>{t(open ? 'adm.hideDifferences' : 'adm.showDifferences')}</Button>}
      {open && <Differences number={c['number'] ?? ''} units={units} />}
    </article>
  )
}

function Differences({ number, units }: { number: string; units: Units }): JSX.Element {
  const answer = useAnswer(() => admin('differences', number), [number])
  return (
    <>
      <Waiting answer={answer} />
      <ul class="differs">{answer.value?.rows.map((d, i) => (
        <li key={i}><b>{word(differs, d['kind'])}</b> {t('adm.hereThere', { here: sum(units, d['here'], d['unit']), there: sum(units, d['there'], d['unit']) })} <small><bdi dir="ltr">{[d['reference'], d['id']].filter(Boolean).join(' · ')}</bdi>{d['words'] && <> · <span dir="auto">{d['words']}</span></>}</small></li>
      ))}</ul>
      {answer.value?.more && <p class="small">{t('adm.newestOnly')}</p>}
    </>
  )
}
