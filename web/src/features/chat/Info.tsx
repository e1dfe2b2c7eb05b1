// What became of a message: when it left, who has it, who has read it, and how it was protected.
import type { JSX } from 'preact'
import type { Message } from '../../core/model.ts'
import { fullTime } from '../../i18n/when.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Ticks } from '../../ui/Ticks.tsx'
import { broadcast } from './late.ts'
import { called } from './label.ts'

/** showInfo tells what became of a message. */
export function showInfo(m: Message): Promise<void> {
  return over((close) => <Details message={m} close={close} />)
}

function Details({ message: m, close }: { message: Message; close: () => void }): JSX.Element {
  const receipts = Object.entries(m.receipts ?? {})
  const read = receipts.filter(([, r]) => r.read), delivered = receipts.filter(([, r]) => r.delivered && !r.read)
  return (
    <Sheet title={t('info.title')} close={close}>
      <ul class="list-plain">
        <li>{t('info.time')}<small class="num">{fullTime(m.time)}</small></li>
        {m.edited !== undefined && <li>{t('edited')}<small class="num">{fullTime(m.edited)}</small></li>}
        {m.own && m.state && <li><Ticks state={m.state} quiet />{t(`state.${m.state}` as Key)}</li>}
        <li><Icon name={m.protection === 'omemo' ? 'lock' : 'lockOpen'} />{t(m.protection === 'omemo' ? 'info.encrypted' : 'info.open')}
          {m.device && <small>{t(m.device.trusted ? 'info.verified' : 'info.unverified')}</small>}</li>
        {m.expiresAt !== undefined && <li><Icon name="clock" />{t('info.expires')}<small class="num">{m.expiresAt === Infinity ? t(m.own ? 'info.expiresSent' : 'info.expiresRead') : fullTime(m.expiresAt)}</small></li>}
      </ul>
      <People title={m.content.type === 'once' ? 'once.openedBy' : 'info.heardBy'} people={receipts.filter(([, r]) => r.played).map(([jid, r]) => [jid, r.played])} />
      <People title="info.readBy" people={read.map(([jid, r]) => [jid, r.read])} />
      {m.copies && broadcast.value && <People title="bc.rest" people={broadcast.value.rest(m)} />}
      <People title="info.deliveredTo" people={delivered.map(([jid, r]) => [jid, r.delivered])} />
    </Sheet>
  )
}

function People({ title, people }: { title: Key; people: [string, number | undefined][] }): JSX.Element | null {
  if (!people.length) return null
  return (
    <>
      <h3 class="part">{t(title, { n: people.length })}</h3>
      <ul class="list-plain">{people.map(([jid, time]) => <li key={jid}><Avatar id={jid} name={called(jid)} size="xs" /><span class="cut" dir="auto">{called(jid)}</span>{time !== undefined && <small class="num">{fullTime(time)}</small>}</li>)}</ul>
    </>
  )
}
