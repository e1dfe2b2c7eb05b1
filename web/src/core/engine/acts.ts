// Votes, answers and closings as they come: each is kept where it stands in the log, and what its poll or event shows is counted anew (count.ts).

import type { Affiliation } from '../groups.ts'
import type { EventFacts, JID, Message, Micros } from '../model.ts'
import { actNamed, actsAbout, adoptAct, actsOf, dropActs, putAct, putStay, stoodAt, type KeptAct } from '../store/acts.ts'
import { noteChanged } from '../store/changed.ts'
import type { KeptMessage } from '../store/database.ts'
import { memberOf } from '../store/members.ts'
import { byNames, put } from '../store/messages.ts'
import { archiveName, senderName, waitName } from '../store/names.ts'
import type { GroupChange } from '../xmpp/groups.ts'
import { archivePlace, freshId, namesOf, type Step } from './apply.ts'
import { countEvent, countPoll, type Act, type Deed } from './count.ts'
import type { Letter, Said } from './said.ts'

/** Polls and events of one chat that are counted anew because of something that cannot be read. */
const MAX_POLLS = 20
const MAX_LOOKED = 500
/** The name under which what cannot be read is kept: it may be about any poll of its chat. */
const unreadName = (chat: JID): string => waitName(chat, '?')

/** What is said about a poll or an event. */
export type Acting = Said & { what: 'vote' | 'answer' | 'close' | 'unread' }

function deedOf(said: Acting): Deed {
  switch (said.what) {
    case 'vote': return { what: 'vote', options: said.options }
    case 'answer': return { what: 'answer', guests: said.guests, ...(said.going ? { going: said.going } : {}) }
    case 'close': return { what: 'close' }
    case 'unread': return { what: 'unread' }
  }
}

/** Keeps what was said about a poll or an event, and counts. */
export async function act(step: Step, letter: Letter, said: Acting): Promise<void> {
  const about = said.what === 'unread' ? unreadName(letter.chat) : waitName(letter.chat, said.target)
  await keepAct(step, letter, about, deedOf(said))
  if (said.what === 'unread') return recountPolls(step, letter.chat)
  const message = await messageOf(step, letter, said.target)
  if (message) await recount(step, message)
}

/** An event was changed by who made it. */
export async function changeEvent(step: Step, letter: Letter, message: KeptMessage, event: EventFacts): Promise<void> {
  await keepAct(step, letter, namesUnder(message)[0] ?? '', { what: 'event', event: factsOf(event) })
  await recount(step, message)
}

async function keepAct(step: Step, letter: Letter, about: string, deed: Deed): Promise<void> {
  const { tx } = step
  const names = namesOf(letter)
  const before = names.length ? await actNamed(tx, letter.chat, names) : undefined
  if (before && (before.deed.what !== 'unread' || deed.what === 'unread')) return number(step, letter)
  if (before) await tx.objectStore('acts').delete(before.id)
  const place = archivePlace(letter.archived)
  const { from } = letter // of somebody whose address is not shown, what stands for their id in the group
  const kept: KeptAct = {
    id: freshId(), chat: letter.chat, about, names, from, place: place ?? letter.time, deed, ...(place ? { numbered: true } : {}), ...(letter.protection === 'none' ? { clear: true } : {}),
    ...(letter.group ? await standing(step, letter, from) : {}),
  }
  await putAct(tx, kept)
}

async function standing(step: Step, letter: Letter, from: JID): Promise<Pick<Act, 'stands'>> {
  const { tx } = step
  const group = (await tx.objectStore('chats').get(letter.chat))?.group
  if (!group) return {}
  if (from.includes('/')) return { stands: 'member' } // how somebody stands whose address is not shown, nobody tells us
  const place = archivePlace(letter.archived)
  const then = place === undefined ? undefined : await stoodAt(tx, letter.chat, from, place)
  return { stands: then ?? (from === step.account ? group.affiliation : (await memberOf(tx, letter.chat, from))?.affiliation ?? 'none') }
}

/** What we said, or what came before, has its place now. */
export async function number(step: Step, letter: Letter): Promise<void> {
  const known = await actNamed(step.tx, letter.chat, namesOf(letter))
  const place = archivePlace(letter.archived)
  if (!known || !place || known.numbered) return
  await step.tx.objectStore('acts').put({ ...known, place, numbered: true, names: [...new Set([...known.names, archiveName(String(place))])] })
  await recountAbout(step, known)
}

/** What could not be read here has been read, and was about something else: it is no vote. */
export async function readAfterAll(step: Step, letter: Letter): Promise<void> {
  const known = await actNamed(step.tx, letter.chat, namesOf(letter))
  if (known?.deed.what !== 'unread') return
  await step.tx.objectStore('acts').delete(known.id)
  await recountPolls(step, letter.chat)
}

/** Something that was said about a poll or an event is taken back: what its author said before counts again. False if it is nothing of that kind. */
export async function takeBack(step: Step, letter: Letter, target: string, moderated: boolean): Promise<boolean> {
  const known = await actNamed(step.tx, letter.chat, [...(letter.group ? [archiveName(target)] : []), senderName(letter.from, target)])
  if (!known || (!moderated && known.from !== letter.from)) return false
  await step.tx.objectStore('acts').put({ ...known, back: true })
  await recountAbout(step, known)
  return true
}

/** What we said about a poll or an event and others did not get is as if it had not been said. */
export async function giveUpActs(step: Step, message: KeptMessage, ids: string[]): Promise<void> {
  for (const id of ids) {
    const known = await actNamed(step.tx, message.chat, [senderName(step.account, id)])
    if (known) await step.tx.objectStore('acts').delete(known.id)
  }
  await recount(step, message)
}

/** What was said counts by how its author stood with the group then: a change that is read tells it, also of what was read before it. */
export async function followStays(step: Step, chat: JID, place: Micros, { who }: GroupChange): Promise<void> {
  for (const { jid, affiliation, was } of who) {
    if (affiliation === was) continue
    await putStay(step.tx, { group: chat, jid, place, now: affiliation, was })
    for (const known of await actsOf(step.tx, chat, jid)) {
      const stands: Affiliation | undefined = known.numbered && await stoodAt(step.tx, chat, jid, known.place)
      if (!stands || stands === known.stands) continue
      await step.tx.objectStore('acts').put({ ...known, stands })
      await recountAbout(step, known)
    }
  }
}

/** Forgets what was said in a chat that is cleared. */
export const forgetActs = dropActs

/** The message that something is said about, if it is here. In a group it is known by its number. */
async function messageOf({ tx, account }: Step, { chat, group }: Pick<Letter, 'chat' | 'group'>, target: string): Promise<KeptMessage | undefined> {
  const found = await byNames(tx, [...(group ? [archiveName(target)] : []), senderName(account, target), ...(group ? [] : [senderName(chat, target)])])
  return found?.chat === chat ? found : undefined
}

async function recountAbout(step: Step, { about, chat }: KeptAct): Promise<void> {
  if (about === unreadName(chat)) return recountPolls(step, chat)
  const group = (await step.tx.objectStore('chats').get(chat))?.kind === 'group' ? { nick: '' } : undefined
  const message = await messageOf(step, { chat, ...(group ? { group } : {}) }, about.slice(waitName(chat, '').length))
  if (message) await recount(step, message)
}

async function recountPolls(step: Step, chat: JID): Promise<void> {
  for (const kind of ['poll', 'event']) {
    let cursor = await step.tx.objectStore('messages').index('kinds').openCursor(IDBKeyRange.bound([kind, -Infinity], [kind, Infinity]), 'prev')
    const found: KeptMessage[] = []
    for (let looked = 0; cursor && found.length < MAX_POLLS && looked < MAX_LOOKED; looked++, cursor = await cursor.continue()) if (cursor.value.chat === chat) found.push(cursor.value)
    for (const one of found) await recount(step, one)
  }
}

/** The names under which something may be said about a message. */
const namesUnder = (m: KeptMessage): string[] => [m.originId ?? m.id, ...(m.stanzaId ? [m.stanzaId] : [])].map((id) => waitName(m.chat, id))

const factsOf = ({ name, description, place, latitude, longitude, starts, ends, day, until, zone, guests, places, cancelled }: EventFacts): EventFacts => ({
  name, guests, ...Object.fromEntries(Object.entries({ description, place, latitude, longitude, starts, ends, day, until, zone, places, cancelled }).filter(([, v]) => v !== undefined)),
})

/** Counts what was said about a poll or an event, as all of it stands now. */
export async function recount(step: Step, message: KeptMessage): Promise<void> {
  const { tx } = step
  const { content } = message
  if (message.retracted || (content.type !== 'poll' && content.type !== 'event')) return
  if (!message.counted) for (const one of actsIn(message)) await adoptAct(tx, one)
  const group = (await tx.objectStore('chats').get(message.chat))?.kind === 'group'
  const about = { by: message.from, group }
  const unread = (await actsAbout(tx, [unreadName(message.chat)])).filter((one) => one.place > message.order)
  // What was encrypted is answered by nothing that a server could have written.
  const acts = [...await actsAbout(tx, namesUnder(message)), ...unread].filter((one) => message.protection === 'none' || !one.clear)
  const before = JSON.stringify([message.content, message.marks])
  let places: Record<JID, Micros>
  if (content.type === 'poll') {
    const { places: at, ...tally } = countPoll(content, about, acts)
    const { closed: _, unread: __, ...poll } = content
    places = at
    message.content = { ...poll, ...tally }
  } else {
    const { facts, answers, places: at, changed } = countEvent(message.first ??= factsOf(content), about, acts)
    places = at
    message.content = { type: 'event', body: content.body, ...facts, answers, ...(unread.length ? { unread: unread.length } : {}) }
    if (changed !== undefined) message.edited = changed
  }
  message.marks = { ...message.marks, ...Object.fromEntries(Object.entries(places).map(([jid, at]) => ['vote ' + jid, at])) }
  message.counted = true
  if (JSON.stringify([message.content, message.marks]) === before) return void await put(tx, message, false)
  await put(tx, message, true)
  await noteChanged(tx, message)
  step.changes.message(message.chat, message.id)
}

/** What another device has counted of a message that is here is taken over. */
export async function adopt(step: Step, message: KeptMessage, other: KeptMessage): Promise<void> {
  if (message.content.type !== other.content.type) return
  for (const one of actsIn({ ...message, content: other.content, marks: other.marks })) await adoptAct(step.tx, one)
  await recount(step, message)
}

/** What a message tells of what was said about it, as another device counted it, or this one before it kept what was said. */
function actsIn(message: Pick<KeptMessage, 'content' | 'chat' | 'from' | 'order' | 'originId' | 'stanzaId' | 'id'> & { marks?: KeptMessage['marks'] | undefined }): KeptAct[] {
  const { content, marks = {}, chat } = message
  const about = waitName(chat, message.stanzaId ?? message.originId ?? message.id)
  const one = (from: JID, place: Micros, deed: Deed): KeptAct => ({ id: freshId(), chat, about, names: [archiveName(String(place))], from, place, deed, numbered: true, stands: 'member' })
  const at = (jid: JID): Micros => marks['vote ' + jid] ?? message.order
  if (content.type === 'poll') {
    const votes = Object.entries(content.votes).map(([jid, options]) => one(jid, at(jid), { what: 'vote', options }))
    return content.closed ? [...votes, one(message.from, content.closed, { what: 'close' })] : votes
  }
  if (content.type !== 'event') return []
  return Object.entries(content.answers).flatMap(([jid, { going, guests, row }]) => {
    let people = 0
    return row?.length ? row.map(([place, n]) => one(jid, place, { what: 'answer', going, guests: (people += n) - 1 })) : [one(jid, at(jid), { what: 'answer', going, guests })]
  })
}

/** Says whether something can be said about a message that is counted. */
export const isCounted = ({ content }: Pick<Message, 'content'>): boolean => content.type === 'poll' || content.type === 'event'
