// What a person does with statuses, put into the database: it needs no connection, and works in every tab. What has to leave, the tab with the connection
// tells (status-lead.ts). Loaded when statuses are first looked at.

import type { Stop } from '../engine.ts'
import type { JID, Micros } from '../model.ts'
import { MAX_STATUS_TEXT, STATUS_COLOURS, type Audience, type NewStatus, type Status, type StatusContent, type Statuses, type StatusView } from '../status.ts'
import { change, look, type Change, type Database, type Store } from '../store/database.ts'
import { keepFile } from '../store/files.ts'
import { choicesOf, get } from '../store/kv.ts'
import { addIfRoom } from '../store/outbox.ts'
import { noteDecided } from '../store/settings.ts'
import { dropOver, isStatusMuted, keyOf, noteNew, type KeptStatus } from '../store/statuses.ts'
import { chatFor } from '../store/chats.ts'
import type { News } from './changes.ts'
import { readPoster } from './content.ts'
import { Unusable } from './desk-steps.ts'
import type { Led } from './lead.ts'

const STORES: Store[] = ['statuses', 'statusViews', 'kv', 'files', 'blobs', 'outbox', 'contacts', 'chats']
const MAX_FILE = 200 << 20
const MAX_CAPTION = 1000
const MAX_PEOPLE = 2000
/** Statuses of one message about what was looked at. */
const MAX_TOLD = 50
/** How often what is shown is compared with the time, in milliseconds. */
const TICK = 10_000

/** Those a status is for now: contacts who may see our presence, as far as they are chosen, without whom we block. */
export async function readersOf(db: Database, account: JID, { kind, except, only }: Audience): Promise<JID[]> {
  const blocked = new Set(await get(db, 'blocked') ?? [])
  const contacts = (await db.getAll('contacts')).filter((c) => /^(from|both)$/.test(c.subscription) && c.jid !== account && !blocked.has(c.jid)).map((c) => c.jid)
  return contacts.filter((jid) => kind === 'except' ? !except.includes(jid) : kind !== 'only' || only.includes(jid)).slice(0, MAX_PEOPLE)
}

/** The statuses of one account, as a tab has them. */
export class StatusDesk implements Statuses {
  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News, private readonly led: Pick<Led, 'fetchStatus' | 'statusAudience'>) {}

  private async now(): Promise<Micros> {
    return Date.now() * 1000 + (await get(this.db, 'skew') ?? 0)
  }

  private async step<T>(work: (tx: Change, now: Micros) => Promise<T>): Promise<T> {
    const now = await this.now()
    const result = await change(this.db, STORES, (tx) => work(tx, now))
    this.news.tell({ updates: true })
    return result
  }

  /** Calls back at once, on every change, and when something is over. */
  watch(show: (statuses: Status[]) => void): Stop {
    let stopped = false
    let shown = ''
    const update = async (always: boolean) => {
      const all = await this.all()
      const now = all.map((s) => s.id).join()
      if (stopped || (!always && now === shown)) return
      shown = now
      show(all)
    }
    const tick = async () => {
      const now = await this.now()
      if (await change(this.db, STORES, (tx) => dropOver(tx, now))) this.news.tell({ updates: true })
      else await update(false)
    }
    const quietly = (work: Promise<void>) => { work.catch((error: unknown) => { if (!stopped) console.warn('statuses', error) }) }
    quietly(tick().then(() => update(true)))
    const stop = this.news.listen((c) => { if (c.updates || c.choices || c.settings) quietly(update(true)) })
    const timer = setInterval(() => quietly(tick()), TICK)
    return () => {
      stopped = true
      stop()
      clearInterval(timer)
    }
  }

  private async all(): Promise<Status[]> {
    const now = await this.now()
    const tx = look(this.db, ['statuses', 'statusViews', 'kv', 'contacts'])
    const blocked = new Set(await get(tx, 'blocked') ?? [])
    const tells = (await choicesOf(tx)).readReceipts
    const since = await get(tx, 'since') ?? 0
    // What was told before this device was there, and not for it, is no news.
    const all = (await tx.objectStore('statuses').getAll()).filter((s) => !s.gone && s.expires > now && !blocked.has(s.author) && !(s.unreadable && s.posted < since))
    const out: Status[] = []
    const muted = new Map<JID, boolean>()
    for (const { author } of all) if (!muted.has(author)) muted.set(author, await isStatusMuted(tx, author))
    for (const status of all.sort((a, b) => a.posted - b.posted || (a.id < b.id ? -1 : 1))) {
      const { key: _, told: _told, audience: _audience, readers, gone: _gone, ...rest } = status
      out.push({ ...rest, ...(muted.get(rest.author) ? { muted: true as const } : {}), ...(rest.own && tells ? { views: await this.views(tx, rest.id, readers) } : {}) })
    }
    return out
  }

  /** People, each once, and only those it was for. */
  private async views(tx: ReturnType<typeof look>, id: string, readers: JID[] | undefined): Promise<StatusView[]> {
    const all = await tx.objectStore('statusViews').getAll(IDBKeyRange.bound([id, ''], [id, '\uffff']))
    const known = new Set(readers ?? (await tx.objectStore('contacts').getAllKeys()))
    return all.filter((v) => v.jid !== this.account && known.has(v.jid)).map(({ jid, time }) => ({ jid, time })).sort((a, b) => b.time - a.time)
  }

  async post(status: NewStatus): Promise<string> {
    const id = crypto.randomUUID()
    const content = contentOf(id, status)
    await this.step(async (tx, now) => {
      const kept: KeptStatus = {
        key: keyOf(this.account, id), id, author: this.account, own: true, posted: now, expires: Infinity, content, colour: Math.max(0, Math.min(STATUS_COLOURS - 1, Math.floor(status.colour ?? 0))),
        seen: true, told: true, state: 'waiting', audience: status.audience,
      }
      if (status.file && 'media' in content) await keepFile(tx, { key: content.media.key, only: true, used: now }, status.file.blob)
      await tx.objectStore('statuses').put(kept)
      if (JSON.stringify(await get(tx, 'statusAudience')) === JSON.stringify(status.audience)) return
      await tx.objectStore('kv').put(status.audience, 'statusAudience')
      await tx.objectStore('kv').put(true, 'statusAudience untold')
    })
    return id
  }

  async retry(id: string): Promise<void> {
    await this.own(id, ({ failure: _, ...status }) => ({ ...status, state: 'waiting', expires: Infinity }), (s) => s.state === 'failed')
  }

  async remove(id: string): Promise<void> {
    await this.own(id, (status) => ({ ...status, gone: true }), () => true)
  }

  private own(id: string, alter: (status: KeptStatus) => KeptStatus, when: (status: KeptStatus) => boolean): Promise<void> {
    return this.step(async (tx) => {
      const status = await tx.objectStore('statuses').get(keyOf(this.account, id))
      if (status && when(status)) await tx.objectStore('statuses').put(alter(status))
    })
  }

  async look(author: JID, ids: string[]): Promise<void> {
    const fresh = await this.step(async (tx, now) => {
      const tells = (await choicesOf(tx)).readReceipts
      const items: string[] = []
      for (const id of ids.slice(0, MAX_TOLD)) {
        const status = await tx.objectStore('statuses').get(keyOf(author, id))
        if (!status || status.own || status.unreadable || (status.seen && status.told)) continue
        if (!status.told && tells) items.push(id)
        await tx.objectStore('statuses').put({ ...status, seen: true, told: true })
      }
      if (items.length) await addIfRoom(tx, { chat: author, id: crypto.randomUUID(), message: '', task: { what: 'seen', items }, since: now })
      await noteNew(tx, now)
      return items.length > 0
    })
    if (fresh) this.news.tell({ outbox: true })
  }

  fetch(author: JID, id: string): Promise<void> {
    return this.led.fetchStatus(author, id)
  }

  /** What was chosen last, here or on another device: each session brings it. A device that never heard of one asks; where nobody chose it is everybody. */
  async audience(): Promise<Audience> {
    const here = await get(this.db, 'statusAudience')
    return here ?? await this.led.statusAudience().catch(() => undefined) ?? { kind: 'contacts', except: [], only: [] }
  }

  async mute(jid: JID, on: boolean): Promise<void> {
    await this.step(async (tx, now) => {
      const chat = await chatFor(tx, jid, this.account, now)
      await noteDecided(tx, chat, { statusMuted: on || undefined }, now)
      const { statusMuted: _, ...rest } = chat
      if (await tx.objectStore('chats').getKey(jid)) await tx.objectStore('chats').put(on ? { ...rest, statusMuted: true } : rest)
      await noteNew(tx, now)
    })
    this.news.tell({ settings: true, chats: [jid] })
  }
}

function contentOf(id: string, { text = '', file }: NewStatus): StatusContent {
  if (!file) {
    if (!text.trim() || text.length > MAX_STATUS_TEXT) throw new Unusable('text')
    return { type: 'text', text }
  }
  const { name, mime, as, caption, blob, width, height, seconds, waveform, poster, thumbhash } = file
  if (blob.size > MAX_FILE) throw new Unusable('too large')
  if (as !== 'image' && as !== 'video' && as !== 'voice') throw new Unusable('content')
  const facts = Object.fromEntries(Object.entries({ width, height, seconds, waveform, poster: readPoster(poster), thumbhash }).filter(([, v]) => v !== undefined))
  return { type: as, media: { key: 'status ' + id, name: name.slice(0, 255), mime, size: blob.size, ...facts }, ...(caption?.trim() ? { caption: caption.slice(0, MAX_CAPTION) } : {}) }
}
