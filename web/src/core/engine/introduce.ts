// What is asked with each new session, once the archive is under way: the server's clock, who we are for others, what our other devices have read.

import type { Crypto } from '../crypto/api.ts'
import type { JID, Micros } from '../model.ts'
import type { Accounts } from '../store/accounts.ts'
import { change, type Database } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { get } from '../store/kv.ts'
import { byNames } from '../store/messages.ts'
import { archiveName } from '../store/names.ts'
import type { Displayed } from '../xmpp/displayed.ts'
import { domain } from '../xmpp/jid.ts'
import { NICK } from '../xmpp/ns.ts'
import { fetchAvatar, fetchAvatarInfo } from '../xmpp/profile.ts'
import { getItems } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { parseTime } from '../xmpp/time.ts'
import { el } from '../xmpp/xml.ts'
import { Collector, type News } from './changes.ts'
import { readUpTo } from './effects.ts'
import { isAdmin } from './role.ts'

const TIME = 'urn:xmpp:time'
/** A clock that is wrong by less than this is not corrected, in microseconds. */
const TOLERANCE = 2e6
/** How often keys are looked after, in milliseconds. */
const DAY = 86_400_000

/** Where what was asked is kept. */
export interface Kept { db: Database; accounts: Accounts; news: News }

/** Asks how far the server's clock is ahead of ours, and keeps it. */
export async function setClock(session: Session, db: Database): Promise<Micros | undefined> {
  const asked = Date.now() * 1000
  const answer = await session.request('get', el(TIME, 'time'), { to: domain(session.account) }).catch(() => undefined)
  const utc = parseTime(answer?.child('time', TIME)?.textOf('utc'))
  if (utc === undefined) return undefined
  const skew = utc - (asked + Date.now() * 1000) / 2
  const now = Math.abs(skew) < TOLERANCE ? 0 : Math.round(skew)
  await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put(now, 'skew') })
  return now
}

/** What we call ourselves and how we look, as another device of ours may have said. */
export async function readProfile(session: Session, { db, accounts, news }: Kept, now: Micros): Promise<void> {
  const info = await fetchAvatarInfo(session, session.account)
  const before = await get(db, 'profile')
  const avatar = info && `avatar ${info.id}`
  if (info && avatar && !await db.getKey('files', avatar)) {
    const blob = await fetchAvatar(session, session.account, info)
    if (blob) await change(db, ['files', 'blobs'], (tx) => keepFile(tx, { key: avatar, only: false, used: now }, blob))
  }
  const name = (await getItems(session, NICK, { max: 1 })).at(-1)?.payload?.text.trim().slice(0, 200) || undefined
  if (before && before.name === name && before.avatar === avatar) return
  await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put({ name, avatar }, 'profile') })
  await accounts.change(session.account, { name, avatar })
  news.tell({ choices: true })
}

/** Whether we administer the server. */
export async function readRole(session: Session, { accounts, news }: Kept): Promise<void> {
  const admin = await isAdmin(session)
  if (admin === undefined || admin === !!(await accounts.get(session.account))?.admin) return
  await accounts.change(session.account, { admin })
  news.tell({ choices: true })
}

/** Other devices have read up to there. */
export async function noteDisplayed(list: Displayed[], account: JID, { db, news }: Kept, now: Micros): Promise<void> {
  if (!list.length) return
  const changes = new Collector()
  await change(db, ['chats', 'messages', 'kv'], async (tx) => {
    for (const { chat, id, by } of list) {
      if (by !== account && by !== chat) continue // by the archive, or by the log of a group
      const message = await byNames(tx, [archiveName(id)])
      if (message?.chat === chat) await readUpTo({ tx, account, now, changes }, chat, message.order)
    }
  })
  news.tell(changes.all)
}

/** Once a day: rotates keys. */
export async function maintain({ db }: Kept, crypto: Pick<Crypto, 'maintain'>): Promise<void> {
  const last = await get(db, 'maintained') ?? 0
  if (Date.now() * 1000 - last < DAY * 1000 && last <= Date.now() * 1000) return
  await crypto.maintain()
  await change(db, ['kv'], async (tx) => { await tx.objectStore('kv').put(Date.now() * 1000, 'maintained') })
}
