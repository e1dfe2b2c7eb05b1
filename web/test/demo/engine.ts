// An engine that lives in memory and answers like the real one, so that screens can be looked at and tried without a server.
import type { Engine, Outgoing, Stop, Window } from '../../src/core/engine.ts'
import type { AccountSummary, Chat, Connection, Contact, Content, Device, Draft, Going, JID, LinkPreview, Message, Micros, Place, SearchHit, State, Sticker } from '../../src/core/model.ts'
import type { Groups, MemberPage, MemberQuery } from '../../src/core/groups.ts'
import { DemoGroups } from './groups.ts'
import { DemoMore } from './more.ts'
import type { Status, Statuses } from '../../src/core/status.ts'
import { demoStatuses, watchDemoStatuses } from './statuses.ts'
import { at, contacts, me, message, seeds } from './people.ts'

type Show<T> = (value: T) => void
const now = (): Micros => Date.now() * 1000

class Watchers<T> {
  private readonly all = new Set<Show<T>>()
  add(show: Show<T>): Stop { this.all.add(show); return () => { this.all.delete(show) } }
  tell(value: T): void { for (const show of this.all) show(value) }
}

export class DemoEngine extends DemoMore implements Engine {
  private readonly chats = new Map<JID, Chat>()
  private readonly messages = new Map<JID, Message[]>()
  private readonly chatList = new Watchers<Chat[]>()
  private readonly oneChat = new Watchers<JID>()
  private readonly changes = new Watchers<{ jid: JID; changed: Message[]; removed: string[] }>()
  private readonly lines = new Watchers<Connection>()
  private readonly writers = new Watchers<Record<JID, { jid: JID; what: 'composing' | 'recording' }[]>>()
  private readonly files = new Map<string, Blob>()
  private connection: Connection

  constructor(options: { many: number; offline: boolean; empty: boolean }) {
    super()
    this.connection = options.offline
      ? { state: 'offline', since: now() - 60e6, waiting: 3, oldestWaiting: now() - 50e6 }
      : { state: 'live', since: now() - 60e6, waiting: 0, lastHeard: now() }
    if (options.empty) return
    for (const { chat, messages } of seeds()) this.put({ unread: 0, protection: 'omemo', time: 0, ...chat }, messages)
    if (options.many) this.many(options.many)
    for (let i = 0; i < 40; i++) this.put({ jid: `p${i}@palabre.example`, name: `Contact ${i}`, kind: 'person', unread: 0, protection: 'omemo', time: 0 }, [message(`p${i}@palabre.example`, 30_000 + i * 700, `p${i}@palabre.example`, 'À bientôt !')])
  }

  private put(chat: Chat, messages: Message[]): void {
    this.chats.set(chat.jid, chat)
    this.messages.set(chat.jid, messages)
    this.refresh(chat.jid)
  }

  private many(count: number): void {
    const jid = 'long@palabre.example'
    const words = 'On se retrouve demain devant la grande mosquée, apporte les photos et le pain si tu passes par le marché'.split(' ')
    const all = Array.from({ length: count }, (_, i) => message(jid, (count - i) * 3, i % 3 ? jid : me, words.slice(0, 2 + (i * 7) % words.length).join(' ') + ` ${i}`))
    this.put({ jid, name: 'Longue conversation', kind: 'person', unread: 0, protection: 'omemo', time: 0 }, all)
  }

  private refresh(jid: JID): void {
    const chat = this.chats.get(jid)
    const last = this.messages.get(jid)?.at(-1)
    if (!chat) return
    const next: Chat = { ...chat, ...(last ? { time: last.time, last: { id: last.id, from: last.from, own: last.own, text: textOf(last.content), content: last.content.type, ...(last.state ? { state: last.state } : {}) } } : {}) }
    if (!last) delete next.last
    this.chats.set(jid, next)
    this.chatList.tell(this.sorted())
    this.oneChat.tell(jid)
  }

  private sorted(): Chat[] {
    return [...this.chats.values()].filter((c) => c.last || c.draft).sort((a, b) => (b.pinned ?? 0) - (a.pinned ?? 0) || b.time - a.time)
  }

  private change(jid: JID, id: string, make: (m: Message) => Message): void {
    const all = this.messages.get(jid) ?? []
    const i = all.findIndex((m) => m.id === id)
    const old = all[i]
    if (!old) return
    const fresh = make(old)
    all[i] = fresh
    this.changes.tell({ jid, changed: [fresh], removed: [] })
    this.refresh(jid)
  }

  private find(id: string): Message | undefined {
    for (const all of this.messages.values()) { const found = all.find((m) => m.id === id); if (found) return found }
    return undefined
  }

  private alter(id: string, make: (m: Message) => Message): void {
    const found = this.find(id)
    if (found) this.change(found.chat, id, make)
  }

  private readonly town = new DemoGroups({
    chat: (jid) => this.chats.get(jid), put: (chat) => { this.chats.set(chat.jid, chat); if (!this.messages.has(chat.jid)) this.messages.set(chat.jid, []); this.refresh(chat.jid) },
    say: (jid, content) => this.add(jid, { ...message(jid, 0, jid, content), ...this.next(jid) }),
    change: (id, by, reason) => this.alter(id, (m) => ({ ...m, retracted: { by, time: now(), ...(reason ? { reason } : {}) } })),
  })
  members(jid: JID, query?: MemberQuery): Promise<MemberPage> { return this.town.members(jid, query) }
  pays = () => Promise.resolve(false)
  pay = () => Promise.reject(new Error('the demo has no payments'))
  unsettled = () => Promise.resolve(0)
  channels = () => Promise.reject(new Error('the demo has no channels'))
  community(): never { throw new Error('offline') }
  group<K extends keyof Groups>(what: K, ...args: Parameters<Groups[K]>): ReturnType<Groups[K]> {
    return (this.town.groups[what] as (...args: Parameters<Groups[K]>) => ReturnType<Groups[K]>)(...args)
  }

  watchChats(show: Show<Chat[]>): Stop { show(this.sorted()); return this.chatList.add(show) }
  watchChat(jid: JID, show: Show<Chat | undefined>): Stop { show(this.chats.get(jid)); return this.oneChat.add((changed) => { if (changed === jid) show(this.chats.get(jid)) }) }
  async setChat(jid: JID, change: Partial<Chat>): Promise<void> { const chat = this.ensure(jid); this.chats.set(jid, { ...chat, ...change }); this.refresh(jid) }
  async setDraft(jid: JID, draft: Draft | undefined): Promise<void> {
    const chat = { ...this.ensure(jid) }
    if (draft) chat.draft = draft; else delete chat.draft
    this.chats.set(jid, chat)
    this.refresh(jid)
  }
  async keepVoice(): Promise<void> { /* nothing is lost here */ }
  async voiceDraft(): Promise<undefined> { return undefined }
  async dropVoice(): Promise<void> { /* none is kept */ }
  async clearChat(jid: JID): Promise<void> {
    const removed = (this.messages.get(jid) ?? []).map((m) => m.id)
    this.messages.set(jid, [])
    this.changes.tell({ jid, changed: [], removed })
    this.refresh(jid)
  }
  async exportChat(jid: JID): Promise<Blob> { return new Blob([JSON.stringify(this.messages.get(jid) ?? [])]) }

  private ensure(jid: JID): Chat {
    const known = this.chats.get(jid)
    if (known) return known
    const fresh: Chat = { jid, kind: 'person', name: contacts.find((c) => c.jid === jid)?.name ?? jid, time: now(), unread: 0, protection: 'omemo' }
    this.chats.set(jid, fresh)
    this.messages.set(jid, [])
    return fresh
  }

  async page(jid: JID, where: { around?: string | Micros; before?: Micros; after?: Micros; limit: number }): Promise<Window> {
    const all = this.messages.get(jid) ?? []
    const { limit } = where
    let start: number
    if (where.before !== undefined) { const end = all.findIndex((m) => m.order >= (where.before ?? 0)); const stop = end < 0 ? all.length : end; start = Math.max(0, stop - limit); return this.cut(all, start, stop) }
    if (where.after !== undefined) { const i = all.findIndex((m) => m.order > (where.after ?? 0)); return i < 0 ? this.cut(all, all.length, all.length) : this.cut(all, i, i + limit) }
    if (where.around !== undefined) {
      const i = typeof where.around === 'string' ? all.findIndex((m) => m.id === where.around) : all.findIndex((m) => m.order >= Number(where.around))
      start = Math.max(0, (i < 0 ? all.length : i) - Math.floor(limit / 2))
      return this.cut(all, start, start + limit)
    }
    const unread = this.chats.get(jid)?.unread ?? 0
    start = Math.max(0, Math.min(all.length - limit, all.length - unread - Math.floor(limit / 2)))
    return this.cut(all, start, start + Math.max(limit, 0))
  }
  private cut(all: Message[], from: number, to: number): Window { return { messages: all.slice(from, to), older: from > 0, newer: to < all.length } }

  watchMessages(jid: JID, show: (changed: Message[], removed: string[]) => void): Stop { return this.changes.add((c) => { if (c.jid === jid) show(c.changed, c.removed) }) }

  async send(jid: JID, out: Outgoing): Promise<Message> {
    this.ensure(jid)
    const quoted = out.reply ? this.find(out.reply) : undefined
    const fresh: Message = { ...message(jid, 0, me, this.contentOf(out)), ...this.next(jid), state: 'waiting',
      ...(quoted ? { reply: { id: quoted.id, to: quoted.from, text: textOf(quoted.content) } } : {}), ...(out.mentions ? { mentions: out.mentions } : {}),
      ...(out.forwardOf ? { forwarded: (this.find(out.forwardOf)?.forwarded ?? 0) + 1 } : {}) }
    this.add(jid, fresh)
    if (this.connection.state === 'live') this.travel(jid, fresh.id)
    return fresh
  }
  /** The people of the pictures may live later than we do: what is new comes last all the same. */
  private next(jid: JID): { time: Micros; order: Micros } { const time = Math.max(now(), (this.messages.get(jid)?.at(-1)?.order ?? 0) + 1); return { time, order: time } }
  private add(jid: JID, m: Message): void { this.messages.get(jid)?.push(m); this.changes.tell({ jid, changed: [m], removed: [] }); this.refresh(jid) }
  private contentOf(out: Outgoing): Content {
    if (out.file) {
      const key = `f${now()}`
      this.files.set(key, out.file.blob)
      const { name, mime, as, caption, width, height, seconds, waveform } = out.file
      return { type: as, media: { key, name, mime, size: out.file.blob.size, ...(width ? { width } : {}), ...(height ? { height } : {}), ...(seconds ? { seconds } : {}), ...(waveform ? { waveform } : {}) }, ...(caption ? { caption } : {}) }
    }
    const original = out.forwardOf ? this.find(out.forwardOf) : undefined
    return out.content ?? original?.content ?? { type: 'text', text: out.text ?? '' }
  }
  private travel(jid: JID, id: string): void {
    const steps: [number, State][] = [[400, 'sent'], [900, 'delivered'], [2000, 'read']]
    for (const [ms, state] of steps) setTimeout(() => this.change(jid, id, (m) => ({ ...m, state, receipts: { [jid]: { delivered: now(), ...(state === 'read' ? { read: now() } : {}) } } })), ms)
  }

  /** receive is what a peer would do; tests and pictures call it. */
  receive(jid: JID, text: string, from: JID = jid): void {
    const chat = this.ensure(jid)
    this.chats.set(jid, { ...chat, unread: chat.unread + 1 })
    this.add(jid, { ...message(jid, 0, from, text), ...this.next(jid) })
  }
  /** type has somebody write in a chat for a while. */
  type(jid: JID, from: JID, what: 'composing' | 'recording' | undefined): void { this.writers.tell(what ? { [jid]: [{ jid: from, what }] } : {}) }
  /** line changes the connection. */
  line(change: Partial<Connection>): void { this.connection = { ...this.connection, since: now(), ...change }; this.lines.tell(this.connection) }

  async undo(id: string): Promise<void> { this.alter(id, ({ untold: _, ...m }) => m) }
  async retry(id: string): Promise<void> { this.alter(id, ({ failure: _, ...m }) => ({ ...m, state: 'waiting' })); const m = this.find(id); if (m) this.travel(m.chat, id) }
  async edit(id: string, text: string, preview?: LinkPreview): Promise<void> { this.alter(id, (m) => ({ ...m, content: { type: 'text', text, ...(preview ? { preview } : {}) }, edited: now() })) }
  async remove(ids: string[], forAll: boolean): Promise<void> {
    for (const id of ids) {
      if (forAll) { this.alter(id, (m) => ({ ...m, retracted: { by: me, time: now() } })); continue }
      const m = this.find(id)
      if (!m) continue
      this.messages.set(m.chat, (this.messages.get(m.chat) ?? []).filter((x) => x.id !== id))
      this.changes.tell({ jid: m.chat, changed: [], removed: [id] })
      this.refresh(m.chat)
    }
  }
  async react(id: string, emoji: string | null): Promise<void> {
    this.alter(id, (m) => {
      const reactions: Record<string, JID[]> = {}
      for (const [sign, who] of Object.entries(m.reactions ?? {})) { const rest = who.filter((j) => j !== me); if (rest.length) reactions[sign] = rest }
      if (emoji) (reactions[emoji] ??= []).push(me)
      return { ...m, reactions }
    })
  }
  async closePoll(id: string): Promise<void> { this.alter(id, (m) => (m.content.type === 'poll' ? { ...m, content: { ...m.content, closed: m.order + 1 } } : m)) }
  async answer(id: string, going: Going | null, guests = 0): Promise<void> {
    this.alter(id, (m) => {
      if (m.content.type !== 'event') return m
      const { [me]: _, ...others } = m.content.answers
      return { ...m, content: { ...m.content, answers: going ? { ...others, [me]: { going, guests } } : others } }
    })
  }
  async changeEvent(id: string, event: Extract<Content, { type: 'event' }>): Promise<void> { this.alter(id, (m) => ({ ...m, content: event })) }
  async vote(id: string, options: number[]): Promise<void> { this.alter(id, (m) => (m.content.type === 'poll' ? { ...m, content: { ...m.content, votes: { ...m.content.votes, [me]: options } } } : m)) }
  async star(ids: string[], on: boolean): Promise<void> { for (const id of ids) this.alter(id, (m) => ({ ...m, starred: on })) }
  async move(id: string, place?: Place): Promise<boolean> {
    this.alter(id, (m) => (m.content.type === 'location' ? { ...m, content: { ...m.content, ...place, ...(place ? {} : { liveUntil: 0 }) } } : m))
    return true
  }
  async pin(id: string, on: boolean): Promise<void> {
    const m = this.find(id)
    if (!m) return
    this.alter(id, (x) => ({ ...x, pinned: on }))
    const chat = { ...this.ensure(m.chat) }
    if (on) chat.pinnedMessage = id; else delete chat.pinnedMessage
    this.chats.set(m.chat, chat)
    this.refresh(m.chat)
  }
  async read(jid: JID): Promise<void> { const chat = this.chats.get(jid); if (chat?.unread) { const { mentioned: _, ...rest } = chat; this.chats.set(jid, { ...rest, unread: 0 }); this.refresh(jid) } }
  async played(id: string): Promise<void> { this.alter(id, (m) => ('media' in m.content ? { ...m, content: { ...m.content, media: { ...m.content.media, played: true } } } : m)) }
  typing(): void { /* nobody listens */ }
  watchTyping(show: Show<Record<JID, { jid: JID; what: 'composing' | 'recording' }[]>>): Stop { show({}); return this.writers.add(show) }
  async search(words: string): Promise<SearchHit[]> {
    const hits: SearchHit[] = []
    for (const all of this.messages.values()) for (const m of all) { const chat = this.chats.get(m.chat); const i = textOf(m.content).toLowerCase().indexOf(words.toLowerCase()); if (chat && i >= 0) hits.push({ message: m, chat, marks: [[i, i + words.length]] }) }
    return hits.slice(0, 50)
  }
  async gallery(jid: JID, kind: 'media' | 'files' | 'links' | 'voice' | 'starred'): Promise<Message[]> {
    const types: Record<string, string[]> = { media: ['image', 'video'], files: ['file'], voice: ['voice'], links: ['text'] }
    return (this.messages.get(jid) ?? []).filter((m) => (kind === 'starred' ? m.starred : types[kind]?.includes(m.content.type)))
  }
  async bytes(key: string): Promise<Blob | undefined> { return this.files.get(key) }
  async fetch(id: string): Promise<void> {
    const m = this.find(id)
    if (!m || !('media' in m.content)) return
    const { media } = m.content
    for (let done = 0; done <= media.size; done += Math.ceil(media.size / 8)) {
      this.alter(id, (x) => ('media' in x.content ? { ...x, content: { ...x.content, media: { ...media, transfer: { direction: 'down', done, total: media.size, state: 'running' } } } } : x))
      await new Promise((go) => setTimeout(go, 120))
    }
    this.files.set(media.key, await paint(media.key, media.mime))
    this.alter(id, (x) => ('media' in x.content ? { ...x, content: { ...x.content, media: { ...media, transfer: { direction: 'down', done: media.size, total: media.size, state: 'done' } } } } : x))
  }
  async pause(id: string): Promise<void> { this.alter(id, (m) => m) }
  async cancel(id: string): Promise<void> { this.alter(id, (m) => m) }
  async openOnce(id: string): Promise<Blob> {
    this.alter(id, (m) => (m.content.type === 'once' ? { ...m, content: { type: 'once', as: m.content.as, opened: now() } } : m))
    return paint(id, 'image/webp')
  }
  watchStatuses(show: Show<Status[]>): Stop { return watchDemoStatuses(show) }
  status<K extends keyof Statuses>(what: K, ...args: Parameters<Statuses[K]>): ReturnType<Statuses[K]> { return (demoStatuses[what] as (...all: Parameters<Statuses[K]>) => ReturnType<Statuses[K]>)(...args) }
  watchUpdates(show: Show<boolean>): Stop { show(true); return () => undefined }
  watchStickers(show: Show<Sticker[]>): Stop { show([]); return () => undefined }
  async keepSticker(): Promise<void> { /* none here */ }
  async dropSticker(): Promise<void> { /* none here */ }
  async sendSticker(jid: JID): Promise<Message> { return this.send(jid, { text: '🙂' }) }
  async stickerPack(): Promise<undefined> { return undefined }
  watchContacts(show: Show<Contact[]>): Stop { show(contacts); return () => undefined }
  async addContact(jid: JID): Promise<void> { this.ensure(jid) }
  async renameContact(): Promise<void> { /* names are fixed here */ }
  async removeContact(): Promise<void> { /* contacts are fixed here */ }
  async answerContact(): Promise<void> { /* nobody asks here */ }
  async block(jid: JID): Promise<void> { await this.setChat(jid, { blocked: true }) }
  async unblock(jid: JID): Promise<void> { await this.setChat(jid, { blocked: false }) }
  async devices(jid: JID): Promise<Device[]> { return [{ jid, id: 4711, fingerprint: '3f'.repeat(32), trust: 'trusted', active: true, own: jid === me, firstSeen: at(9000) }] }
  async trust(): Promise<void> { /* nothing to trust */ }
  watchConnection(show: Show<Connection>): Stop { show(this.connection); return this.lines.add(show) }
  reconnect(): void { this.line({ state: 'connecting' }); setTimeout(() => this.line({ state: 'live', waiting: 0 }), 1500) }
  account(): AccountSummary { return { jid: me, name: 'Nadia Ouazzani', active: true, admin: true } }
  watchAccount(show: (account: AccountSummary) => void): Stop { show(this.account()); return () => undefined }
  async invite(): Promise<{ link: string; expires?: Micros }> { return { link: 'https://palabre.example/invite/hTq9-xV3mWk2', expires: now() + 7 * 86_400e6 } }
  async setProfile(): Promise<void> { /* fixed */ }
  async changePassword(): Promise<void> { /* none */ }
  async deleteAccount(): Promise<void> { /* none */ }
  async signOut(): Promise<void> { /* stays */ }
  async exportData(): Promise<Blob> { return new Blob(['{}']) }
}

const textOf = (content: Content): string => {
  switch (content.type) {
    case 'text': return content.text
    case 'poll': return content.question
    case 'voice': return 'Message vocal · 0:24'
    case 'image': return content.caption ?? ''
    case 'file': return content.caption ?? content.media.name
    default: return ''
  }
}

/** A picture to look at: sea, sand and a sun, drawn here. */
async function paint(key: string, mime: string): Promise<Blob> {
  if (!mime.startsWith('image/')) return new Blob(['%PDF'], { type: mime })
  const canvas = new OffscreenCanvas(1280, 960)
  const c = canvas.getContext('2d')
  if (!c) return new Blob([])
  const sky = c.createLinearGradient(0, 0, 0, 960)
  sky.addColorStop(0, key === 'lisboa' ? '#f2a65a' : '#8cc9dd'); sky.addColorStop(.55, '#f6e3c2'); sky.addColorStop(.56, '#2c7f95'); sky.addColorStop(.78, '#7fc3cf'); sky.addColorStop(.8, '#e8d3a2')
  c.fillStyle = sky; c.fillRect(0, 0, 1280, 960)
  c.fillStyle = '#fff3d0'; c.beginPath(); c.arc(920, 330, 90, 0, 7); c.fill()
  return canvas.convertToBlob({ type: 'image/webp', quality: .8 })
}
