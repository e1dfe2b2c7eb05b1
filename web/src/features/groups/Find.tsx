import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { groupPath, whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { engine, ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Button, Empty } from '../../ui/controls.tsx'
import { Peer } from '../../ui/Peer.tsx'

interface Found { groups: { jid: string; name: string }[]; next?: string }

/** Find lists open groups of the server, a page at a time. */
export function Find(): JSX.Element {
  const [places, setPlaces] = useState<(string | undefined)[]>([undefined])
  const [page, setPage] = useState<Found>()
  const [failed, setFailed] = useState<string>()
  const after = places[places.length - 1]
  const open = ready.value
  useEffect(() => {
    if (!open) return
    let wanted = true
    setPage(undefined)
    setFailed(undefined)
    engine().group('find', after).then((found) => { if (wanted) setPage(found) }, (error: unknown) => { if (wanted) setFailed(whyNot(error)) })
    return () => { wanted = false }
  }, [open, places])
  const next = page?.next
  return (
    <>
      <PageHead title={t('gr.findOpen')} always up="/new" />
      <div class="sheet-top"><div class="scroll list-in">
        {failed ? <Empty title={failed}><Button kind="p" icon="refresh" act={() => setPlaces([...places])}>{t('again')}</Button></Empty> : !page ? <Busy /> : !page.groups.length && <Empty title={t('gr.findNone')} text={t('gr.findNoneText')} />}
        <ul>{page?.groups.map((g) => <li key={g.jid}><Peer id={g.jid} name={g.name || g.jid} kind="group" under={<bdi dir="ltr">{g.jid}</bdi>} href={groupPath(g.jid)} /></li>)}</ul>
        {(next || places.length > 1) && <div class="dos mid"><Button kind="t" disabled={places.length < 2} act={() => setPlaces(places.slice(0, -1))}>{t('page.before')}</Button><Button kind="t" disabled={!next} act={() => setPlaces([...places, next])}>{t('page.next')}</Button></div>}
      </div></div>
    </>
  )
}
