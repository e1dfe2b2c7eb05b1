// Packs of stickers as accounts publish them (XEP-0449 §4.3): read, never written, and loaded with all pictures only when a person looks at one. What
// comes must be what the pack says (its SHA-256); pictures on other servers cannot be had, because the client asks no other host.

import type { Http } from '../media/http.ts'
import type { PackPlace, StickerPack } from '../model.ts'
import { STICKERS } from '../xmpp/ns.ts'
import { getItems } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import type { Element } from '../xmpp/xml.ts'
import { FILE, HASHES, SFS, URL_DATA } from './own-ns.ts'
import { digest, MAX_STICKER } from './stickers.ts'

/** Stickers of one pack that are looked at. */
export const MAX_PACK = 60
const MAX_TEXT = 500
/** Pictures that are loaded at once, and how long all of them may take, in milliseconds. */
const AT_ONCE = 4
const PATIENCE = 60_000

/** One sticker of a pack: where its picture is, its SHA-256 in base64, what it says. */
interface Item { url: string; hash: string; mime: string; text: string }

/** A pack as it is published. */
export interface Pack { name: string; summary?: string; restricted: boolean; items: Item[] }

/** Reads the element of a pack; undefined if it makes no sense. Stickers without an address of the web or a SHA-256 are left out. */
export function readPack(pack: Element): Pack | undefined {
  const name = pack.textOf('name')?.trim().slice(0, MAX_TEXT)
  const summary = pack.textOf('summary')?.trim().slice(0, 4 * MAX_TEXT)
  const items = pack.children('item').slice(0, MAX_PACK).flatMap(readItem)
  return name && items.length ? { name, ...(summary ? { summary } : {}), restricted: !!pack.child('restricted'), items } : undefined
}

function readItem(item: Element): Item[] {
  const file = item.child('file', FILE)
  const url = item.child('sources', SFS)?.children('url-data', URL_DATA).map((u) => u.attr('target')).find((u) => u && u.length <= 4096 && /^https:\/\/[^\s/?#]+\/\S*$/.test(u))
  const hash = file?.children('hash', HASHES).find((h) => h.attr('algo') === 'sha-256')?.text.trim()
  const mime = file?.textOf('media-type') ?? ''
  return url && hash && /^image\/(webp|png|gif|apng|jpeg|avif)$/.test(mime) ? [{ url, hash, mime, text: file?.textOf('desc')?.trim().slice(0, MAX_TEXT) ?? '' }] : []
}

/** Loads a pack with its pictures; undefined when there is none. */
export async function loadPack(session: Session, http: Pick<Http, 'get'>, { id, jid, node = STICKERS }: PackPlace): Promise<StickerPack | undefined> {
  const item = (await getItems(session, node, { ids: [id], ...(jid ? { to: jid } : {}) })).find((i) => i.id === id)
  const pack = item?.payload?.is('pack', STICKERS) ? readPack(item.payload) : undefined
  if (!pack) return undefined
  const { items, ...facts } = pack
  const found = await pictures(items, http)
  const stickers = items.flatMap(({ text }, i) => { const blob = found[i]; return blob ? [{ blob, text }] : [] })
  return { ...facts, stickers, missing: items.length - stickers.length }
}

/** The pictures in their order; none in the place of what could not be had, or is something else than the pack says. */
async function pictures(items: Item[], http: Pick<Http, 'get'>): Promise<(Blob | undefined)[]> {
  const found: (Blob | undefined)[] = items.map(() => undefined)
  const signal = AbortSignal.timeout(PATIENCE)
  const left = [...items.entries()]
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const [i, { url, hash, mime }] = next
      const blob = await http.get(url, undefined, MAX_STICKER, () => undefined, signal, () => undefined).catch(() => undefined)
      if (blob && await digest(blob) === hash) found[i] = new Blob([blob], { type: mime })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found
}
