// What a broadcast list's conversation shows besides: how many have got and read what was written, and how many people there are.
import type { JSX } from 'preact'
import type { Chat, Message } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import './broadcast.css'

/** Count says how far a message has come. */
export function Count({ message: m }: { message: Message }): JSX.Element {
  const marks = Object.values(m.receipts ?? {})
  return <span class="counts num">{t('bc.counts', { delivered: marks.filter((r) => r.delivered ?? r.read).length, read: marks.filter((r) => r.read).length, n: Object.keys(m.copies ?? {}).length })}</span>
}

/** people says how many are on a list. */
export const people = ({ to }: Chat): string => t('bc.people', { n: to?.length ?? 0 })

/** rest are those who have not got a message yet. */
export const rest = (m: Message): [string, undefined][] => Object.keys(m.copies ?? {}).filter((jid) => !(m.receipts?.[jid]?.delivered ?? m.receipts?.[jid]?.read)).map((jid) => [jid, undefined])
