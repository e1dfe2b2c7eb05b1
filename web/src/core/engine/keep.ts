// Opens what came and keeps it: decrypted, read, and put into the database in one step with whatever has to be noted beside it.

import type { JID, Micros } from '../model.ts'
import { change, everything, look, type Database } from '../store/database.ts'
import { actNamed } from '../store/acts.ts'
import { get } from '../store/kv.ts'
import type { Element } from '../xmpp/xml.ts'
import { apply, known, namesOf, type Step } from './apply.ts'
import { Collector, type News } from './changes.ts'
import type { Letter } from './said.ts'
import type { Reading } from './secure.ts'
import { cryptoKey, letterOf, type Envelope } from './unwrap.ts'

/** What keeping needs of the encryption. */
export interface Opener {
  /** `time`: when the server took it; `room`: it came through this group, and was said in it. */
  open(stanza: Element, from: JID, key: string, room?: JID, time?: Micros): Promise<Reading | undefined>
  stored(keys: string[]): Promise<void>
  crypto: { beginCatchUp(): Promise<unknown>; endCatchUp(): Promise<unknown> }
}

/** What it tells. */
export interface KeepEvents {
  /** A message came that is new. */
  arrived?(letter: Letter): void
  /** Somebody types, or stops. */
  typing?(letter: Letter, state: 'composing' | 'recording' | 'paused'): void
}

/** Keeps what comes for one account. */
export class Keeper {
  constructor(
    private readonly db: Database, private readonly account: JID, private readonly opener: Opener, private readonly news: News,
    private readonly events: KeepEvents, private readonly now: () => Micros,
  ) {}

  /** Opens envelopes and keeps them in one step, with what is done `also`. */
  async keep(envelopes: Envelope[], also?: (step: Step) => Promise<void>): Promise<void> {
    const since = await get(this.db, 'since') ?? 0
    const before = await Promise.all(envelopes.map((e) => this.again(e)))
    // Asked in order and answered in order, without a pause between two.
    const read = await Promise.all(envelopes.map((e, i): Promise<{ letter?: Letter; key?: string }> => before[i] ? Promise.resolve({ letter: before[i] }) : this.read(e, since)))
    const letters = read.flatMap((one) => one.letter ?? [])
    const keys = read.flatMap((one) => one.key ?? [])
    for (const letter of letters) for (const said of letter.says) if (said.what === 'typing' && letter.live) this.events.typing?.(letter, said.state)
    const changes = new Collector()
    const lasting = letters.filter((l) => l.says.some((s) => s.what !== 'typing'))
    if (lasting.length || also) await change(this.db, everything, async (tx) => {
      const step = { tx, account: this.account, now: this.now(), changes }
      for (const letter of lasting) await apply(step, letter)
      await also?.(step)
    })
    this.news.tell(changes.all)
    await this.opener.stored(keys)
    for (const letter of lasting) if (letter.live) this.events.arrived?.(letter)
  }

  /** A letter that says nothing new, for a message that is kept already: it is not decrypted again, its keys are used up. */
  private async again(e: Envelope): Promise<Letter | undefined> {
    const bare: Letter = { ...e, wantsReceipt: false, wantsMarker: false, protection: 'none', says: [{ what: 'content', content: { type: 'text', text: '' } }] }
    const before = e.ids.length || e.archived ? await known(look(this.db, ['messages']), bare) : undefined
    if (before) return before.content.type === 'undecryptable' ? undefined : bare
    return e.archived && await actNamed(look(this.db, ['acts']), e.chat, namesOf(bare)) ? { ...bare, says: [{ what: 'numbered' }] } : undefined
  }

  /** Reads one envelope. */
  private async read(e: Envelope, since: Micros): Promise<{ letter?: Letter; key?: string }> {
    const key = cryptoKey(e)
    const reading = await this.opener.open(e.stanza, e.from, key, e.group ? e.chat : undefined, e.time)
    // From before this device was there: it could never have been read here, and is no news.
    if (reading?.what === 'unreadable' && reading.reason === 'old-device' && e.time < since) return {}
    const letter = letterOf(e, reading)
    if (!letter) return reading && reading.what !== 'unreadable' ? { key: reading.key } : {} // it says nothing: there is nothing to keep
    return { letter, ...(reading?.what === 'text' ? { key } : {}) }
  }
}
