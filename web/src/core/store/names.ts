// The names that lead to a message. The same message comes by several ways (live, as a copy, from the archive, as our own), and each way may know
// it by another id, so that all of them are kept. Only a name that nobody but the right one can give may stand for a message: ids that
// a sender makes are names together with the sender.

import type { JID } from '../model.ts'

/** An id beyond this is no name: it would only fill the disk. */
const MAX = 256

/** Of an entry in the account's own archive, or in the log of a group (XEP-0313): our server gives it, by one clock that tells no time twice, so that no room is
 * needed in it. */
export const archiveName = (id: string): string => 'a ' + id.slice(0, MAX)

/** Of a message that a room archived (XEP-0359). */
export const roomName = (room: JID, id: string): string => `r ${room} ${id.slice(0, MAX)}`

/** Of a message by what its sender calls it: the stanza's id, or its origin-id (XEP-0359). `from` is the bare address, in rooms the full one. */
export const senderName = (from: JID, id: string): string => `s ${from} ${id.slice(0, MAX)}`

/** The id in a name that a sender gave, undefined for other names. */
export function idOf(from: JID, name: string): string | undefined {
  const prefix = senderName(from, '')
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined
}

/** Under which what is about a message waits for it: whose message it is, is not known before it comes. */
export const waitName = (chat: JID, id: string): string => `w ${chat} ${id.slice(0, MAX)}`

/** Says whether an id that a sender made is long enough to be unique, so that a message with it can be taken for the same. */
export const isUnique = (id: string | undefined): id is string => id !== undefined && id.length >= 16 && id.length <= MAX
