// The members of groups, as the logs of the groups tell (docs/protocol/groups.md). Screens read them by pages; who encrypts needs all their addresses.

import type { Affiliation, Member, MemberPage, MemberQuery } from '../groups.ts'
import type { JID } from '../model.ts'
import type { Change, Look } from './database.ts'

/** Members that are kept of one group: more than a group may have. */
export const MAX_MEMBERS = 5000
/** Rows that one search goes through. */
const MAX_LOOKED = 5000

/** A member as they are kept. */
export interface KeptMember extends Member {
  group: JID
  /** Owners are 0, administrators 1, the others 2: the order in which they are shown. */
  rank: number
  /** The nick in small letters, for the order. */
  sort: string
  /** Their id in the group (XEP-0421), once it is known. */
  occupant?: string
}

const ranks: Partial<Record<Affiliation, number>> = { owner: 0, admin: 1, member: 2 }
const all = (group: JID) => IDBKeyRange.bound([group], [group, []])

/** Keeps how somebody stands with a group; who is no member any more is forgotten. */
export async function putMember(tx: Change, group: JID, jid: JID, affiliation: Affiliation, nick: string | undefined): Promise<void> {
  const store = tx.objectStore('members')
  const rank = ranks[affiliation]
  if (rank === undefined) return store.delete([group, jid])
  const before = await store.get([group, jid])
  if (!before && await store.count(all(group)) >= MAX_MEMBERS) return
  const called = nick ?? before?.nick ?? jid.split('@')[0] ?? jid
  await store.put({ ...before, group, jid, nick: called, affiliation, rank, sort: called.toLowerCase() })
}

/** Forgets all members of a group. */
export const dropMembers = (tx: Change, group: JID): Promise<void> => tx.objectStore('members').delete(all(group))

/** Who is in a group, and how it is set, is no longer known: it is asked again. */
export async function forgetKnown(tx: Pick<Change, 'objectStore'>, group: JID): Promise<void> {
  await tx.objectStore('kv').delete(`members ${group}`)
  await tx.objectStore('kv').delete(`settings ${group}`)
}

/** One member, undefined for who is none. */
export const memberOf = (tx: Look, group: JID, jid: JID): Promise<KeptMember | undefined> => tx.objectStore('members').get([group, jid])

/** The member who is called so. */
export const memberCalled = (tx: Look, group: JID, nick: string): Promise<KeptMember | undefined> => tx.objectStore('members').index('nick').get([group, nick])

/** How many there are. */
export const countMembers = (tx: Look, group: JID): Promise<number> => tx.objectStore('members').count(all(group))

/** The addresses of all of them. */
export async function memberAddresses(tx: Look, group: JID): Promise<JID[]> {
  return (await tx.objectStore('members').getAllKeys(all(group), MAX_MEMBERS)).map(([, jid]) => jid)
}

/** A page of them; see Engine.members. */
export async function memberPage(tx: Look, group: JID, { after, limit = 50, words = '', admins }: MemberQuery): Promise<MemberPage> {
  const most = Math.max(1, Math.min(limit, 100))
  const from = readPlace(after)
  const range = IDBKeyRange.bound([group, ...from], admins ? [group, 2] : [group, []], from.length > 0)
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const members: Member[] = []
  let cursor = await tx.objectStore('members').index('rank').openCursor(range)
  let last: KeptMember | undefined
  for (let looked = 0; cursor && members.length < most && looked < MAX_LOOKED; looked++, cursor = await cursor.continue()) {
    last = cursor.value
    const { group: _, rank: __, sort, occupant: ___, ...member } = cursor.value
    if (wanted.every((w) => sort.includes(w) || member.jid.includes(w))) members.push(member)
  }
  return { members, ...(cursor && last ? { next: JSON.stringify([last.rank, last.sort, last.jid]) } : {}) }
}

function readPlace(after: string | undefined): (string | number)[] {
  if (!after) return []
  const place: unknown = JSON.parse(after)
  return Array.isArray(place) ? place as (string | number)[] : []
}
