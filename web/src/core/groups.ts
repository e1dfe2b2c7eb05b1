// Groups, in the words of the screens (docs/protocol/groups.md). A group is a chat of the kind `group`; what it is besides stands in `Chat.group`, who is
// in it is read by pages, and what is asked of the server goes through Engine.group. Addresses of people are bare JIDs.

import type { JID, Micros } from './model.ts'

/** How somebody stands with a group. `none`: they are not in it; `outcast`: banned. */
export type Affiliation = 'owner' | 'admin' | 'member' | 'none' | 'outcast'

/** How many members a group may have, and a community, unless the operator wants fewer. */
export const MAX_GROUP = 1024
export const MAX_COMMUNITY = 5000
/** How many people are made members at once. */
export const MAX_ADDED = 1023

/** Who may do something in a group: every member, or administrators alone. Owners are administrators. */
export type Who = 'all' | 'admins'

/** What the owners of a group decide. */
export interface GroupSettings {
  /** Only who was added, or let in, is in it; what is said is end-to-end encrypted. Otherwise it is open to all, and not encrypted. */
  private: boolean
  /** It stands in the list of groups that can be found. */
  listed: boolean
  /** `admins`: announcements only. */
  writes: Who
  adds: Who
  /** Who changes name, description and picture. */
  edits: Who
  /** Who comes by a link, or asks to come in, waits for an administrator. */
  approval: boolean
  /** Members read what was said before they came. */
  history: boolean
  /** Seconds between two messages of one member, at most a day; 0: none. It does not hold for administrators. */
  slow: number
  /** Addresses are shown to administrators alone; then nothing is encrypted. */
  anonymous: boolean
}

/** Why a group is over for us. */
export interface GroupEnd {
  how: 'left' | 'removed' | 'banned' | 'destroyed'
  by?: JID
  reason?: string
  /** The group that takes its place. */
  instead?: JID
}

/** A group, as far as its chat shows it. */
export interface Group {
  description?: string
  /** Number of members, ourselves among them. */
  members: number
  /** How we stand with it. */
  affiliation: Affiliation
  /** What we are called in it. */
  nick?: string
  /** Our id in it (XEP-0421), which stays when we are called otherwise. */
  occupant?: string
  settings: GroupSettings
  /** In a slow group: we may write again from then on. */
  nextAt?: Micros
  /** It is over for us: what was said stays here, and nothing can be said any more. */
  ended?: GroupEnd
  /** We were invited by this person, and are no member yet, or did not look at it yet. With Chat.request it stands apart until a person decides. */
  invited?: { by: JID; reason?: string; /** The line that says so. */ line?: string }
  /** It is the announcements of a community (core/communities.ts). */
  kind?: 'community'
  /** The community that it belongs to. */
  community?: JID
  /** Of a community: the groups in it, as far as the log was read here. */
  inside?: JID[]
  /** Of a community: it has more devices than can be encrypted for, so announcements are not. */
  large?: true
  /** The SHA-1 of its picture; Chat.avatar leads to the picture once it is here. */
  picture?: string
  /** Moves on whenever members, roles or settings changed: what was read of them is to be read again. */
  version: Micros
}

/** One member. */
export interface Member {
  jid: JID
  /** What they are called in the group, unique in it. */
  nick: string
  affiliation: Affiliation
  /** Titles that the group gives (XEP-0317). */
  hats?: string[]
  /** No device of theirs has keys: they cannot read what is encrypted. */
  keyless?: true
}

/** A page of members: owners first, then administrators, then the others, each by nick. */
export interface MemberPage {
  members: Member[]
  /** Give it as `after` for the next page; undefined: there is no more. */
  next?: string
}

/** Which members. */
export interface MemberQuery {
  after?: string
  /** At most so many, 1–100; 50 unless said. */
  limit?: number
  /** Their nick or address has these words. */
  words?: string
  /** Administrators and owners alone. */
  admins?: boolean
}

/** What a new group shall be. Everything but the name has a value: private, members add and edit, history since joining. */
export interface NewGroup {
  /** What `newPlace` gave once for this group: asked for again with the same, after an answer that was lost, it is no second group. */
  place?: string
  /** 1–100 characters. */
  name: string
  /** At most 2,048 characters. */
  description?: string
  picture?: Blob
  /** At most 1,023; see Groups.add. */
  members: JID[]
  settings?: Partial<GroupSettings>
}

/** A place for a new group or community: 80 random bits, as a name that nobody takes by chance and everybody can type. */
export function newPlace(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'
  return [...crypto.getRandomValues(new Uint8Array(16))].map((n) => letters[n % 32]).join('')
}

/** Somebody who could not be made a member, and why: they have no account here, were banned, the group is full, or anything else. */
export interface NotAdded { jid: JID; why: 'unknown' | 'banned' | 'full' | 'refused' }

/** A link by which people come in. Who knows it may show it as a QR code. */
export interface GroupLink {
  id: string
  /** Who made it. */
  by?: JID
  /** xmpp: address; only of one that was just made here: it is told once. */
  uri?: string
  /** The same as a web address, where the server has a page for it. */
  web?: string
  /** How many may still come by it. */
  uses: number
  expires: Micros
}

/** Somebody who waits to be let in. */
export interface JoinRequest { jid: JID; nick: string; time: Micros; reason?: string }

/** What is known of a group that one is not in. */
export interface GroupPreview {
  jid: JID
  name: string
  description?: string
  members: number
  private: boolean
  /** We are in it already. */
  joined: boolean
}

/** What may be asked of groups. All of it needs the connection; it fails with Offline, and with a StanzaError: `forbidden` or `not-allowed` for who may not,
 * `item-not-found` for what is not there (any more), `conflict`, `resource-constraint` for too many or too often, `gone` for a group that was destroyed. */
export interface Groups {
  /** Makes a group. It is in the list of chats when this is fulfilled. */
  create(group: NewGroup): Promise<{ jid: JID; refused: NotAdded[] }>
  /** Makes people members, at most 1,023 at once. Who does not have us among their contacts is invited, and becomes one by coming in. Fulfilled also when
   * some could not be. */
  add(jid: JID, people: JID[]): Promise<NotAdded[]>
  /** Who is invited and has not come in yet; remove() takes an invitation back. */
  invitations(jid: JID): Promise<{ jid: JID; time: Micros }[]>
  remove(jid: JID, person: JID, reason?: string): Promise<void>
  setRole(jid: JID, person: JID, as: 'owner' | 'admin' | 'member'): Promise<void>
  setInfo(jid: JID, change: { name?: string; description?: string; picture?: Blob | null }): Promise<void>
  setSettings(jid: JID, change: Partial<GroupSettings>): Promise<void>
  /** What we are called in it; fails with `conflict` when somebody is called so, or nearly so. */
  setNick(jid: JID, nick: string): Promise<void>
  /** Makes a link; without more it holds for seven days and 10,000 uses. */
  makeLink(jid: JID, wanted?: { seconds?: number; uses?: number }): Promise<GroupLink>
  /** Links that still let somebody in: all of them for administrators, else our own. */
  links(jid: JID): Promise<GroupLink[]>
  revokeLink(jid: JID, id: string): Promise<void>
  /** What a link or an address of a group leads to. Fails with `malformed` for what is neither. */
  preview(address: string): Promise<GroupPreview>
  /** Comes in, by a link, or by the address of an open group or of one that we are invited to. `waits`: an administrator has to let us in. */
  join(address: string, reason?: string): Promise<{ jid: JID; waits: boolean }>
  requests(jid: JID): Promise<JoinRequest[]>
  decide(jid: JID, person: JID, letIn: boolean): Promise<void>
  ban(jid: JID, person: JID, reason?: string): Promise<void>
  unban(jid: JID, person: JID): Promise<void>
  banned(jid: JID): Promise<JID[]>
  /** Leaves; who was the last owner hands the group on. The chat stays until it is removed. */
  leave(jid: JID): Promise<void>
  /** Ends a group for all. */
  destroy(jid: JID, reason?: string): Promise<void>
  /** Makes somebody else the owner, and us an administrator, in one step. */
  transfer(jid: JID, to: JID): Promise<void>
  /** Takes a message of somebody away for all; for administrators. Its place stays. */
  moderate(message: string, reason?: string): Promise<void>
  /** Declines an invitation: we are no member any more, and the chat goes. */
  decline(jid: JID): Promise<void>
  /** Open groups of the server that can be found, by pages. */
  find(after?: string): Promise<{ groups: { jid: JID; name: string }[]; next?: string }>
}

/**
 * What the lines of a group say, as keys of system contents: `content.key`. `by` and `who` in the content are the addresses; its `values` have their names as
 * they were called then (`by`, `who`), `more` how many others besides those named (0 is ''), and what the key needs.
 * - `group-made` by · `group-joined` who · `group-added` by, who · `group-left` who · `group-removed` by, who · `group-banned` by, who · `group-unbanned` by, who
 * - `group-owner`, `group-admin`, `group-member` by, who: their role from now on · `group-nick` who, was, nick
 * - `group-name` by, name · `group-description` by · `group-picture` by · `group-subject` by, subject
 * - `group-writes-all`, `group-writes-admins`, `group-adds-all`, `group-adds-admins`, `group-edits-all`, `group-edits-admins` by
 * - `group-approval-on`, `group-approval-off`, `group-history-on`, `group-history-off` by · `group-slow` by, seconds · `group-slow-off` by
 * - `group-invited` by, reason: we are invited, and no member yet · `group-invites` by, who: others are
 * - `group-private`, `group-open` by: encrypted from now on, or not any more
 * - `group-listed`, `group-unlisted`: it stands in the list of groups that can be found, or not any more · `group-veiled`, `group-unveiled`: addresses are shown to
 *   administrators alone, or to all
 * - `group-link` by · `group-unlink` by: a link was made, revoked · `group-ended` by, reason
 * - `group-inside`, `group-outside` by, name: a group came into the community, or is not in it any more · `group-community`, `group-alone` by: the group belongs to a
 *   community, or to none any more
 * - `group-whisper` who, text: said to us alone by who is called so there · `group-whispered` who, text: we said it to them alone, in another app
 * - `group-large`: a community has more devices than can be encrypted for; announcements are not encrypted from now on
 * - `group-keyless` who: they have no device that reads what is encrypted; said once for each
 */
export type GroupLine =
  | 'group-made' | 'group-joined' | 'group-added' | 'group-left' | 'group-removed' | 'group-banned' | 'group-unbanned' | 'group-owner' | 'group-admin' | 'group-member' | 'group-nick'
  | 'group-name' | 'group-description' | 'group-picture' | 'group-subject' | 'group-writes-all' | 'group-writes-admins' | 'group-adds-all' | 'group-adds-admins'
  | 'group-edits-all' | 'group-edits-admins' | 'group-approval-on' | 'group-approval-off' | 'group-history-on' | 'group-history-off' | 'group-slow' | 'group-slow-off'
  | 'group-listed' | 'group-unlisted' | 'group-veiled' | 'group-unveiled' | 'group-large' | 'group-inside' | 'group-outside' | 'group-community' | 'group-alone'
  | 'group-invited' | 'group-invites' | 'group-private' | 'group-open' | 'group-link' | 'group-unlink' | 'group-ended' | 'group-keyless' | 'group-whisper' | 'group-whispered'
