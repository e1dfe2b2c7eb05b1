// Communities, in the words of the screens (docs/protocol/communities.md). A community is its announcements: a group of the kind `community`, in which everybody is
// and administrators write. What is asked of the server goes through Engine.community; its members, links, requests and settings are those of the group.

import type { Affiliation } from './groups.ts'
import type { JID } from './model.ts'

/** Who comes in: anybody; who is let in; who is added or has a link. */
export type Access = 'open' | 'ask' | 'invited'

/** A group of a community, the announcements among them. */
export interface CommunityGroup {
  jid: JID
  name: string
  description?: string
  members: number
  /** How we stand with it. */
  affiliation: Affiliation
  /** How a member of the community comes into it: by themselves, when they are let in, or when they are added. */
  join: Access
  /** It is the announcements. */
  announcements?: true
}

export interface NewCommunity {
  /** What `newPlace` gave once for this community: asked for again with the same it is no second one. */
  place?: string
  /** 1–100 characters. */
  name: string
  /** At most 2,048 characters. */
  description?: string
  picture?: Blob
  access: Access
}

/** What is known of a community that one may not be in. */
export interface CommunityPreview {
  jid: JID
  name: string
  description?: string
  members: number
  access: Access
  joined: boolean
}

/** What may be asked of communities. All of it needs the connection; it fails as Groups does. */
export interface Communities {
  /** Makes one. Its announcements are in the list of chats when this is fulfilled. */
  create(community: NewCommunity): Promise<{ jid: JID }>
  /** Its groups, the announcements first; for its members. */
  groups(jid: JID): Promise<CommunityGroup[]>
  about(jid: JID): Promise<CommunityPreview>
  /** Comes in. `waits`: an administrator has to let us in. */
  join(jid: JID): Promise<{ waits: boolean }>
  /** Leaves it and all its groups; takes back a request. */
  leave(jid: JID): Promise<void>
  /** Adds a group that we own, or says otherwise who comes into it. */
  add(jid: JID, group: JID, join: Access): Promise<void>
  /** Takes a group out; its members stay in both. */
  take(jid: JID, group: JID): Promise<void>
  /** Open communities of the server, by pages. */
  find(after?: string): Promise<{ communities: { jid: JID; name: string }[]; next?: string }>
}
