// What a person does to a chat: reads it, decides about it, writes a draft, clears it.

import { isBroadcast, type Chat, type Draft, type JID, type Micros } from '../model.ts'
import { chatFor } from '../store/chats.ts'
import { clearingPlace, clearUpTo } from '../store/clear.ts'
import type { KeptMessage } from '../store/database.ts'
import { choicesOf } from '../store/kv.ts'
import { newestPlace } from '../store/messages.ts'
import { addIfRoom } from '../store/outbox.ts'
import { isRequest } from '../store/requests.ts'
import { noteDecided } from '../store/settings.ts'
import { listNames, peopleOf, titleOf } from '../xmpp/settings.ts'
import { freshId, type Step } from './apply.ts'
import { DeskSay } from './desk-say.ts'
import { MAX_TEXT } from './desk-steps.ts'
import { readUpTo } from './effects.ts'
import { decideTimer } from './timer.ts'

/** What somebody saw in notifications: after a place, up to a place. */
interface Seen { from: Micros; upTo: Micros }

/** What a person does to chats. */
export abstract class DeskChats extends DeskSay {
  /** We have read a chat up to a place, at most up to its newest message. The contact is told with `tell`, our other devices always; older marks that
   * still wait are replaced. */
  read(jid: JID, upTo: Micros, tell: boolean): Promise<void> {
    return this.step(async (step) => {
      const place = Math.min(upTo, await newestPlace(step.tx, jid) ?? -Infinity)
      if (await readUpTo(step, jid, place)) await this.tellRead(step, jid, -Infinity, place, tell && !await isRequest(step.tx, jid, this.account))
    })
  }

  /** Tells the newest of what others said between two places, the first not among them. Gives its place, undefined when there is nothing to tell. */
  private async tellRead(step: Step, jid: JID, after: Micros, upTo: Micros, tell: boolean): Promise<Micros | undefined> {
    const { tx } = step
    if (after >= upTo) return undefined
    let newest: KeptMessage | undefined
    let marker: string | undefined
    const range = IDBKeyRange.bound([jid, after], [jid, upTo], true)
    let cursor = await tx.objectStore('messages').index('place').openCursor(range, 'prev')
    for (let looked = 0; cursor && looked < 200 && !(newest && marker); looked++, cursor = await cursor.continue()) {
      if (cursor.value.own) continue
      newest ??= cursor.value.stanzaId ? cursor.value : undefined
      marker ??= cursor.value.markable
    }
    const stanzaId = newest?.stanzaId
    if (!stanzaId && !(tell && marker)) return undefined
    for (let c = await tx.objectStore('outbox').openCursor(); c; c = await c.continue()) {
      if (c.value.chat === jid && c.value.task.what === 'displayed' && c.value.state === 'new') await c.delete()
    }
    await addIfRoom(tx, { chat: jid, id: freshId(), message: '', task: { what: 'displayed', ...(tell && marker ? { marker } : {}), ...(stanzaId ? { stanzaId } : {}) }, since: step.now })
    step.changes.mark('outbox')
    return newest?.order ?? upTo
  }

  /** Notes that somebody saw in a notification that a chat has messages up to a place; they need not be here yet. */
  noteSeen(jid: JID, upTo: Micros): Promise<void> {
    return this.step(async (step) => {
      const before = await step.tx.objectStore('kv').get(`seen ${jid}`) as Seen | undefined
      const from = before?.from ?? (await step.tx.objectStore('chats').get(jid))?.readUpTo ?? 0
      await step.tx.objectStore('kv').put({ from, upTo: Math.max(upTo, before?.upTo ?? 0) } satisfies Seen, `seen ${jid}`)
    })
  }

  /** What was seen in notifications counts as read, and is told as far as it is here; with `complete` all of it is, and the note has served. */
  seen(jid: JID, tell: boolean, complete: boolean): Promise<void> {
    return this.step(async (step) => {
      const kv = step.tx.objectStore('kv')
      const seen = await kv.get(`seen ${jid}`) as Seen | undefined
      if (!seen) return
      await readUpTo(step, jid, seen.upTo)
      // Who answers has read all before: what is told is never less than what was told before.
      const upTo = Math.max(seen.upTo, (await step.tx.objectStore('chats').get(jid))?.readUpTo ?? 0)
      const told = await this.tellRead(step, jid, seen.from, upTo, tell)
      if (complete) await kv.delete(`seen ${jid}`)
      else if (told) await kv.put({ ...seen, from: told } satisfies Seen, `seen ${jid}`)
    })
  }

  /** Changes what a person decides about a chat. */
  setChat(jid: JID, change: Partial<Chat>): Promise<void> {
    const lists = change.lists && listNames(change.lists)
    const tidy = { ...change, ...(change.title === undefined ? {} : { title: titleOf(change.title) }), ...(change.to ? { to: peopleOf(change.to) } : {}) }
    const fields = lists ? { ...tidy, lists: lists.length ? lists : undefined } : tidy
    return this.step(async (step) => {
      const before = await chatFor(step.tx, jid, this.account, step.now)
      if (await noteDecided(step.tx, before, fields, step.now)) step.changes.mark('settings')
      const chat = { ...before, ...fields }
      for (const key of Object.keys(fields) as (keyof Chat)[]) if (chat[key] === undefined) delete chat[key]
      if ('expires' in fields && (fields.expires ?? 0) !== (before.expires ?? 0)) await decideTimer(step, chat, fields.expires ?? 0, freshId())
      if (chat.accepted && chat.request) await this.letIn(step, chat)
      if (fields.accepted && chat.group) delete chat.group.invited
      if (isBroadcast(jid)) Object.assign(chat, { kind: 'broadcast', name: chat.title ?? chat.name })
      await (isBroadcast(jid) && !chat.to ? step.tx.objectStore('chats').delete(jid) : step.tx.objectStore('chats').put(chat))
      step.changes.chat(jid)
    })
  }

  /** A stranger may write from now on: what was read meanwhile is told, if we tell such things. */
  private async letIn(step: Step, chat: Chat): Promise<void> {
    delete chat.request
    if (chat.readUpTo) await this.tellRead(step, chat.jid, -Infinity, chat.readUpTo, (await choicesOf(step.tx)).readReceipts)
  }

  /** Keeps or forgets what is being written. */
  setDraft(jid: JID, draft: Draft | undefined): Promise<void> {
    return this.setChat(jid, { draft: draft && { ...draft, text: draft.text.slice(0, MAX_TEXT) } })
  }

  /** Removes all messages of a chat from this device and all our others, for ever. What still waits to leave here goes with it. */
  clear(jid: JID): Promise<void> {
    return this.step(async (step) => {
      const { tx, changes, now } = step
      const chat = await chatFor(tx, jid, this.account, now)
      const place = Math.max(await clearingPlace(tx, jid, now), chat.cleared ?? 0)
      const ids = await clearUpTo(tx, jid, place, now)
      for (let c = await tx.objectStore('outbox').openCursor(); c; c = await c.continue()) if (c.value.chat === jid && c.value.state !== 'tried' && c.value.task.what !== 'contact') await c.delete()
      if (place && await noteDecided(tx, chat, { cleared: place }, now)) {
        changes.mark('settings')
        const row = await tx.objectStore('chats').get(jid)
        if (row) await tx.objectStore('chats').put({ ...row, cleared: place })
      }
      changes.remove(jid, ids)
      changes.mark('outbox')
      await this.refresh(step, jid)
    })
  }
}
