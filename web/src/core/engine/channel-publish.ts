// Posts of ours leave: their files first, then signed, in the order in which they were written. What leaves is kept before it does and is the same each
// time, so that a post whose answer was lost is asked again and stays one post.

import { prepareFilm } from '../media/film.ts'
import type { Publishing } from '../store/channels.ts'
import { change } from '../store/database.ts'
import * as ask from '../xmpp/channels-ask.ts'
import { ATOM, HASHES, SEGMENT } from '../xmpp/channels.ts'
import { base64, StanzaError } from '../xmpp/stanza.ts'
import { formatTime } from '../xmpp/time.ts'
import { findUpload, requestSlot, UploadRefused } from '../xmpp/upload.ts'
import { el, parse, serialise, type Element } from '../xmpp/xml.ts'
import type { Around, ChannelLead } from './channel-lead.ts'

const RETRY = 2000
const TITLE = 100

/** Puts a file where everybody can load it, and gives its address. Fails with UploadRefused, HttpRefused, HttpBroken. */
export async function putFile({ session, http }: Pick<Around, 'session' | 'http'>, blob: Blob, name: string): Promise<string> {
  const service = await findUpload(session())
  if (!service) throw new UploadRefused('refused')
  const slot = await requestSlot(session(), service, { name, size: blob.size, mime: blob.type || 'application/octet-stream' })
  await http.put(slot.put, slot.headers, blob, () => undefined, new AbortController().signal)
  return slot.get
}

/** Makes a video smaller, without what cameras write into it (where it was taken): everybody can read a channel. One that cannot be made so stays as it is. */
async function smaller(one: Publishing['media'][number], film: Blob): Promise<void> {
  const ready = typeof Worker === 'undefined' ? undefined : await prepareFilm(film, 'usual', () => undefined, new AbortController().signal)
  if (!ready) return
  const type = ready.blob.type.split(';')[0] || one.type
  Object.assign(one, { blob: ready.blob, type, size: ready.blob.size, name: `${one.name.replace(/\.\w{1,5}$/, '')}.${type === 'video/webm' ? 'webm' : 'mp4'}` })
}

/** The title of a post: the first line, or as much of it as a title may have. */
export function titleOf(text: string): string {
  const [line = ''] = text.trim().split('\n')
  return line.length <= TITLE ? line : line.slice(0, TITLE - 1).replace(/\s+\S*$/, '') + '…'
}

/** Writes a post (RFC 4287). `channel` is its address. */
export function writeEntry(channel: string, post: Publishing): Element {
  const of = (name: string, text: string) => el(ATOM, name, {}, text)
  const since = formatTime(post.since)
  const entry = el(ATOM, 'entry', {}, of('id', `tag:${channel.split('@')[1] ?? ''},2026:${channel.split('@')[0] ?? ''}/${post.item}`), of('title', titleOf(post.text) || (post.media[0]?.name ?? '')),
    of('published', post.published === undefined ? since : formatTime(post.published)), of('updated', since), el(ATOM, 'content', { type: 'text' }, post.text),
    ...post.segments.map((term) => el(ATOM, 'category', { scheme: SEGMENT, term })),
    ...post.media.map(({ url, type, size, name, hash }) => el(ATOM, 'link', { rel: 'enclosure', href: url, type, length: size, title: name }, hash !== undefined && el(HASHES, 'hash', { algo: 'sha-256' }, hash))))
  return parse(serialise(entry)) ?? entry // as it is read: what XML does not allow is replaced before it is signed
}

/** What refuses a post for good. */
function failureOf(error: unknown): string | undefined {
  if (error instanceof StanzaError) return error.temporary && error.condition !== 'resource-constraint' ? undefined : error.condition
  if (error instanceof UploadRefused) return error.reason
  return error instanceof Error && error.name === 'HttpRefused' ? 'refused' : undefined
}

/** The posts of one account. */
export class Publisher {
  private running: Promise<void> | undefined
  private again = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private tries = 0

  constructor(private readonly lead: ChannelLead) {}

  end(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  /** There may be something to send. */
  wake(): void {
    this.again = true
    clearTimeout(this.timer)
    this.running ??= this.run().finally(() => { this.running = undefined })
  }

  private async run(): Promise<void> {
    try {
      while (this.again) {
        this.again = false
        const all = (await this.lead.around.db.getAll('publishing')).filter((p) => p.state === 'waiting').sort((a, b) => a.since - b.since)
        await this.leaveAll(all)
      }
      this.tries = 0
    } catch (error) {
      if (error instanceof Error && error.name === 'Offline') return // the next session goes on
      if (!(error instanceof StanzaError) || error.condition !== 'disconnected') this.timer = setTimeout(() => this.wake(), Math.min(RETRY * 2 ** this.tries++, 60_000))
    }
  }

  /** What stops a post stops those of its channel that were written after it, and no others. */
  private async leaveAll(all: Publishing[]): Promise<void> {
    const stopped = new Map<string, unknown>()
    for (const post of all) if (!stopped.has(post.channel)) await this.leave(post).catch((error: unknown) => stopped.set(post.channel, error))
    for (const error of stopped.values()) throw error
  }

  /** Sends one; fails with what passes by itself. */
  private async leave(post: Publishing): Promise<void> {
    const { lead } = this
    const { session } = lead.around
    try {
      session()
      const [to, address] = [await lead.service(), await lead.address(post.channel)]
      for (const one of post.media) if (!one.url) await this.upload(post, one)
      if (!post.xml) {
        const signed = await lead.keys.sign(session(), address, post.item, writeEntry(address, post))
        if (!await this.keep({ ...post, xml: serialise(signed) })) return
        post.xml = serialise(signed)
      }
      const entry = parse(post.xml)
      if (!entry) throw new StanzaError('not-acceptable')
      await ask.publish(session(), to, post.channel, post.item, entry, post.at)
      if (post.at === undefined) await lead.logs.read(post.channel, '').then(() => lead.logs.checkSignatures(post.channel)).catch(() => undefined) // it comes by itself
      await this.left(post)
    } catch (error) {
      const failure = failureOf(error)
      if (!failure) throw error
      await this.keep({ ...post, state: 'failed', failure })
    }
    lead.tell([post.channel])
  }

  private async upload(post: Publishing, one: Publishing['media'][number]): Promise<void> {
    if (!one.blob) throw new StanzaError('not-acceptable')
    if (one.type.startsWith('video/')) await smaller(one, one.blob)
    one.hash = base64(new Uint8Array(await crypto.subtle.digest('SHA-256', await one.blob.arrayBuffer())))
    one.url = await putFile(this.lead.around, one.blob, one.name)
    delete one.blob
    await this.keep(post)
  }

  /** Keeps how far a post is; false when it was discarded meanwhile, or is to be another one. */
  private keep(post: Publishing): Promise<boolean> {
    return change(this.lead.around.db, ['publishing'], async (tx) => {
      if ((await tx.objectStore('publishing').get(post.item))?.since !== post.since) return false
      await tx.objectStore('publishing').put(post)
      return true
    })
  }

  /** A post is in the log. One that was written in its place meanwhile still waits. */
  private async left({ item, since }: Publishing): Promise<void> {
    await change(this.lead.around.db, ['publishing'], async (tx) => {
      if ((await tx.objectStore('publishing').get(item))?.since === since) await tx.objectStore('publishing').delete(item)
    })
  }
}

