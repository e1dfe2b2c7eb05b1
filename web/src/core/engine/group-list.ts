// What the service of groups says when it is asked: which groups the account is in, how they are set, who is in them. What changes from then on the logs
// tell, and it is newer: an answer that was on its way while a log told something else is not kept, but asked for again.

import type { JID, Micros } from '../model.ts'
import { change, everything, type Change, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { countMembers, dropMembers, forgetKnown, putMember } from '../store/members.ts'
import { fetchInfo, type GroupInfo, type Listed } from '../xmpp/groups.ts'
import { listItems, type Item } from '../xmpp/groups-list.ts'
import type { Session } from '../xmpp/session.ts'
import { StanzaError } from '../xmpp/stanza.ts'
import type { Step } from './apply.ts'
import { Collector, type News } from './changes.ts'
import { belong, groupChat, isIn, protectionOf, show } from './group-change.ts'

/** How often is asked again while a log tells changes. */
const MAX_ASKED = 5
/** Members of whom is asked: more than a group may have. */
const MAX_FOUND = 5000

/** The groups of one account, as the service lists them. */
export class GroupList {
  private readonly asking = new Map<JID, Promise<void>>()

  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News, private readonly now: () => Micros) {}

  /** The newest change of each group that is known now. */
  async versions(): Promise<Map<JID, Micros>> {
    return new Map((await this.db.getAll('chats')).flatMap(({ jid, group }) => group ? [[jid, group.version]] : []))
  }

  /** Puts a group into the list of chats, as the service lists it, with its settings and members where they are not known. */
  async put(session: Session, one: Listed): Promise<void> {
    const known = (await this.db.get('chats', one.jid))?.group
    if (!known || known.ended) await change(this.db, ['kv'], (tx) => forgetKnown(tx, one.jid)) // they were not followed meanwhile
    const asks = !await get(this.db, `settings ${one.jid}`)
    await this.steady(one.jid, () => asks ? fetchInfo(session, one.jid) : Promise.resolve(undefined), (step, about) => this.keep(step, one, about))
    await this.members(session, one.jid)
  }

  private async keep(step: Step, one: Listed, about: GroupInfo | undefined): Promise<void> {
    const { tx } = step
    const chat = await groupChat(step, one.jid)
    const { group } = chat
    const before = JSON.stringify(chat)
    if (group.version <= one.newest) { // else a log has told something newer
      Object.assign(group, { affiliation: one.affiliation, members: one.members, ...(one.nick ? { nick: one.nick } : {}), ...(one.occupant ? { occupant: one.occupant } : {}) })
      delete group.ended
      show(chat, one.picture)
      belong(chat, one.community)
    }
    if (one.kind) group.kind = one.kind
    if (about) {
      chat.name = about.name ?? one.name ?? chat.name
      group.settings = about.settings
      if (about.description) group.description = about.description
      else delete group.description
      chat.protection = group.large ? 'none' : protectionOf(about.settings)
      if (group.version <= 1) group.version = one.newest
      chat.time ||= one.since
      await tx.objectStore('kv').put(true, `settings ${one.jid}`)
    }
    if (JSON.stringify(chat) === before) return
    await tx.objectStore('chats').put(chat)
    step.changes.chat(chat.jid)
  }

  /** Groups that the service lists no more are over for us: what the log said of it could not be read. Those of which a log told something since are not
   * meant; `before` is what was known when it was asked. */
  async missing(listed: Set<JID>, before: Map<JID, Micros>): Promise<void> {
    const changes = new Collector()
    await change(this.db, ['chats'], async (tx) => {
      for (const chat of await tx.objectStore('chats').getAll()) {
        if (chat.kind !== 'group' || !chat.group || chat.group.ended || chat.group.affiliation === 'none' || listed.has(chat.jid)) continue
        if (chat.group.version !== before.get(chat.jid)) continue
        await tx.objectStore('chats').put({ ...chat, group: { ...chat.group, affiliation: 'none', ended: { how: 'removed' } } })
        changes.chat(chat.jid)
      }
    })
    this.news.tell(changes.all)
  }

  /** Asks once what is known of groups that we are invited to, and not in. */
  async invited(session: () => Session | undefined): Promise<void> {
    for (const { jid, group } of await this.db.getAll('chats')) {
      const now = session()
      if (!now || !group?.invited || isIn(group.affiliation) || group.version) continue
      const about = await fetchInfo(now, jid)
      const changes = new Collector()
      await change(this.db, ['chats'], async (tx) => {
        const chat = await tx.objectStore('chats').get(jid)
        if (!chat?.group || chat.group.version) return
        const { name = chat.name, description, members, settings } = about
        await tx.objectStore('chats').put({ ...chat, name, group: { ...chat.group, members, settings, version: 1, ...(description ? { description } : {}) } })
        changes.chat(jid)
      })
      this.news.tell(changes.all)
    }
  }

  /** Asks who is in a group, unless that is known. Who may not see it goes on without. */
  members(session: Session, room: JID): Promise<void> {
    let run = this.asking.get(room)
    if (!run) {
      run = this.askMembers(session, room).finally(() => this.asking.delete(room))
      this.asking.set(room, run)
    }
    return run
  }

  private async askMembers(session: Session, room: JID): Promise<void> {
    if (await get(this.db, `members ${room}`)) return
    try {
      await this.steady(room, () => fetchMembers(session, room), (step, found) => keepMembers(step, room, found))
    } catch (error) {
      if (!(error instanceof StanzaError) || error.condition !== 'forbidden') throw error // else it does not show them
    }
  }

  /** Asks, and keeps the answer if no log told a change of the group meanwhile; else asks again. Fails with `resource-constraint` if that goes on. */
  private async steady<T>(room: JID, ask: () => Promise<T>, keep: (step: Step, answer: T) => Promise<void>): Promise<void> {
    for (let asked = 0; asked < MAX_ASKED; asked++) {
      const before = (await this.db.get('chats', room))?.group?.version
      const answer = await ask()
      const changes = new Collector()
      const kept = await change(this.db, everything, async (tx) => {
        if ((await tx.objectStore('chats').get(room))?.group?.version !== before) return false
        await keep({ tx, account: this.account, now: this.now(), changes }, answer)
        return true
      })
      this.news.tell(changes.all)
      if (kept) return
    }
    throw new StanzaError('resource-constraint', 'wait', 'it changes all the time')
  }
}

async function fetchMembers(session: Session, room: JID): Promise<Item[]> {
  const found: Item[] = []
  for (const affiliation of ['owner', 'admin', 'member'] as const) {
    let after: string | undefined
    do {
      const page = await listItems(session, room, affiliation, after)
      found.push(...page.items)
      after = page.next
    } while (after && found.length < MAX_FOUND)
  }
  return found
}

async function keepMembers({ tx, changes }: { tx: Change; changes: Collector }, room: JID, found: Item[]): Promise<void> {
  await dropMembers(tx, room)
  for (const one of found) await putMember(tx, room, one.jid, one.affiliation, one.nick)
  await tx.objectStore('kv').put(true, `members ${room}`)
  const chat = await tx.objectStore('chats').get(room)
  if (!chat?.group) return
  await tx.objectStore('chats').put({ ...chat, group: { ...chat.group, members: await countMembers(tx, room) } })
  changes.chat(room)
}
