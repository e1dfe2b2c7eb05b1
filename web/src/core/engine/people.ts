// The people of an account: its list of contacts, who of them is there, whom it blocks, what they call themselves.

import type { Contact, JID, Micros, Presence } from '../model.ts'
import { change, type Change, type Database } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { get } from '../store/kv.ts'
import { getBlocked, onBlocked } from '../xmpp/blocking.ts'
import { bare } from '../xmpp/jid.ts'
import { lastSeen } from '../xmpp/last.ts'
import { parsePresence, type PresenceNews } from '../xmpp/presence.ts'
import { avatarEvent, fetchAvatar, nickEvent, type AvatarInfo } from '../xmpp/profile.ts'
import type { NodeEvent } from '../xmpp/pubsub.ts'
import { answerSubscription, getRoster, onRosterPush, type RosterItem } from '../xmpp/roster.ts'
import type { Session, Stop } from '../xmpp/session.ts'
import type { Element } from '../xmpp/xml.ts'
import type { News } from './changes.ts'
import { contactStores, keepBlocked, overlay } from './contacts.ts'
import { MAX_CONTACTS } from './people-limits.ts'

/** Devices of one contact whose presence is remembered. */
const MAX_DEVICES = 50

/** The people of one account. */
export class People {
  private session: Session | undefined
  /** Who is there: bare address → resource → presence. In memory: it ends with the session. */
  private readonly there = new Map<JID, Map<string, PresenceNews>>()
  private readonly fetching = new Set<string>()

  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News, private readonly now: () => Micros) {}

  /** Answers the server from now on. */
  attach(session: Session): Stop {
    this.session = session
    const stops = [
      onRosterPush(session, (item, version) => this.keepItem(item, version)),
      onBlocked(session, (jids, blocked) => this.takeBlocked(jids, blocked)),
    ]
    return () => { for (const stop of stops) stop() }
  }

  /** A session is there: what changed meanwhile is asked for. */
  async connected(session: Session, resumed: boolean): Promise<void> {
    this.session = session
    if (resumed) return
    const { version, items } = await getRoster(session, await get(this.db, 'roster') ?? '')
    if (items) await this.replace(items, version)
    const blocked = await getBlocked(session).catch(() => undefined)
    if (blocked) await this.replaceBlocked(blocked)
  }

  /** A new session tells anew who is there: to be called before we announce ourselves. */
  async nobody(): Promise<void> {
    this.there.clear()
    await change(this.db, ['contacts'], async (tx) => {
      for (let c = await tx.objectStore('contacts').openCursor(); c; c = await c.continue()) if (c.value.presence) await c.update({ ...c.value, presence: undefined })
    }, 'relaxed')
  }

  private live(): Session {
    if (!this.session) throw new Error('not connected')
    return this.session
  }

  private async replace(items: RosterItem[], version: string | undefined): Promise<void> {
    await change(this.db, contactStores, async (tx) => {
      const now = new Set(items.map((i) => i.jid))
      for (const old of await tx.objectStore('contacts').getAll()) {
        if (!now.has(old.jid) && old.asks !== 'in') await overlay(tx, old.jid, { ...old, subscription: 'none', asks: undefined })
      }
      for (const item of items.slice(0, MAX_CONTACTS)) await this.putItem(tx, item)
      if (version !== undefined) await tx.objectStore('kv').put(version, 'roster')
    })
    this.news.tell({ contacts: true })
  }

  private async keepItem(item: RosterItem, version: string | undefined): Promise<void> {
    await change(this.db, contactStores, async (tx) => {
      await this.putItem(tx, item)
      if (version !== undefined) await tx.objectStore('kv').put(version, 'roster')
    })
    this.news.tell({ contacts: true, chats: [item.jid] })
  }

  private async putItem(tx: Change, item: RosterItem): Promise<void> {
    const { jid, name, subscription, asks, groups, remove } = item
    const known = await tx.objectStore('contacts').get(jid)
    const asksNow = asks ?? (known?.asks === 'in' && subscription !== 'from' && subscription !== 'both' ? 'in' : undefined)
    await overlay(tx, jid, remove ? undefined : { ...known, jid, subscription, name, asks: asksNow, groups: groups.length ? groups : undefined })
  }

  /** Changes one contact, made if there is none and `make` says so. */
  private async alter(jid: JID, fields: Partial<Contact>, make = false, durability: 'strict' | 'relaxed' = 'strict'): Promise<void> {
    await change(this.db, contactStores, async (tx) => {
      const known = await tx.objectStore('contacts').get(jid)
      if (!known && (!make || await tx.objectStore('contacts').count() >= MAX_CONTACTS)) return
      await overlay(tx, jid, { subscription: 'none', ...known, jid, ...fields })
    }, durability)
    this.news.tell({ contacts: true, chats: [jid] })
  }

  /** Takes a presence. */
  async presence(stanza: Element): Promise<void> {
    const news = parsePresence(stanza)
    if (!news) return
    const jid = bare(news.from)
    if (jid === this.account || news.type === 'error') return
    if (news.type === 'subscribe') return this.asked(jid, news.nick)
    if (news.type === 'here' || news.type === 'unavailable') return this.seen(jid, news)
    // subscribed and the like come with a change of the roster
  }

  /** Whom we asked to see may see us: without it their apps would not hear of our new devices (XEP-0163 §4). */
  private async asked(jid: JID, nick: string | undefined): Promise<void> {
    const known = await this.db.get('contacts', jid)
    if ((known && known.subscription !== 'none') || known?.asks === 'out') return answerSubscription(this.live(), jid, true)
    await this.alter(jid, { asks: 'in', ...(nick && !known?.nick ? { nick } : {}) }, true)
  }

  private async seen(jid: JID, news: PresenceNews): Promise<void> {
    const devices = this.there.get(jid) ?? new Map<string, PresenceNews>()
    if (news.type === 'unavailable') devices.delete(news.from)
    else if (devices.has(news.from) || devices.size < MAX_DEVICES) devices.set(news.from, news)
    this.there.set(jid, devices)
    const all = [...devices.values()]
    const best = all.find((p) => p.show === 'online') ?? all[0]
    const presence: Presence = best ? { show: best.show, ...(best.status ? { status: best.status } : {}) } : { show: 'offline', ...(news.status ? { status: news.status } : {}) }
    await this.alter(jid, { presence, ...(best ? {} : { lastSeen: news.since ?? this.now() }) }, false, 'relaxed')
  }

  /** Asks when somebody was there last, where presence does not say. */
  async askLastSeen(jid: JID): Promise<void> {
    const contact = await this.db.get('contacts', jid)
    if (!this.session || !contact || contact.presence?.show === 'online' || !/^(to|both)$/.test(contact.subscription)) return
    const time = await lastSeen(this.session, jid).catch(() => undefined)
    if (time) await this.alter(jid, { lastSeen: time })
  }

  /** Takes news of a node: names and pictures. False for any other. */
  async event(event: NodeEvent): Promise<boolean> {
    const nick = nickEvent(event)
    if (nick) await this.alter(nick.jid, { nick: nick.nick || undefined })
    const avatar = avatarEvent(event)
    if (avatar && avatar.jid !== this.account) await this.pictured(avatar.jid, avatar.info)
    return !!nick || !!avatar
  }

  private async pictured(jid: JID, info: AvatarInfo | undefined): Promise<void> {
    const key = info && `avatar ${info.id}`
    const contact = await this.db.get('contacts', jid)
    if (!contact || contact.avatar === key) return
    if (!info || !key) return this.alter(jid, { avatar: undefined })
    if (this.fetching.has(key) || this.fetching.size > 100) return
    this.fetching.add(key)
    // Not waited for: the picture comes over the same connection as the event that is being handled.
    void this.fetchPicture(jid, info, key).catch(() => undefined).finally(() => this.fetching.delete(key))
  }

  private async fetchPicture(jid: JID, info: AvatarInfo, key: string): Promise<void> {
    if (!await this.db.getKey('files', key)) {
      const blob = await fetchAvatar(this.live(), jid, info)
      if (!blob) return
      await change(this.db, ['files', 'blobs'], (tx) => keepFile(tx, { key, only: false, used: this.now() }, blob))
    }
    await this.alter(jid, { avatar: key })
  }

  /** Asks the server for everything anew: it did not take what was decided here. */
  async refresh(): Promise<void> {
    const session = this.live()
    const { version, items } = await getRoster(session)
    await this.replace(items ?? [], version)
    await this.replaceBlocked(await getBlocked(session))
  }

  private async replaceBlocked(jids: string[]): Promise<void> {
    const before = await get(this.db, 'blocked') ?? []
    await this.setBlocked(before.filter((jid) => !jids.includes(jid)), false)
    await this.setBlocked(jids.filter((jid) => !before.includes(jid)), true)
  }

  private async takeBlocked(jids: string[], blocked: boolean): Promise<void> {
    await this.setBlocked(jids.length || blocked ? jids : await get(this.db, 'blocked') ?? [], blocked)
  }

  private async setBlocked(jids: string[], blocked: boolean): Promise<void> {
    if (!jids.length) return
    await change(this.db, contactStores, (tx) => keepBlocked(tx, jids, blocked))
    this.news.tell({ chats: jids, contacts: true })
  }
}
