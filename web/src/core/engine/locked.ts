// What was said in a group with a chain that is not here (docs/protocol/group-keys.md): it is kept as it came, and read when the chain comes.

import type { JID } from '../model.ts'
import type { ChainName } from '../crypto/types.ts'
import type { Change, Later, Look } from '../store/database.ts'
import { countUnread, refreshLast } from '../store/chats.ts'
import { wait } from '../store/later.ts'
import { drop } from '../store/messages.ts'
import { OMEMO2 } from '../xmpp/ns.ts'
import { Element, parse } from '../xmpp/xml.ts'
import { readAfterAll } from './acts.ts'
import { known, type Step } from './apply.ts'
import type { Letter } from './said.ts'
import type { Missing } from './secure.ts'
import type { Envelope } from './unwrap.ts'

/** Messages that wait under one name; see later.ts. */
const EACH = 50
const MAX_PLACES = 1000

/** An envelope that waited, and where it stands. */
export interface Waiting { id: number; envelope: Envelope }

/** A message as it waits: without the keys of others. */
interface Kept { xml: string; facts: Omit<Envelope, 'stanza'> }

const nameOf = (room: JID, jid: JID, device: number, epoch: string, block: number): string => `chain ${epoch} ${device} ${block} ${room} ${jid}`

/** Lets a message wait for its chain; one that waits already does not twice. */
export async function noteLocked(tx: Change, e: Envelope, { device, epoch, n }: Missing): Promise<void> {
  const { stanza, ...facts } = e
  const name = nameOf(e.chat, e.from, device, epoch, Math.floor(n / EACH))
  const before = await tx.objectStore('later').index('target').getAll(name)
  if (before.some((one) => (one.what as Kept).facts.archived === e.archived)) return
  await wait(tx, name, { xml: String(lean(stanza)), facts: { ...facts, live: false } } satisfies Kept, e.time)
}

/** A stanza without the keys of single devices, which may be most of it. */
function lean(stanza: Element): Element {
  const header = (e: Element) => new Element(e.ns, e.name, e.attrs, e.is('header', OMEMO2) ? [] : e.nodes)
  return new Element(stanza.ns, stanza.name, stanza.attrs, stanza.nodes.map((node) =>
    typeof node === 'string' || !node.is('encrypted', OMEMO2) ? node : new Element(node.ns, node.name, node.attrs, node.nodes.map((n) => typeof n === 'string' ? n : header(n)))))
}

/** All that waits for any chain. */
export async function everyWaiting(tx: Look): Promise<Waiting[]> {
  return waitingOf(await tx.objectStore('later').index('target').getAll(IDBKeyRange.bound('chain ', 'chain \uffff')))
}

/** What waits for a chain, in the order in which it was said. */
export async function waitingFor(tx: Look, { room, sender, epoch }: ChainName): Promise<Waiting[]> {
  const found: Later[] = []
  for (let block = 0; block * EACH < MAX_PLACES; block++) found.push(...await tx.objectStore('later').index('target').getAll(nameOf(room, sender.jid, sender.device, epoch, block)))
  return waitingOf(found)
}

function waitingOf(found: Later[]): Waiting[] {
  return found.sort((a, b) => a.time - b.time).flatMap(({ id, what }) => {
    const { xml, facts } = what as Kept
    const stanza = parse(xml)
    return id !== undefined && stanza ? [{ id, envelope: { ...facts, stanza } }] : []
  })
}

/** A message that waited was read: it waits no more, and what stood in its place is gone if it is none that is shown. */
export async function unlocked(step: Step, { id, envelope }: Waiting, letter: Letter | undefined): Promise<void> {
  await step.tx.objectStore('later').delete(id)
  if (letter?.says.some((s) => s.what === 'content')) return
  const bare: Letter = { ...envelope, wantsReceipt: false, wantsMarker: false, protection: 'none', says: [] }
  await readAfterAll(step, bare)
  const before = await known(step.tx, bare)
  if (before?.content.type !== 'undecryptable') return
  await drop(step.tx, [before.id])
  step.changes.message(before.chat, before.id)
  const chat = await step.tx.objectStore('chats').get(before.chat)
  if (!chat) return
  await refreshLast(step.tx, chat)
  Object.assign(chat, await countUnread(step.tx, chat))
  await step.tx.objectStore('chats').put(chat)
  step.changes.chat(chat.jid)
}
