// Channels, in the words of the screens (docs/protocol/channels.md). One or few publish, any number follow. A channel is known by its name; what is published
// is kept here as far as it was read, so that it can be read without a connection.

import type { Stop } from './engine.ts'
import type { JID, Micros } from './model.ts'

/** How we stand with a channel. `none`: we may follow it, and no more. */
export type Standing = 'owner' | 'publisher' | 'member' | 'none' | 'outcast'

/** A part of those who follow: a language, an area. */
export interface Segment { name: string; label: string }

/** What a channel's owners decide. */
export interface ChannelSettings {
  /** 1–100 characters. */
  title: string
  /** At most 2,048 characters. */
  description: string
  /** As of BCP 47; '' for none. */
  language: string
  /** Only those read whom the channel names. */
  private: boolean
  /** An https address; '' for none. */
  picture: string
  segments: Segment[]
  /** The xmpp: address of where people talk about the posts; '' for none. */
  comments: string
  reactions: boolean
}

/** A channel, as it is shown. */
export interface Channel extends ChannelSettings {
  name: string
  following: boolean
  standing: Standing
  followers: number
  /** The operator says that it is whose it says it is, and why; '' for none. */
  mark: string
  /** Since when it is marked. */
  marked?: Micros
  owners: JID[]
  publishers: JID[]
  /** Segments that we have chosen; none: all. */
  chosen: string[]
  /** Posts that we have not read, at most 100. */
  unread: number
  /** The newest post that is here. */
  last?: { text: string; time: Micros; media?: 'image' | 'file' }
  /** New posts in it wake no device. */
  muted?: true
  /** It was deleted, or we may not read it any more: what was published stays here. */
  ended?: true
}

/**
 * What a post's signature is worth. `good`: the publisher has signed it · `none`: it is not signed · `bad`: it does not fit what was published, or its
 * author · `unknown`: signed with a key that its publisher does not publish (any more) · `changed`: the keys of the publisher are others than those that this
 * device knew · `unchecked`: it was not looked at yet.
 */
export type SignatureState = 'good' | 'none' | 'bad' | 'unknown' | 'changed' | 'unchecked'

/** A file of a post. */
export interface Enclosure {
  url: string
  type: string
  name: string
  /** In bytes, as the post says. */
  size?: number
  /** SHA-256 in base64, as the post says. */
  hash?: string
}

/** A reaction and how many accounts have it. */
export interface Sum { emoji: string; count: number }

/** What stands in a channel's log. */
export type Post = {
  channel: string
  /** Its place in the log, which is its time. */
  entry: Micros
} & (
  | { kind: 'post'; item: string; by: JID; title: string; text: string; /** When its author says that it was written. */ updated?: Micros; edited?: true; segments: string[]; media: Enclosure[]
    signature: SignatureState; signedBy?: JID; sums: Sum[]; mine: string; views: number }
  /** `made`, `settings`, or `mark` with the reason ('' when it was taken). */
  | { kind: 'line'; what: 'made' | 'settings' | 'mark'; text: string }
)

/** A post of ours that waits to leave, or could not. */
export interface Waiting {
  item: string
  channel: string
  text: string
  media: { name: string; type: string; size: number }[]
  segments: string[]
  /** It is to be published later. */
  at?: Micros
  /** It takes the place of a post that is there. */
  edits: boolean
  state: 'waiting' | 'failed'
  /** Why it failed: a condition, as `forbidden`. */
  failure?: string
  since: Micros
}

/** What is published. */
export interface Draft {
  /** At most 10,000 characters; may be empty when there are files. */
  text: string
  segments: string[]
  /** At most 10. */
  files: { blob: Blob; name: string }[]
  /** Published then; at once without. */
  at?: Micros
  /** The post whose place it takes; its files stay. */
  item?: string
}

/** A post that waits at the server for its time. */
export interface Scheduled { id: string; item: string; at: Micros; by: JID; text: string; media: number }

/** A channel that was found. */
export interface Found { name: string; title: string }

/** What is asked of the server. It fails with Offline, and with a StanzaError: `forbidden`, `item-not-found`, `conflict` for a name that is taken, `resource-constraint`
 * for too much or too often, `not-acceptable`, `gone`. */
export interface ChannelAsks {
  /** From now on the device hears what is published in the channels that the account follows, also after the next start. */
  begin(): Promise<void>
  /** Channels that can be found, a page in the order of their names. */
  find(after?: string): Promise<{ channels: Found[]; next?: string }>
  /** Reads what a channel is and its newest posts; it can be watched then. */
  open(name: string): Promise<void>
  follow(name: string, segments?: string[]): Promise<void>
  unfollow(name: string): Promise<void>
  /** Reads older posts; false when there are none. */
  older(name: string): Promise<boolean>
  /** Reads reactions and views of posts anew, at most 100, and counts each post as seen by this device once. */
  shown(name: string, items: string[]): Promise<void>
  /** '' takes the reaction away. */
  react(name: string, item: string, emoji: string): Promise<void>
  /** The keys that a publisher has now are believed from now on. */
  believe(publisher: JID): Promise<void>
  create(name: string, settings: ChannelSettings, readers: JID[], picture?: Blob): Promise<void>
  configure(name: string, change: Partial<ChannelSettings>, picture?: Blob): Promise<void>
  remove(name: string): Promise<void>
  people(name: string): Promise<{ jid: JID; standing: Standing }[]>
  setPerson(name: string, person: JID, standing: Standing): Promise<void>
  retract(name: string, item: string): Promise<void>
  scheduled(name: string): Promise<Scheduled[]>
  cancel(name: string, id: string): Promise<void>
}

/** Channels, as a tab has them. What is watched is called back at once and on every change. */
export interface Channels {
  /** Those that the account follows or publishes in, the one with the newest post first. */
  watch(show: (channels: Channel[]) => void): Stop
  watchOne(name: string, show: (channel: Channel | undefined) => void): Stop
  /** What is kept of a channel's log without a gap, oldest first: the newest `limit`; `older`: there is more. */
  watchPosts(name: string, limit: () => number, show: (posts: Post[], older: boolean) => void): Stop
  /** Posts of ours in a channel that have not left. */
  watchWaiting(name: string, show: (waiting: Waiting[]) => void): Stop
  /** All that is here was read. */
  read(name: string): Promise<void>
  /** Keeps a post; it leaves by itself. */
  publish(name: string, draft: Draft): Promise<void>
  /** Tries again what failed. */
  retry(item: string): Promise<void>
  discard(item: string): Promise<void>
  /** The bare address of a channel, which mutes it: see Engine.setChat. */
  address(name: string): JID
  ask<K extends keyof ChannelAsks>(what: K, ...args: Parameters<ChannelAsks[K]>): ReturnType<ChannelAsks[K]>
}
