// Administration, for the operator: health, accounts, invitations, reports, storage and limits. It tells nothing of who talks to whom, since the
// server does not tell it either.
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { ready } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { Empty } from '../../ui/controls.tsx'
import { Accounts } from './Accounts.tsx'
import { Health } from './Health.tsx'
import { Invitations } from './Invitations.tsx'
import { Money } from './Money.tsx'
import { Rails } from './Rails.tsx'
import { Reports } from './Reports.tsx'
import { Storage } from './Storage.tsx'
import '../../ui/css/pages.css'
import './admin.css'

const pages: { path: string; title: Key; view: () => JSX.Element }[] = [
  { path: '', title: 'adm.health', view: Health }, { path: 'accounts', title: 'adm.accounts', view: Accounts }, { path: 'invitations', title: 'adm.invitations', view: Invitations },
  { path: 'reports', title: 'adm.reports', view: Reports }, { path: 'storage', title: 'adm.storage', view: Storage },
  { path: 'money', title: 'adm.money', view: Money }, { path: 'rails', title: 'adm.networks', view: Rails },
]

/** Admin shows one page of administration, and the way to the others. */
export default function Admin({ params }: ViewProps): JSX.Element {
  const at = params['page'] ?? ''
  const page = pages.find((p) => p.path === at)
  const View = page?.view
  useEffect(() => document.querySelector('.admin .chip[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' }), [at]) // it may stand beyond the edge
  return (
    <div class="scroll admin">
      <PageHead title={t('adm.title')} up="/settings" always />
      <nav class="chips" aria-label={t('adm.title')}>
        {pages.map((p) => <a key={p.path} class="chip" href={`/admin${p.path && `/${p.path}`}`} aria-current={p.path === at ? 'page' : undefined}>{t(p.title)}</a>)}
      </nav>
      <div class="page wide-page">
        {page && <h2 class="vh">{t(page.title)}</h2>}
        {View && ready.value ? <View key={at} /> : <Empty title={t('part.failed')} />}
      </div>
    </div>
  )
}
