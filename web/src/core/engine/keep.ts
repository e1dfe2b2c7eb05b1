// Opens what came and keeps it: decrypted, read, and put into the database in one step with whatever has to be noted beside it.

import type { ChainName } from '../crypto/types.ts'
import type { JID, Micros } from '../model.ts'
import { change, everything, look, type Database } from '../store/database.ts'
import { actNamed } from '../store/acts.ts'
import { get } from '../store/kv.ts'
import type { Element } from '../xmpp/xml.ts'
import { apply, known, namesOf, type Step } from './apply.ts'
import { Collector, type News } from './changes.ts'
import type { Waiting } from './locked.ts'
import type { Ready } from './pay-notices.ts'
import { keepEarly } from './pay-early.ts'
import type { Letter } from './said.ts'
import { QUIET } from './own-ns.ts'
import type { Missing, Reading } from './secure.ts'
import { cryptoKey, letterOf, type Envelope } from './unwrap.ts'

/** What keeping needs of the encryption. */
export interface Opener {
  /** `time`: when the server took it; `room`: it came through this group, and was said in it. */
  open(stanza: Element, from: JID, key: string, room?: JID, time?: Micros): Promise<Reading | undefined>
  stored(keys: string[]): Promise<void>
  /** Something of ours came back from a group. */
  reflected?(stanza: Element, room: JID): Promise<void>
  /** A chain is missing. */
  missing?(chain: ChainName): Promise<void>
  crypto: { beginCatchUp(): Promise<unknown>; endCatchUp(): Promise<unknown> }
}

/** What it tells. */
export interface KeepEvents {
  /** A message came that is new. */
  arrived?(letter: Letter): void
  /** Somebody types, or stops. */
  typing?(letter: Letter, state: 'composing' | 'recording' | 'paused'): void
}

/** What came of an envelope: what it says, the name under which the encryption keeps it, the chain for which it waits. */
interface Read { letter?: Letter; key?: string; chain?: Missing }

/** What waits for keys of senders is seldom: a chunk of its own. */
const locks = (): Promise<typeof import('./locked.ts')> => import('./locked.ts')

/** Messages that waited and are read in one step. */
const TOGETHER = 50

/** Keeps what comes for one account. */
export class Keeper {
  constructor(
    private readonly db: Database, private readonly account: JID, private readonly opener: Opener, private readonly news: News,
    private readonly events: KeepEvents, private readonly now: () => Micros,
  ) {}

  /** Opens envelopes and keeps them in one step, with what is done `also`. */
  keep(envelopes: Envelope[], also?: (step: Step) => Promise<void>): Promise<void> {
    return this.keepAll(envelopes.map((envelope) => ({ envelope })), also)
  }

  /** A chain came, or may have: what waited for it is read. */
  async unlock(chain?: ChainName): Promise<void> {
    if (!await look(this.db, ['later']).objectStore('later').index('target').count(IDBKeyRange.bound('chain ', 'chain \uffff'))) return
    const { everyWaiting, waitingFor } = await locks()
    const store = look(this.db, ['later'])
    const waiting = chain ? await waitingFor(store, chain) : await everyWaiting(store)
    for (let i = 0; i < waiting.length; i += TOGETHER) await this.keepAll(waiting.slice(i, i + TOGETHER))
  }

  private async keepAll(every: { envelope: Envelope; id?: number }[], also?: (step: Step) => Promise<void>): Promise<void> {
    const notices = await this.readNotices(every.flatMap(({ envelope }) => envelope.notice ? [envelope] : []))
    const all = every.filter((one) => !one.envelope.notice)
    const told: Letter[] = []
    const envelopes = all.map((one) => one.envelope)
    const since = await get(this.db, 'since') ?? 0
    const before = await Promise.all(envelopes.map((e) => this.again(e)))
    // Asked in order and answered in order, without a pause between two.
    const read = await Promise.all(envelopes.map((e, i): Promise<Read> => before[i] ? Promise.resolve({ letter: before[i] }) : this.read(e, since)))
    const letters = read.flatMap((one) => one.letter ?? [])
    const keys = read.flatMap((one) => one.key ?? [])
    for (const letter of letters) for (const said of letter.says) if (said.what === 'typing' && letter.live) this.events.typing?.(letter, said.state)
    const changes = new Collector()
    const lasting = letters.filter((l) => l.says.some((s) => s.what !== 'typing'))
    const locked = all.flatMap(({ id, envelope }, i) => read[i]?.chain ? [{ envelope, chain: read[i].chain, known: id !== undefined }] : [])
    const open = all.flatMap(({ id, envelope }, i) => id !== undefined && !read[i]?.chain ? [{ waiting: { id, envelope } satisfies Waiting, letter: read[i]?.letter }] : [])
    const lock = locked.length || open.length ? await locks() : undefined
    if (lasting.length || also || open.length || notices.length) await change(this.db, everything, async (tx) => {
      const step = { tx, account: this.account, now: this.now(), changes }
      for (const one of open) await lock?.unlocked(step, one.waiting, one.letter)
      for (const one of locked) if (!one.known) await lock?.noteLocked(tx, one.envelope, one.chain)
      for (const letter of lasting) await apply(step, letter)
      for (const keep of notices) told.push(...[await keep(step)].flatMap((letter) => letter ?? []))
      await also?.(step)
    })
    this.news.tell(changes.all)
    await this.opener.stored(keys)
    await this.told(envelopes, locked)
    for (const letter of [...lasting, ...told]) if (letter.live) this.events.arrived?.(letter)
  }

  /** What the service of payments tells, is seldom: a chunk of its own. */
  private async readNotices(envelopes: Envelope[]): Promise<Ready[]> {
    if (!envelopes.length) return []
    const part = await import('./pay-notices.ts').catch(() => undefined)
    // What cannot be read now, since its part cannot be had, waits for the next session; nothing else does.
    return Promise.all(envelopes.map((e) => part ? part.readNotice(this.db, this.account, e) : (step: Step) => keepEarly(step, e)))
  }

  /** Tells the encryption what came of it. What fails comes again with the next message. */
  private async told(envelopes: Envelope[], locked: { envelope: Envelope; chain: Missing }[]): Promise<void> {
    for (const { stanza, chat, own, group, archived } of envelopes) if (own && group && archived) await this.opener.reflected?.(stanza, chat).catch(() => undefined)
    const asked = new Map(locked.map(({ envelope: { chat, from }, chain: { device, epoch } }) => [`${chat} ${from} ${device} ${epoch}`, { room: chat, sender: { jid: from, device }, epoch }]))
    for (const chain of asked.values()) await this.opener.missing?.(chain).catch(() => undefined)
  }

  /** A letter that says nothing new, for a message that is kept already: it is not decrypted again, its keys are used up. */
  private async again(e: Envelope): Promise<Letter | undefined> {
    const bare: Letter = { ...e, wantsReceipt: false, wantsMarker: false, protection: 'none', says: [{ what: 'content', content: { type: 'text', text: '' } }] }
    const before = e.ids.length || e.archived ? await known(look(this.db, ['messages']), bare) : undefined
    if (before) return before.content.type === 'undecryptable' ? undefined : bare
    const act = e.archived && (e.own || e.stanza.child('quiet', QUIET)) ? await actNamed(look(this.db, ['acts']), e.chat, namesOf(bare)) : undefined
    return act && act.deed.what !== 'unread' ? { ...bare, says: [{ what: 'numbered' }] } : undefined
  }

  /** Reads one envelope. */
  private async read(e: Envelope, since: Micros): Promise<Read> {
    const key = cryptoKey(e)
    const reading = await this.opener.open(e.stanza, e.from, key, e.group ? e.chat : undefined, e.time)
    // From before this device was there: it could never have been read here, and is no news.
    if (reading?.what === 'unreadable' && (reading.reason === 'old-device' || reading.chain) && e.time < since && !e.stanza.child('quiet', QUIET)) return {}
    const letter = letterOf(e, reading)
    if (!letter) return reading && reading.what !== 'unreadable' ? { key: reading.key } : {} // it says nothing: there is nothing to keep
    // What was said before this device was there, or was a member, was not meant for it: it asks nobody.
    const chain = reading?.what === 'unreadable' && e.group && e.archived && !e.old && e.time >= since ? reading.chain : undefined
    return { letter, ...(reading?.what === 'text' ? { key } : {}), ...(chain ? { chain } : {}) }
  }
}
