// Stickers that a person kept on this device (XEP-0449): of what others sent, of packs, or made of a picture. They are not told to other devices: what one
// publishes at one's account is not encrypted.

import type { Ready } from '../media/image.ts'
import type { Message, PackPlace, Sticker } from '../model.ts'
import { change, type Change, type Database } from '../store/database.ts'
import { dropFile, keepFile, readFile } from '../store/files.ts'
import { get } from '../store/kv.ts'
import { mediaOf } from '../store/messages.ts'
import type { News } from './changes.ts'
import { Unusable, type Desk } from './desk.ts'

/** Stickers that may be kept; beyond, the one that was kept first makes room. */
export const MAX_STICKERS = 200
/** The largest sticker, in bytes. */
export const MAX_STICKER = 1 << 20
const MAX_SAYS = 200
const KINDS = /^image\/(webp|png|gif|apng|jpeg|avif)$/

type Source = { message: string } | { blob: Blob; text?: string; pack?: PackPlace; make?: boolean }
/** What becomes a sticker. */
type Fresh = Pick<Sticker, 'name' | 'text' | 'pack'> & { blob: Blob }
/** Opens a picture: as a sticker is sent, and what it looks like; undefined for what is none. */
type Open = (blob: Blob) => Promise<Ready | undefined>

const ENDINGS: Record<string, string> = { 'image/webp': '.webp', 'image/gif': '.gif', 'image/png': '.png' }
const opened: Open = async (blob) => (await import('../media/image.ts')).prepareImage(blob, 'sticker')

/** The stickers of one account. */
export class Stickers {
  constructor(private readonly db: Database, private readonly news: News, private readonly desk: Pick<Desk, 'send'>, private readonly open: Open = opened) {}

  /** Those that are kept, the newest first. */
  async all(): Promise<Sticker[]> {
    return await get(this.db, 'stickers') ?? []
  }

  /** Keeps a sticker. One that is kept already comes to the front. */
  async keep(from: Source): Promise<void> {
    const fresh: Fresh = 'message' in from ? await this.ofMessage(from.message) : { blob: from.blob, name: 'sticker', text: from.text, pack: from.pack }
    const ready = fresh.blob.size ? await this.open(fresh.blob).catch(() => undefined) : undefined
    const make = 'make' in from && !!from.make
    const blob = make && ready ? ready.blob : fresh.blob
    if (!ready || blob.size > MAX_STICKER || !KINDS.test(blob.type)) throw new Unusable('not a sticker')
    const { width, height, thumbhash } = ready
    const key = `sticker ${await digest(blob)}`
    const name = fresh.name === 'sticker' ? 'sticker' + (ENDINGS[blob.type] ?? '') : fresh.name
    const sticker: Sticker = { key, name, mime: blob.type, size: blob.size, width, height, thumbhash, ...(fresh.text ? { text: fresh.text.slice(0, MAX_SAYS) } : {}), ...(fresh.pack ? { pack: fresh.pack } : {}) }
    await this.alter(async (all, tx) => {
      await keepFile(tx, { key, only: true, used: Date.now() * 1000 }, blob)
      const list = [sticker, ...all.filter((s) => s.key !== key)]
      for (const { key: old } of list.slice(MAX_STICKERS)) await dropFile(tx, old)
      return list.slice(0, MAX_STICKERS)
    })
  }

  private async ofMessage(id: string): Promise<Fresh> {
    const message = await this.db.get('messages', id)
    const media = message && mediaOf(message.content)
    const blob = media && await readFile(this.db, media.key)
    if (message?.content.type !== 'sticker' || !media || !blob) throw new Unusable('no sticker, or it is not here')
    const { name, mime, pack } = media
    const { caption } = message.content
    // A pack without an address is at the account of who sent it.
    return { blob: new Blob([blob], { type: mime }), name, ...(caption ? { text: caption } : {}), ...(pack ? { pack: { jid: message.from, ...pack } } : {}) }
  }

  /** Takes a sticker away; messages with it stay. */
  async drop(key: string): Promise<void> {
    await this.alter(async (all, tx) => {
      if (all.some((s) => s.key === key)) await dropFile(tx, key)
      return all.filter((s) => s.key !== key)
    })
  }

  /** Sends a sticker as a message of its own, as it is kept. */
  async send(jid: string, key: string, reply?: string): Promise<Message> {
    const sticker = (await this.all()).find((s) => s.key === key)
    const blob = sticker && await readFile(this.db, key)
    if (!sticker || !blob) throw new Unusable('no such sticker')
    const { name, mime, width, height, thumbhash, text, pack } = sticker
    return this.desk.send(jid, { file: { blob, name, mime, as: 'sticker', width, height, thumbhash, pack, caption: text }, reply }, true)
  }

  private async alter(work: (all: Sticker[], tx: Change) => Promise<Sticker[]>): Promise<void> {
    await change(this.db, ['kv', 'files', 'blobs'], async (tx) => { await tx.objectStore('kv').put(await work(await get(tx, 'stickers') ?? [], tx), 'stickers') })
    this.news.tell({ choices: true })
  }
}

/** The SHA-256 of a file in base64. */
export async function digest(blob: Blob): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))))
}
