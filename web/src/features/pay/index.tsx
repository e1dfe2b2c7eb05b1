// Payments: the pages of the wallet, each loaded when it is first looked at (docs/protocol/payments.md). /pay is the wallet; /pay/PAGE and /pay/PAGE/ID are the others.
import type { FunctionComponent, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ViewProps } from '../../app/View.tsx'
import { loadPart, t } from '../../i18n/t.ts'
import { Busy, Button, Empty } from '../../ui/controls.tsx'
import '../../ui/css/pages.css'

/** What a page is given: what stands behind its name in the address, '' for nothing. */
export interface PageProps { id: string }
type Page = FunctionComponent<PageProps>

const wallet: { load: () => Promise<Page>; texts?: string } = { load: async () => (await import('./Wallet.tsx')).WalletPage }

/** The other pages, and the part of the texts that each needs besides `pay`. */
const pages: Record<string, { load: () => Promise<Page>; texts?: string }> = {
}

/** PayViews shows the page that the address names. */
export default function PayViews({ params }: ViewProps): JSX.Element {
  const [name, id] = [params['page'] ?? '', params['id'] ?? '']
  const [page, setPage] = useState<{ name: string; Page: Page | 'failed' }>()
  const fetch = (): void => {
    const { load, texts } = pages[name] ?? wallet
    Promise.all([load(), texts && loadPart(texts)]).then(([Page]) => setPage({ name, Page }), (error: unknown) => { console.warn('pay', error); setPage({ name, Page: 'failed' }) })
  }
  useEffect(fetch, [name])
  if (page?.name !== name) return <Busy />
  const { Page } = page
  if (Page === 'failed') return <Empty title={t('part.failed')} text={t('part.failedWhy')}><Button kind="p" icon="refresh" act={fetch}>{t('again')}</Button></Empty>
  return <Page key={id} id={id} />
}
