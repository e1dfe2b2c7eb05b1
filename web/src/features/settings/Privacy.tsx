import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Choices } from '../../core/model.ts'
import { engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Switch } from '../../ui/controls.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'
import { useChoices } from './choices.ts'

/** Privacy is who sees what, and who may write. */
export function Privacy(): JSX.Element {
  const [choices, change] = useChoices()
  if (!choices) return <Busy />
  return (
    <>
      <section class="card flat">
        <Switch label={t('set.lastSeen')} hint={t('set.lastSeenHint')} on={choices.lastSeen} change={(lastSeen) => change({ lastSeen })} />
        <Switch label={t('set.receipts')} hint={t('set.receiptsHint')} on={choices.readReceipts} change={(readReceipts) => change({ readReceipts })} />
        <Switch label={t('set.typing')} on={choices.typing} change={(typing) => change({ typing })} />
      </section>
      <section class="card flat">
        <Radios label={t('set.who')} value={choices.strangers ? 'all' : 'contacts'} answers={[{ value: 'all', label: t('set.whoAll') }, { value: 'contacts', label: t('set.whoContacts') }]} change={(value) => change({ strangers: value === 'all' })} />
        <p class="small">{t('set.whoHint')}</p>
      </section>
      <Cards choice={choices.linkCards} change={change} />
      <Blocked />
    </>
  )
}

/** Not shown where the server makes no cards; without connection that is not known. */
function Cards({ choice, change }: { choice: Choices['linkCards']; change: (some: Partial<Choices>) => void }): JSX.Element | null {
  const [made, setMade] = useState(true)
  useEffect(() => { engine().makesCards().then(setMade, () => undefined) }, [])
  if (!made) return null
  return (
    <section class="card flat">
      <Radios label={t('set.cards')} value={choice} answers={(['ask', 'always', 'each', 'never'] as const).map((value) => ({ value, label: t(`set.cards.${value}`) }))} change={(linkCards) => change({ linkCards })} />
      <p class="small">{t('set.cardsHint')}</p>
    </section>
  )
}

function Blocked(): JSX.Element {
  const [list, setList] = useState<string[]>()
  const load = (): void => { engine().blocked().then(setList, () => setList([])) }
  useEffect(load, [])
  const free = (jid: string): void => { engine().unblock(jid).then(load, () => toast(t('set.offline'))) }
  return (
    <section class="card flat">
      <h2 class="label2">{t('set.blocked')}</h2>
      {list?.length === 0 && <p class="small">{t('set.blockedNone')}</p>}
      <ul>{list?.map((jid) => (
        <li key={jid}><Peer id={jid} name={nameOf(jid)} under={<bdi dir="ltr">{jid}</bdi>}><button type="button" class="btn s" onClick={() => free(jid)}>{t('set.unblock')}<span class="vh"> {nameOf(jid)}</span></button></Peer></li>
      ))}</ul>
    </section>
  )
}
