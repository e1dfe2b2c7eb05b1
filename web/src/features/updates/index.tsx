// Updates: what people tell for a day, and below it the channels that one follows.
import type { JSX } from 'preact'
import { PageHead } from '../../app/PageHead.tsx'
import { ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import '../../ui/css/pages.css'
import { Channels } from './Channels.tsx'
import { Statuses } from './Statuses.tsx'
import './updates.css'

/** Updates is the place for what is told to many. */
export default function Updates(): JSX.Element {
  return (
    <>
      <PageHead title={t('tab.updates')} root />
      <div class="sheet-top"><div class="scroll list-in">{ready.value && <><Statuses /><Channels /></>}</div></div>
    </>
  )
}
