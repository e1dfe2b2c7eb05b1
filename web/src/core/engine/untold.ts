// Changes of messages that did not get through: a correction, a reaction, a vote, a pin, a retraction that could not be encrypted, or that came back. The
// errand stays as failed, and its message says so, until it goes again, is undone, or a later change of the same kind has left.

import type { Failure, Message } from '../model.ts'
import type { Change, KeptMessage } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { put } from '../store/messages.ts'
import { errandsOf, type Errand, type Undo } from '../store/outbox.ts'
import type { Collector } from './changes.ts'

/** Changes that were acknowledged and may still come back with an error. */
const MAX_TOLD = 200

type Kind = NonNullable<Message['untold']>['what']

const KINDS: readonly string[] = ['edit', 'react', 'vote', 'pin', 'retract', 'caption', 'place', 'answer', 'close', 'event'] satisfies Kind[]
const kindOf = (errand: Pick<Errand, 'task'>): Kind | undefined => KINDS.includes(errand.task.what) ? errand.task.what as Kind : undefined

/** What is to be put back if the others do not get a change of a message, as it was before. */
export function undoOf(message: KeptMessage, what: Errand['task']['what'], account: string): Undo | undefined {
  const { content } = message
  switch (what) {
    case 'edit': return { content, ...(message.edited ? { edited: message.edited } : {}), ...(message.mentions ? { mentions: message.mentions } : {}) }
    case 'react': return { emoji: Object.entries(message.reactions ?? {}).flatMap(([emoji, who]) => who.includes(account) ? [emoji] : []) }
    case 'vote': case 'answer': case 'close': case 'event': return { acts: [] }
    case 'pin': return { pinned: !!message.pinned }
    default: return undefined
  }
}

/** An errand failed: its message says so. Gives whether it did. */
export async function noteUntold(tx: Change, changes: Collector, errand: Errand, failure: Failure): Promise<boolean> {
  const what = kindOf(errand)
  const message = what && await tx.objectStore('messages').get(errand.message)
  if (!what || !message) return false
  message.untold = { what, failure, ...(errand.undo ? { undo: true } : {}) }
  await put(tx, message, false)
  changes.message(message.chat, message.id)
  changes.mark('outbox')
  return true
}

/** A change has left (`kept`: the server has it): what failed of the same kind before is over; and it is remembered for a while, since it may come back. */
export async function noteTold(tx: Change, changes: Collector, errand: Errand, kept: boolean): Promise<void> {
  if (!kindOf(errand)) return
  for (const e of await errandsOf(tx, errand.message)) {
    if (e.state === 'failed' && e.seq < errand.seq && e.task.what === errand.task.what) await tx.objectStore('outbox').delete(e.seq)
  }
  await settle(tx, changes, errand.message)
  if (kept) await tx.objectStore('kv').put([...await get(tx, 'told') ?? [], errand].slice(-MAX_TOLD), 'told')
}

/** The message says what of it did not get through, as it is now. */
async function settle(tx: Change, changes: Collector, id: string): Promise<void> {
  const message = await tx.objectStore('messages').get(id)
  if (!message?.untold) return
  const left = (await errandsOf(tx, id)).filter((e) => e.state === 'failed' && kindOf(e)).at(-1)
  if (left) return void await noteUntold(tx, changes, left, left.failure ?? 'server')
  delete message.untold
  await put(tx, message, false)
  changes.message(message.chat, id)
}

/** A change came back from `chat`: it waits for a person as if it had never left. False if it was none, or one that a later change replaced. */
export async function cameBack(tx: Change, changes: Collector, chat: string, id: string, failure: Failure): Promise<boolean> {
  const told = await get(tx, 'told') ?? []
  const errand = told.find((e) => e.id === id && e.chat === chat)
  if (!errand) return false
  await tx.objectStore('kv').put(told.filter((e) => e !== errand), 'told')
  const later = [...told, ...await errandsOf(tx, errand.message)].some((e) => e.message === errand.message && e.seq > errand.seq && e.task.what === errand.task.what)
  if (later) return false
  await tx.objectStore('outbox').put({ ...errand, state: 'failed', failure })
  return noteUntold(tx, changes, errand, failure)
}

/** What failed of a message's changes goes again. Gives whether something does. */
export async function sendAgain(tx: Change, changes: Collector, message: KeptMessage): Promise<boolean> {
  const failed = (await errandsOf(tx, message.id)).filter((e) => e.state === 'failed' && kindOf(e))
  for (const e of failed) await tx.objectStore('outbox').put({ ...e, state: 'new', failure: undefined })
  await settle(tx, changes, message.id)
  changes.mark('outbox')
  return failed.length > 0
}

/** What failed of a message's changes is given up: of each kind the oldest knows how it was. */
export async function giveUp(tx: Change, changes: Collector, message: KeptMessage): Promise<Undo> {
  const undo: Undo = {}
  for (const e of (await errandsOf(tx, message.id)).filter((one) => one.state === 'failed' && kindOf(one) && one.undo)) {
    for (const [name, value] of Object.entries(e.undo ?? {})) if (!(name in undo)) Object.assign(undo, { [name]: value as unknown })
    if (e.undo?.acts) undo.acts = [...undo.acts ?? [], e.id]
    await tx.objectStore('outbox').delete(e.seq)
  }
  await settle(tx, changes, message.id)
  changes.mark('outbox')
  return undo
}
