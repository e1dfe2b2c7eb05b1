// What a message says, once it is unwrapped, decrypted and read: no XML any more. read.ts makes it, apply.ts keeps it, write.ts says it.

import type { Content, Going, JID, Message, Micros, Protection } from '../model.ts'
import type { GroupChange } from '../xmpp/groups.ts'

/** One thing that a message says. `target` is the id that the other message's sender gave it. */
export type Said =
  | { what: 'content'; content: Content; reply?: { id: string; to?: JID; text?: string }; about?: Message['about']; mentions?: Message['mentions']; forwarded?: number; expires?: number }
  | { what: 'edit'; target: string; content: Content; mentions?: Message['mentions'] }
  | { what: 'retract'; target: string; reason?: string }
  /** What is left of a message that was retracted before we read it from the archive (XEP-0424 §5). */
  | { what: 'tombstone'; time: Micros; reason?: string }
  | { what: 'react'; target: string; emoji: string[] }
  | { what: 'vote'; target: string; options: number[] }
  | { what: 'answer'; target: string; going?: Going; guests: number }
  /** A poll is over. */
  | { what: 'close'; target: string }
  /** It is about another message, and cannot be read here. */
  | { what: 'unread' }
  /** What we said about another message has come back with its number. */
  | { what: 'numbered' }
  | { what: 'pin'; target: string; on: boolean }
  /** The words of a file were said once more for apps that would not read them else, under captionId() of write.ts. */
  | { what: 'apart'; target: string }
  | { what: 'receipt'; target: string }
  | { what: 'displayed'; target: string }
  | { what: 'played'; target: string }
  /** What can be opened once was. */
  | { what: 'opened'; target: string }
  /** Statuses of ours that somebody has looked at, or we on another device. */
  | { what: 'seen'; items: string[] }
  /** How long messages stay from now on, in seconds; 0: for ever. */
  | { what: 'timer'; seconds: number }
  | { what: 'typing'; state: 'composing' | 'recording' | 'paused' }
  /** Something about a group changed. Only the group says so. */
  | { what: 'change'; change: GroupChange }
  /** We are invited to a group. */
  | { what: 'invite'; room: JID; by: JID; reason?: string; name?: string }
  /** A message was taken away by who may (XEP-0425); `target` is its number in the group's log. Only the group says so. */
  | { what: 'moderate'; target: string; by?: JID; reason?: string }
  | { what: 'error'; target: string; condition: string; kind: string }

/** A message that came, by whichever way. */
export interface Letter {
  /** The conversation: the other side's bare address, our own for notes. */
  chat: JID
  /** Who says it: the bare address that the server vouches for; in a group that does not show addresses, the one in the group. */
  from: JID
  /** It was said in a group, by who is called so there; '' for what the group itself says. */
  group?: { nick: string }
  /** It was said by, or to, who has this name at that address: in a group, to one alone (XEP-0045 §7.5). `marked`: it says of itself that it was. */
  alone?: { nick: string; marked: boolean }
  own: boolean
  /** The id of the stanza, and the origin-id where it has one. */
  ids: string[]
  /** Its entry in our archive, or in the group's log, if it has one. */
  archived?: string
  time: Micros
  /** It came at once, not from the archive nor late. */
  live: boolean
  /** It was read from the archive backwards: it is old, and nothing new for anybody. */
  old?: boolean
  /** The sender wants to know that it arrived (XEP-0184), that it was read (XEP-0333). */
  wantsReceipt: boolean
  wantsMarker: boolean
  protection: Protection
  device?: { id: number; trusted: boolean }
  says: Said[]
}
