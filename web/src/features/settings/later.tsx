// Pages that do nothing without the server are loaded when they are opened, and are not kept for a start without network.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../../i18n/t.ts'
import { Busy, Button, Empty } from '../../ui/controls.tsx'

type Page = () => JSX.Element

/** later is a page that is loaded when it is opened; one that cannot be had says so and can be asked for again. */
export function later(load: () => Promise<Page>): Page {
  let here: Page | undefined
  return function Later(): JSX.Element {
    const [state, setState] = useState<'busy' | 'here' | 'failed'>(here ? 'here' : 'busy')
    const fetch = (): void => {
      setState('busy')
      load().then((page) => { here = page; setState('here') }, () => setState('failed'))
    }
    useEffect(() => { if (!here) fetch() }, [])
    const Page = here
    if (Page) return <Page />
    return state === 'failed' ? <Empty title={t('part.failed')} text={t('part.failedWhy')}><Button kind="p" icon="refresh" act={fetch}>{t('again')}</Button></Empty> : <Busy />
  }
}
