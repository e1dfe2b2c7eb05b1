// The wallet: what we have.
import type { JSX } from 'preact'
import { PageHead } from '../../app/PageHead.tsx'
import { t } from '../../i18n/t.ts'
import type { PageProps } from './index.tsx'

/** WalletPage shows what we have. */
export function WalletPage(_: PageProps): JSX.Element {
  return <div class="scroll"><PageHead title={t('pay.title')} /></div>
}
