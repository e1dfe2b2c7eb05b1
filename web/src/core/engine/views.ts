// What the screens watch and read: from the database alone, so that it is there without a connection and the same in every tab.

import type { Stop, Window } from '../engine.ts'
import type { Chat, Contact, Content, JID, Message, Micros, SearchHit } from '../model.ts'
import { allChats, chatFor, inOrder, snapshot } from '../store/chats.ts'
import { look, type Database, type KeptMessage, type Look } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { after, before, beyond, byNames, MAX_PAGE, newestPlace, onShelf, type Shelf } from '../store/messages.ts'
import { senderName } from '../store/names.ts'
import { find } from '../store/words.ts'
import type { Changes, News } from './changes.ts'

/** How long changes are collected before a watcher is called again, in milliseconds. */
const PATIENCE = 16
/** How long a change of the list may wait before the first picture of the next start is written, in milliseconds. */
const SNAPSHOT = 2000
const MAX_HITS = 100
const MAX_SHELF = 60

/** Pages of the archive that are read to get to a place: 5,000 messages. */
const MAX_PAGES = 100

/** A message as screens get it: without what only the store needs. */
export function shown(m: KeptMessage): Message {
  const { names: _, shelves: __, marks: ___, calls: ____, markable: _____, listed: ______, ...message } = m
  const { content } = message
  // Where it is, and its key, is nothing to look at, and nothing to be saved with a chat.
  if (content.type === 'once' && content.file) message.content = { ...content, file: { ...content.file, url: undefined } }
  return message
}

/** Calls `work` at once when it has rested, else soon, once for many wishes; never twice at a time. What it throws is shown and ends nothing. */
export function soon(work: () => Promise<void>): () => void {
  let rested = -Infinity
  const later = collected(async () => {
    try {
      await work()
    } finally {
      rested = performance.now()
    }
  }, PATIENCE)
  return () => later(performance.now() - rested > PATIENCE)
}

/** Calls `work` after a wait, or `now`. */
function collected(work: () => Promise<void>, wait: number): (now?: boolean) => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let busy = false
  let again = false
  const run = async () => {
    timer = undefined
    busy = true
    try {
      await work()
    } catch (error) {
      if (!isClosed(error)) queueMicrotask(() => { throw error })
    } finally {
      busy = false
      if (again) {
        again = false
        timer = setTimeout(() => void run(), wait)
      }
    }
  }
  return (now = false) => {
    if (busy) again = true
    else if (now && timer === undefined) void run()
    else timer ??= setTimeout(() => void run(), wait)
  }
}

const isClosed = (error: unknown) => error instanceof Error && /^(InvalidStateError|StorageBroken|AbortError)$/.test(error.name)

/** What older messages of a chat are had from. */
export interface Older {
  older(chat: JID): Promise<boolean>
  hasOlder(chat: JID): Promise<boolean>
}

/** The views of one account. */
export class Views {
  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News, private readonly archive: Older) {}

  /** The list of chats: its first rows at once, then all. */
  watchChats(show: (chats: Chat[]) => void): Stop {
    let all: Map<JID, Chat> | undefined
    let changed = new Set<JID>()
    let stopped = false
    const keep = collected(async () => { if (all) await snapshot(this.db, listed(all)) }, SNAPSHOT)
    const update = soon(async () => {
      const jids = changed
      changed = new Set()
      all ??= new Map((await allChats(this.db)).map((c) => [c.jid, c]))
      for (const jid of jids) {
        const chat = await this.db.get('chats', jid)
        if (chat) all.set(jid, chat)
        else all.delete(jid)
      }
      if (!stopped) show(listed(all))
      keep()
    })
    void (async () => {
      const top = await get(this.db, 'top')
      if (top && !all && !stopped) show(top.chats.filter(isListed))
      update()
    })().catch(() => update())
    const stop = this.news.listen((c) => {
      if (!c.chats?.length) return
      for (const jid of c.chats) changed.add(jid)
      update()
    })
    return () => {
      stopped = true
      stop()
    }
  }

  /** One chat. One that does not exist yet is given as it would be. */
  watchChat(jid: JID, show: (chat: Chat | undefined) => void): Stop {
    return this.watch((c) => !!c.chats?.includes(jid) || !!c.contacts, async () => show(await chatFor(look(this.db, ['chats', 'contacts', 'kv']), jid, this.account)))
  }

  /** Messages of a chat that are new, changed or gone from now on. */
  watchMessages(jid: JID, show: (changed: Message[], removed: string[]) => void): Stop {
    let ids = new Set<string>()
    let removed = new Set<string>()
    let stopped = false
    const update = soon(async () => {
      const [now, gone] = [ids, removed]
      ids = new Set()
      removed = new Set()
      const tx = look(this.db, ['messages'])
      const found = (await Promise.all([...now].map((id) => tx.objectStore('messages').get(id)))).filter((m) => m?.chat === jid)
      if (!stopped && (found.length || gone.size)) show(found.flatMap((m) => m ? shown(m) : []).sort((a, b) => a.order - b.order), [...gone])
    })
    const stop = this.news.listen((c) => {
      for (const id of c.messages?.[jid] ?? []) ids.add(id)
      for (const id of c.removed?.[jid] ?? []) removed.add(id)
      if (ids.size || removed.size) update()
    })
    return () => {
      stopped = true
      stop()
    }
  }

  /** Contacts by name. */
  watchContacts(show: (contacts: Contact[]) => void): Stop {
    return this.watch((c) => !!c.contacts, async () => show(await this.db.getAll('contacts')))
  }

  /** Calls `work` at once and whenever there is news that concerns it. */
  watch(concerns: (changes: Changes) => boolean, work: () => Promise<void>): Stop {
    let stopped = false
    const update = soon(async () => { if (!stopped) await work() })
    update()
    const stop = this.news.listen((c) => { if (concerns(c)) update() })
    return () => {
      stopped = true
      stop()
    }
  }

  /** A window of messages; see Engine.page. */
  async page(jid: JID, at: { around?: string | Micros; before?: Micros; after?: Micros; limit: number; here?: boolean }): Promise<Window> {
    const limit = Math.max(1, Math.min(at.limit, MAX_PAGE))
    if (at.before !== undefined) return this.pageBefore(jid, at.before, limit)
    if (at.after !== undefined) return this.framed(jid, await after(look(this.db, ['messages']), jid, at.after, limit), at.after)
    if (at.around === undefined) return this.opened(jid, limit)
    const place = await this.reach(jid, at.around, !at.here)
    return place === undefined ? { ...await this.opened(jid, limit), missing: true } : this.pageAround(jid, place, limit)
  }

  /** The place of a message, or of a time, when all from there on is on this device: else it is read from the archive, if that may be asked. */
  private async reach(jid: JID, around: string | Micros, ask: boolean): Promise<Micros | undefined> {
    for (let pages = 0; ; pages++) {
      const tx = look(this.db, ['messages'])
      const found = typeof around === 'string' ? await this.placeOf(tx, jid, around) : await beyond(tx, jid, around + 1, 'before') ? around : undefined
      if (found !== undefined) return found
      // At its first message a chat begins: there is nothing before it to be reached.
      if (!await this.archive.hasOlder(jid)) return typeof around === 'number' ? around : undefined
      if (!ask || pages >= MAX_PAGES || !await this.read(jid)) return undefined
    }
  }

  /** Reads one page of the archive; false if none came, or it was the last that there is. */
  private async read(jid: JID): Promise<boolean> {
    const more = await this.archive.older(jid).catch(() => false)
    return more || !await this.archive.hasOlder(jid)
  }

  /** The window that a chat opens with, of what is here: nobody waits for the archive to see what was said. */
  private async opened(jid: JID, limit: number): Promise<Window> {
    const tx = look(this.db, ['chats', 'messages'])
    const [chat, found, more] = await Promise.all([tx.objectStore('chats').get(jid), before(tx, jid, Infinity, limit + 1), this.archive.hasOlder(jid)])
    const [messages, older] = [found.slice(-limit), found.length > limit]
    const readUpTo = chat?.readUpTo ?? -Infinity
    const middle = messages[messages.length >> 1]
    if (!chat?.unread || !older || (middle && middle.order <= readUpTo)) return { messages: messages.map(shown), older: older || more, newer: false }
    const [unread] = await after(look(this.db, ['messages']), jid, readUpTo, 1)
    return this.pageAround(jid, unread?.order ?? Infinity, limit)
  }

  private async pageAround(jid: JID, place: Micros, limit: number): Promise<Window> {
    const tx = look(this.db, ['messages'])
    const newer = await after(tx, jid, place, limit, true)
    const older = await before(tx, jid, place, Math.max(Math.floor(limit / 2), limit - newer.length))
    return this.framed(jid, [...older, ...newer.slice(0, limit - older.length)], place)
  }

  private async pageBefore(jid: JID, place: Micros, limit: number): Promise<Window> {
    let found = await before(look(this.db, ['messages']), jid, place, limit)
    if (found.length < limit) {
      // There may be more in the archive; without a connection what is here is all there is now.
      for (let more = true, tries = 0; more && found.length < limit && tries < 5; tries++) {
        more = await this.archive.older(jid).catch(() => false)
        found = await before(look(this.db, ['messages']), jid, place, limit)
      }
    }
    return this.framed(jid, found, place)
  }

  private async placeOf(tx: Look, jid: JID, id: string): Promise<Micros | undefined> {
    const found = await tx.objectStore('messages').get(id) ?? await byNames(tx, [senderName(jid, id), senderName(this.account, id)])
    return found?.chat === jid ? found.order : undefined
  }

  private async framed(jid: JID, messages: KeptMessage[], place: Micros): Promise<Window> {
    const tx = look(this.db, ['messages'])
    const [first, last] = [messages[0]?.order ?? place, messages.at(-1)?.order ?? place]
    const [older, newer] = await Promise.all([beyond(tx, jid, first, 'before'), beyond(tx, jid, last, 'after')])
    return { messages: messages.map(shown), older: older || await this.archive.hasOlder(jid), newer }
  }

  /** Messages in which all the words stand, newest first, at most 100; without words, all of a kind. */
  async search(words: string, within?: { chat?: JID; kind?: Content['type'] | 'link' }): Promise<SearchHit[]> {
    const tx = look(this.db)
    const hits: SearchHit[] = []
    for (const { message, marks } of await find(tx, words, within, MAX_HITS)) {
      hits.push({ message: shown(message), chat: await chatFor(tx, message.chat, this.account), marks })
    }
    return hits
  }

  /** What stands on a shelf of a chat, newest first, at most 60. */
  async gallery(jid: JID, kind: Shelf, before = Infinity): Promise<Message[]> {
    return (await onShelf(look(this.db), jid, kind, before, MAX_SHELF)).map(shown)
  }

  /** The place of the newest message of a chat. */
  newest(jid: JID): Promise<Micros | undefined> {
    return newestPlace(look(this.db), jid)
  }
}

const isListed = (c: Chat): boolean => !!(c.last || c.draft || c.voice || c.pinned || c.to)
const listed = (all: Map<JID, Chat>): Chat[] => [...all.values()].filter(isListed).sort(inOrder)
