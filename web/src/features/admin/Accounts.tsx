// The accounts: a table with search, page by page; on a phone what stands beside the name goes below it.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { AdminAccount } from '../../core/engine.ts'
import { t } from '../../i18n/t.ts'
import { shortTime, size } from '../../i18n/when.ts'
import { Button, IconButton, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over } from '../../ui/overlay.tsx'
import { AccountSheet } from './Account.tsx'
import { admin, attempt, num, useAnswer } from './load.ts'
import { Waiting } from './Waiting.tsx'

const settle = 250
const page = 50

/** Accounts lists who has an account here. */
export function Accounts(): JSX.Element {
  const [typed, setTyped] = useState('')
  const [search, setSearch] = useState('')
  const [more, setMore] = useState<{ for: string; rows: AdminAccount[]; left: boolean }>()
  const [busy, setBusy] = useState(false)
  const asked = useRef(search)
  asked.current = search
  useEffect(() => { const timer = setTimeout(() => setSearch(typed.trim()), settle); return () => clearTimeout(timer) }, [typed])
  const answer = useAnswer(async () => ({ ...await admin('accounts', { search, max: page }), search }), [search])
  const { value } = answer
  const further = value && more?.for === value.search ? more : undefined
  const rows = [...value?.accounts ?? [], ...further?.rows ?? []]
  const reload = (): void => { setMore(undefined); answer.reload() }
  const next = async (): Promise<void> => {
    setBusy(true)
    const wanted = search
    await attempt(admin('accounts', { search: wanted, max: page, after: rows.at(-1)?.name }).then((got) => {
      if (asked.current === wanted) setMore({ for: wanted, rows: [...further?.rows ?? [], ...got.accounts], left: got.more })
    }))
    setBusy(false)
  }
  return (
    <>
      <form class="find" role="search" onSubmit={(e) => { e.preventDefault(); setSearch(typed.trim()) }}>
        <div class="search">
          <Icon name="search" />
          <input type="search" enterkeyhint="search" dir="auto" maxLength={64} value={typed} placeholder={t('adm.search')} aria-label={t('adm.search')} onInput={(e) => setTyped(e.currentTarget.value)} />
          {typed && <IconButton icon="x" label={t('clear')} act={() => { setTyped(''); setSearch('') }} />}
        </div>
      </form>
      <Waiting answer={answer} />
      {value && <>
        <p class="count" role="status">{t('adm.accountsCount', { n: value.total })}</p>
        {rows.length > 0 && <Table rows={rows} open={(row) => void over((close) => <AccountSheet name={row.name} close={close} changed={reload} />)} />}
        {(further ? further.left : value.more) && <Button kind="g" wide disabled={busy} act={() => void next()}>{t('adm.more')}</Button>}
      </>}
    </>
  )
}

function Table({ rows, open }: { rows: AdminAccount[]; open: (row: AdminAccount) => void }): JSX.Element {
  return (
    <div class="card table">
      <table>
        <caption class="vh">{t('adm.accounts')}</caption>
        <thead><tr>
          <th scope="col">{t('adm.name')}</th><th scope="col" class="w">{t('adm.seen')}</th><th scope="col" class="w">{t('adm.created')}</th>
          <th scope="col" class="w n">{t('adm.devices')}</th><th scope="col" class="w n">{t('adm.stored')}</th>
        </tr></thead>
        <tbody>{rows.map((row) => <Row key={row.name} row={row} open={() => open(row)} />)}</tbody>
      </table>
    </div>
  )
}

function Row({ row, open }: { row: AdminAccount; open: () => void }): JSX.Element {
  const seen = row.online ? t('adm.online') : row.seen === undefined ? t('adm.never') : shortDay(row.seen)
  return (
    <tr>
      <th scope="row">
        <button type="button" class="rowlink" aria-haspopup="dialog" onClick={open}><bdi>{row.name}</bdi></button>
        {row.admin && <Pill kind="info">{t('adm.admin')}</Pill>}
        {row.disabled && <Pill kind="bad">{t('adm.disabled')}</Pill>}
        <small class="narrow">{[seen, t('adm.devicesCount', { n: row.devices }), size(row.bytes)].join(' · ')}</small>
      </th>
      <td class="w">{row.online ? <Pill kind="ok" live>{seen}</Pill> : seen}</td>
      <td class="w">{shortTime(row.created)}</td>
      <td class="w n">{num(row.devices)}</td>
      <td class="w n">{size(row.bytes)}</td>
    </tr>
  )
}

/** shortDay writes a day without the hour that it does not have. */
export function shortDay(at: number): string {
  const noon = at + 12 * 3600e6
  const today = Math.floor(Date.now() / 86_400_000) === Math.floor(at / 86_400_000_000)
  return today ? t('adm.today') : shortTime(noon)
}
