import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useAsked, Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Empty } from '../../ui/controls.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { communityPath } from './paths.ts'

/** Find lists the open communities of the server, a page at a time. */
export function Find(): JSX.Element {
  const [places, setPlaces] = useState<(string | undefined)[]>([undefined])
  const asked = useAsked(() => engine().community('find', places[places.length - 1]), [places])
  const found = asked.value
  const next = found?.next
  return (
    <>
      <PageHead title={t('co.find')} always up="/new" />
      <div class="sheet-top"><div class="scroll list-in">
        {!found || asked.failed ? <Waiting asked={asked} /> : !found.communities.length && <Empty title={t('co.findNone')} text={t('co.findNoneText')} />}
        <ul>{found?.communities.map((c) => <li key={c.jid}><Peer id={c.jid} name={c.name || c.jid} kind="group" under={<bdi dir="ltr">{c.jid}</bdi>} href={communityPath(c.jid)} /></li>)}</ul>
        {(next || places.length > 1) && <div class="dos mid"><Button kind="t" disabled={places.length < 2} act={() => setPlaces(places.slice(0, -1))}>{t('page.before')}</Button><Button kind="t" disabled={!next} act={() => setPlaces([...places, next])}>{t('page.next')}</Button></div>}
      </div></div>
    </>
  )
}
