// What has to leave. An errand is written in the same step as what it is about (the message, the mark), so that a fulfilled promise means that it
// will leave; it is taken away in the same step in which the server's acknowledgement is noted. Between the two it may be tried many times,
// always under the same id.

import type { Content, Failure, Going, JID, LinkPreview, Message, Micros, Place } from '../model.ts'
import type { Change, Database, Look } from './database.ts'

/** What an errand is about. Messages are in the store of messages; the rest is here. */
export type Task =
  | { what: 'message' }
  | { what: 'edit'; text: string; preview?: LinkPreview; mentions?: Message['mentions'] }
  /** Where we are now, in a place that is followed; `liveUntil` in the past ends it. */
  | { what: 'place'; place: Place & { liveUntil: Micros; label?: string } }
  /** `caption`: takes back what an errand of that kind said. */
  | { what: 'retract'; caption?: true }
  /** The words of the message's file, for those who have OMEMO 0.3 alone. */
  | { what: 'caption' }
  | { what: 'react'; emoji: string[] }
  | { what: 'vote'; options: number[] }
  | { what: 'answer'; going?: Going; guests: number }
  | { what: 'close' }
  /** An event is to be another one. */
  | { what: 'event'; event: Extract<Content, { type: 'event' }> }
  | { what: 'pin'; on: boolean }
  /** How long messages stay in the chat from now on (XEP-0466); 0: for ever. The errand's `message` is ''. */
  | { what: 'timer'; seconds: number }
  /** Receipts (XEP-0184): `target` is the id that the sender gave. */
  | { what: 'receipt'; target: string }
  /** We have read up to here: for the contact if `marker` (XEP-0333), for our own devices if `stanzaId` (XEP-0490). */
  | { what: 'displayed'; marker?: string; stanzaId?: string }
  | { what: 'played'; target: string }
  /** We opened what can be opened once: its sender learns it, and our other devices. */
  | { what: 'opened'; target: string }
  /** We have looked at these statuses of theirs; at most 50. */
  | { what: 'seen'; items: string[] }
  /** What was decided about the contact `chat`; the errand's `message` is aboutContact() of engine/contacts.ts. */
  | { what: 'contact'; act: ContactAct }

/** A decision about a contact: how it shall be, so that it may be carried out twice. */
export type ContactAct =
  /** `token` is that of an invitation (XEP-0379); `asked`: they had asked to see us. */
  | { do: 'add'; name?: string; token?: string; asked?: boolean }
  | { do: 'rename'; name: string }
  | { do: 'remove' }
  | { do: 'accept' }
  | { do: 'refuse' }
  /** `messages` are ids of our archive; `begun`: the server may have it already. */
  | { do: 'block'; report?: { reason: 'spam' | 'abuse'; text?: string; messages?: string[] }; begun?: boolean }
  | { do: 'unblock' }

/** One thing that has to leave. */
export interface Errand {
  /** Their order. */
  seq: number
  chat: JID
  /** The id of its stanza, which is its origin-id. */
  id: string
  /** The message that it is about, '' for none. */
  message: string
  task: Task
  /** `new`: no server has seen it. `tried`: it was written, and whether it was kept is not known. `failed`: a person has to decide. */
  state: 'new' | 'tried' | 'failed'
  /** The newest id of the archive that was known when it was written first: it can only come after this. */
  tried?: Micros
  failure?: Failure
  since: Micros
  undo?: Undo
}

/** How a message was before a change of it. */
export interface Undo { content?: Content; edited?: Micros; mentions?: Message['mentions']; emoji?: string[]; pinned?: boolean; /** Ids of what was said of it. */ acts?: string[] }

/** Errands that may wait; beyond, what a person sends is refused with an error, and what is sent for them is left out. */
export const MAX_ERRANDS = 5000

/** Too much waits already: nothing was kept. */
export class OutboxFull extends Error {
  override readonly name = 'OutboxFull'
}

type Fresh = Pick<Errand, 'chat' | 'id' | 'message' | 'task' | 'since' | 'undo'>

/** Adds an errand in this step. Throws OutboxFull, which undoes the step. */
export async function add(tx: Change, errand: Fresh): Promise<Errand> {
  if (await tx.objectStore('outbox').count() >= MAX_ERRANDS) throw new OutboxFull()
  return addAlso(tx, errand)
}

/** Adds an errand that comes out of one which is counted already, also when too much waits: there are never more of these than of those. */
export async function addAlso(tx: Change, errand: Fresh): Promise<Errand> {
  const store = tx.objectStore('outbox')
  const fresh: Omit<Errand, 'seq'> = { ...errand, state: 'new' }
  const seq = await store.add(fresh as Errand)
  return { ...fresh, seq }
}

/** Adds one that nobody promised: a receipt is left out when too much waits. */
export async function addIfRoom(tx: Change, errand: Fresh): Promise<void> {
  if (await tx.objectStore('outbox').count() < MAX_ERRANDS) await add(tx, errand)
}

/** All errands, oldest first. */
export const errands = (from: Database): Promise<Errand[]> => from.getAll('outbox', null, MAX_ERRANDS)

/** The errands about a message, oldest first. */
export const errandsOf = (tx: Look, message: string): Promise<Errand[]> => tx.objectStore('outbox').index('message').getAll(message)

/** What waits, and since when: failed ones wait for a person and are not counted, nor what nobody asked for. */
export async function waiting(db: Database): Promise<{ waiting: number; oldestWaiting?: Micros }> {
  const open = (await errands(db)).filter((e) => e.state !== 'failed' && e.task.what !== 'receipt' && e.task.what !== 'displayed' && e.task.what !== 'played' && e.task.what !== 'seen' && e.task.what !== 'opened')
  const oldest = open.reduce((least, e) => Math.min(least, e.since), Infinity)
  return { waiting: open.length, ...(open.length ? { oldestWaiting: oldest } : {}) }
}
