// Payments: the pages of the wallet, each loaded when it is first looked at (docs/protocol/payments.md). /pay is the wallet; /pay/PAGE and /pay/PAGE/ID are the others.
import type { FunctionComponent, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ViewProps } from '../../app/View.tsx'
import { loadPart, t } from '../../i18n/t.ts'
import { Busy, Button, Empty } from '../../ui/controls.tsx'
import { keepPages } from './keep.ts'
import '../../ui/css/pages.css'

/** What a page is given: what stands behind its name in the address, '' for nothing. */
export interface PageProps { id: string }
type Page = FunctionComponent<PageProps>

const wallet: { load: () => Promise<Page>; texts?: string | string[] } = { load: async () => (await import('./Wallet.tsx')).WalletPage, texts: ['paymore', 'payrail'] }

/** The other pages, and the parts of the texts that each needs besides `pay`. */
const pages: Record<string, { load: () => Promise<Page>; texts?: string | string[] }> = {
  to: { load: async () => (await import('./Send.tsx')).SendPage, texts: 'paymore' },
  keys: { load: async () => (await import('./Keys.tsx')).KeysPage },
  request: { load: async () => (await import('./Request.tsx')).RequestPage, texts: 'paymore' },
  split: { load: async () => (await import('./Split.tsx')).SplitPage, texts: 'paymore' },
  settle: { load: async () => (await import('./Settle.tsx')).SettlePage, texts: 'paymore' },
  code: { load: async () => (await import('./Code.tsx')).CodePage, texts: 'paymore' },
  scan: { load: async () => (await import('./Scan.tsx')).ScanPage, texts: 'paymore' },
  counter: { load: async () => (await import('./Counter.tsx')).CounterPage, texts: 'paymore' },
  report: { load: async () => (await import('./Report.tsx')).ReportPage, texts: 'paymore' },
  history: { load: async () => (await import('./History.tsx')).HistoryPage, texts: 'paymore' },
  receipt: { load: async () => (await import('./Receipt.tsx')).ReceiptPage, texts: 'paymore' },
  debits: { load: async () => (await import('./Debits.tsx')).DebitsPage, texts: ['paymore', 'paydebit'] },
  debit: { load: async () => (await import('./Debit.tsx')).DebitPage, texts: ['paymore', 'paydebit'] },
  allow: { load: async () => (await import('./AskDebit.tsx')).AskDebitPage, texts: ['paymore', 'paydebit'] },
  limits: { load: async () => (await import('./Limits.tsx')).LimitsPage, texts: 'paymore' },
  disputes: { load: async () => (await import('./Disputes.tsx')).DisputesPage, texts: 'paymore' },
  dispute: { load: async () => (await import('./Disputes.tsx')).DisputePage, texts: ['paymore', 'payevidence'] },
  add: { load: async () => (await import('./Move.tsx')).AddPage, texts: ['paymore', 'payrail'] },
  out: { load: async () => (await import('./Move.tsx')).OutPage, texts: ['paymore', 'payrail'] },
  transfer: { load: async () => (await import('./Transfer.tsx')).TransferPage, texts: 'payrail' },
  offline: { load: async () => (await import('./Offline.tsx')).OfflinePage, texts: 'paymore' },
}

/** PayViews shows the page that the address names. */
export default function PayViews({ params }: ViewProps): JSX.Element {
  const [name, id] = [params['page'] ?? '', params['id'] ?? '']
  const [page, setPage] = useState<{ name: string; Page: Page | 'failed' }>()
  const fetch = (): void => {
    const { load, texts } = pages[name] ?? wallet
    Promise.all([load(), loadPart('paycards'), ...[texts ?? []].flat().map((part) => loadPart(part))]).then(([Page]) => setPage({ name, Page }), (error: unknown) => { console.warn('pay', error); setPage({ name, Page: 'failed' }) })
  }
  useEffect(fetch, [name])
  useEffect(keepPages, [])
  if (page?.name !== name) return <Busy />
  const { Page } = page
  if (Page === 'failed') return <Empty title={t('part.failed')} text={t('part.failedWhy')}><Button kind="p" icon="refresh" act={fetch}>{t('again')}</Button></Empty>
  return <Page key={id} id={id} />
}
