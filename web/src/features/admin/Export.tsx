// The export for an accountant: all records of a time as CSV, put together here from pages.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../../i18n/t.ts'
import { utcDay } from '../../i18n/when.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { saveAs } from '../../ui/save.ts'
import { admin, attempt, num } from './load.ts'

const mostPages = 2500 // half a million records; more is for `palabre ledger export`
const perPage = 200

/** Export asks for a time, and saves a file. */
export function Export(): JSX.Element {
  const [since, setSince] = useState('')
  const [until, setUntil] = useState('')
  const [read, setRead] = useState<number>()
  const wrong = (typed: string): string | undefined => typed.trim() && !utcDay(typed) ? t('adm.dayWrong') : undefined
  const save = async (): Promise<void> => {
    const parts: string[] = []
    let next: string | undefined
    do {
      setRead(parts.length * perPage)
      const page = await admin('journal', { since: utcDay(since), until: utcDay(until), after: next })
      parts.push(page.text)
      next = page.next
    } while (next && parts.length < mostPages)
    saveAs(new Blob(parts, { type: 'text/csv' }), `ledger-${since.trim() || 'all'}-${until.trim() || 'now'}.csv`)
  }
  return (
    <section class="card">
      <h2>{t('adm.export')}</h2>
      <p class="small">{t('adm.exportText')}</p>
      <form class="form" onSubmit={(e) => { e.preventDefault(); void attempt(save()).then(() => setRead(undefined)) }}>
        <Field label={t('adm.exportSince')} hint={t('adm.dayHint')} value={since} change={setSince} ltr wrong={wrong(since)} />
        <Field label={t('adm.before')} value={until} change={setUntil} ltr wrong={wrong(until)} />
        <Button kind="s" submit disabled={read !== undefined || !!wrong(since) || !!wrong(until)}>{t('adm.save')}</Button>
        {read !== undefined && <p role="status">{t('adm.readSoFar', { n: num(read) })}</p>}
      </form>
    </section>
  )
}
