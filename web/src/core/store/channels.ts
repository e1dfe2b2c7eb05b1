// What is kept of channels: the channels, what stands in their logs, and posts of ours that wait to leave.

import type { Channel, Post, Waiting } from '../channels.ts'
import type { Micros } from '../model.ts'

/** A stretch of a log of which all is kept. */
export interface Stretch {
  /** The oldest entry of it, and the one before that; 0 when there is none. */
  from: Micros
  before: Micros
  /** The newest. */
  to: Micros
}

/** A channel as it is kept. */
export interface KeptChannel extends Channel {
  /** What is kept of its log, up to the newest entry that was heard; undefined: nothing yet. */
  kept?: Stretch
  /** What was kept before a gap; it joins when the log was read back to it. */
  old?: Stretch
  readUpTo: Micros
  /** Our other devices know that it was read up to here. */
  told?: Micros
  /** When it was looked at last. */
  looked: Micros
}

/** An entry as it is kept. */
export type KeptPost = Post & {
  /** The element of a signed post, until its signature was checked. */
  xml?: string
  /** This device has said that it has shown it. */
  counted?: true
  /** In the index of items; '' for lines. */
  item: string
}

/** A post of ours that waits to leave. */
export interface Publishing extends Omit<Waiting, 'media'> {
  media: { name: string; type: string; size: number; blob?: Blob; url?: string; hash?: string }[]
  /** When the post that it changes was published first. */
  published?: Micros
  /** What leaves, once it was signed: the same each time, so that it is one post. */
  xml?: string
}
