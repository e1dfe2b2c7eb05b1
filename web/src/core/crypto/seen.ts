// What is thought of many accounts, remembered: a group of a thousand has a thousand records, and reading them all takes longer than the rest of a message. With
// each change of a record the store notes whose it was, so that what another tab has changed is read again, and the rest is not.

import { refusalOfTrust, type Account } from './account.ts'
import { text, utf8 } from './bytes.ts'
import { profiles } from './profile.ts'
import { kinds, newSaved, readSaved, unknownField } from './saved.ts'
import type { Holder } from './sender-saved.ts'
import type { Bytes, RefusalCode } from './types.ts'

const maxNoted = 100
const maxSeen = 5000

/** What is thought of an account. */
export interface Seen {
  ids03: number[]
  ids2: number[]
  /** By the ids of OMEMO 2: the first 16 bytes of its key, if it is known, and why nothing is encrypted for it, if so. */
  devices: Map<number, { identity?: Bytes; refused?: RefusalCode }>
}

/** The last changes of accounts: how many there were, and whose the last ones were. */
export interface Changes { count: number; last: string[] }

/** Under which name they are kept. */
export const changesName = 'seen/changes'

/** The reverse of loadChanges. */
export function saveChanges({ count, last }: Changes): Bytes {
  const f = newSaved(kinds.seen).number(1, count)
  for (const jid of last) f.bytes(2, utf8(jid))
  return f.done()
}

/** Reads them; without any, or where they cannot be read, nothing is remembered. */
export function loadChanges(saved: Bytes | undefined): Changes | undefined {
  try {
    return saved && readSaved(saved, kinds.seen, (fields) => {
      const out: Changes = { count: 0, last: [] }
      for (const f of fields) {
        if (f.field === 1) out.count = f.uint53()
        else if (f.field === 2) out.last.push(text(f.bytes()))
        else unknownField(f)
      }
      return out
    })
  } catch {
    return undefined
  }
}

/** Notes that these accounts have changed. A count that begins begins anywhere, so that it is none that was seen before. */
export function noteChanges(before: Changes | undefined, jids: string[], random: (size: number) => Bytes): Changes {
  const first = before?.count ?? new DataView(random(4).buffer).getUint32(0) * 0x10000
  return { count: first + jids.length, last: [...before?.last ?? [], ...jids].slice(-maxNoted) }
}

function reasonOf(account: Account, id: number): RefusalCode {
  const device = account.device(id)
  return (device && refusalOfTrust(account.trustOf(device))) ?? 'undecided'
}

/** What one program remembers of accounts. */
export class Memory {
  private readonly accounts = new Map<string, Seen>()
  private count: number | undefined
  /** Who holds our chain in a group, with the mark of when. */
  readonly holders = new Map<string, { mark: Bytes; holders: Holder[] }>()

  /** Forgets what has changed since. */
  catchUp(changes: Changes | undefined): void {
    const behind = changes && this.count !== undefined ? changes.count - this.count : NaN
    if (!changes || !(behind >= 0 && behind <= changes.last.length)) this.accounts.clear()
    else for (const jid of behind ? changes.last.slice(-behind) : []) this.accounts.delete(jid)
    this.count = changes?.count
  }

  get(jid: string): Seen | undefined {
    return this.accounts.get(jid)
  }

  /** Remembers an account as it is kept; not before `catchUp`. */
  put(account: Account): Seen {
    const ids2 = account.listed(profiles[1])
    const devices: Seen['devices'] = new Map(ids2.map((id) => {
      const identity = account.device(id)?.identity?.slice(0, 16)
      const refused = account.accepts(id) ? undefined : reasonOf(account, id)
      return [id, { ...(identity ? { identity } : {}), ...(refused ? { refused } : {}) }]
    }))
    const seen = { ids03: account.listed(profiles[0]), ids2, devices }
    if (this.accounts.size >= maxSeen) this.accounts.clear()
    this.accounts.set(account.jid, seen)
    return seen
  }
}
