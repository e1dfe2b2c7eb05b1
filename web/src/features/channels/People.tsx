// Who publishes in a channel, and who may read a private one. Only owners see this.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Standing } from '../../core/channels.ts'
import { Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { engine, nameOf } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Field, IconButton } from '../../ui/controls.tsx'
import { openMenu } from '../../ui/overlay.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { ask, pathOf, tried, useAsked, useChannel } from './desk.tsx'

interface One { jid: string; standing: Standing }

/** People lists and changes them. */
export function People({ name }: { name: string }): JSX.Element {
  const asked = useAsked(() => ask('people', name), [name])
  const closed = useChannel(name)?.private ?? false
  const [typed, setTyped] = useState('')
  const [as, setAs] = useState<'publisher' | 'member' | 'owner'>('publisher')
  const set = async (jid: string, standing: Standing): Promise<void> => { if (await tried(ask('setPerson', name, jid, standing), t('ch.saved'))) asked.again() }
  const add = async (event: Event): Promise<void> => {
    event.preventDefault()
    const jid = typed.trim().toLowerCase()
    if (!jid) return
    const host = engine().account().jid.split('@')[1] ?? ''
    await set(jid.includes('@') ? jid : `${jid}@${host}`, as)
    setTyped('')
  }
  const answers = (['publisher', ...(closed ? ['member' as const] : []), 'owner'] as const).map((value) => ({ value, label: t(`ch.standing.${value}` as Key) }))
  return (
    <div class="scroll">
      <PageHead title={t(closed ? 'ch.peopleReaders' : 'ch.people')} up={pathOf(name, 'about')} always />
      <div class="page">
        <form class="card" onSubmit={(e) => void add(e)}>
          <Field label={t('ch.addPerson')} value={typed} change={setTyped} limit={1000} ltr />
          <Radios<'publisher' | 'member' | 'owner'> label={t('ch.as')} value={as} change={setAs} bar answers={answers} />
          <Button kind="p" submit disabled={!typed.trim()}>{t('ch.add')}</Button>
        </form>
        {!asked.value ? <Waiting asked={asked} /> : (
          <ul class="card flat ch-people">{asked.value.map((one) => (
            <li key={one.jid}><Peer id={one.jid} name={nameOf(one.jid)} under={t(`ch.standing.${one.standing}` as Key)}>
              {one.jid !== engine().account().jid && <IconButton icon="ellipsis" label={t('ch.personMenu', { name: nameOf(one.jid) })} menu act={(e) => void menu(e.currentTarget as HTMLElement, one, closed, set)} />}
            </Peer></li>
          ))}</ul>
        )}
      </div>
    </div>
  )
}

function menu(at: HTMLElement, one: One, closed: boolean, set: (jid: string, standing: Standing) => Promise<void>): Promise<void> {
  const item = (standing: Standing, label: Key) => (one.standing === standing ? [] : [{ label: t(label), act: () => void set(one.jid, standing) }])
  return openMenu(at, t('ch.personMenu', { name: nameOf(one.jid) }), [
    ...item('owner', 'ch.makeOwner'), ...item('publisher', 'ch.makePublisher'), ...(closed ? item('member', 'ch.makeReader') : []),
    { label: t('ch.dropPerson'), icon: 'trash', danger: true, line: true, act: () => void set(one.jid, 'none') },
  ])
}
