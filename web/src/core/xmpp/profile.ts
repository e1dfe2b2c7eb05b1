// Who people say they are: picture (XEP-0084), nickname (XEP-0172), vCard 4 (XEP-0292).

import { AVATAR, AVATAR_DATA, NICK, VCARD4 } from './ns.ts'
import { deleteNode, getItems, OPEN, publish, type NodeEvent } from './pubsub.ts'
import type { Session } from './session.ts'
import { base64, fromBase64 } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** The largest picture that is loaded or published, in bytes. */
export const MAX_AVATAR = 256 << 10

/** What there is to know of a picture: its id is the SHA-1 of its bytes in hex. */
export interface AvatarInfo { id: string; mime: string; bytes: number; width?: number; height?: number }

const whole = (text: string | undefined, most: number) => {
  const n = /^\d{1,9}$/.test(text ?? '') ? Number(text) : NaN
  return n > 0 && n <= most ? n : undefined
}

/** Reads the best picture that is told of: the largest that is not too large and lies in the account itself. undefined: none. */
export function parseAvatar(metadata: Element | undefined): AvatarInfo | undefined {
  if (!metadata?.is('metadata', AVATAR)) return undefined
  return metadata.children('info').slice(0, 20).flatMap((e): AvatarInfo[] => {
    const [id, mime, bytes] = [e.attr('id')?.toLowerCase(), e.attr('type'), whole(e.attr('bytes'), MAX_AVATAR)]
    if (!id || !/^[\da-f]{40}$/.test(id) || !mime || !/^image\/(png|jpeg|webp|gif|avif)$/.test(mime) || !bytes || e.attr('url')) return []
    return [{ id, mime, bytes, width: whole(e.attr('width'), 10_000), height: whole(e.attr('height'), 10_000) }]
  }).sort((a, b) => b.bytes - a.bytes)[0]
}

/** What an event says of somebody's picture: `info` is undefined when it is gone. undefined for other events. */
export const avatarEvent = (event: NodeEvent): { jid: string; info?: AvatarInfo } | undefined =>
  event.node === AVATAR ? { jid: event.from, info: parseAvatar(event.items.at(-1)?.payload) } : undefined

const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-1', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('')

/** Asks which picture somebody has; undefined if none. */
export const fetchAvatarInfo = async (session: Session, jid: string): Promise<AvatarInfo | undefined> =>
  parseAvatar((await getItems(session, AVATAR, { to: jid, max: 1 })).at(-1)?.payload)

/** Loads a picture, undefined if it is gone, too large, or not what its id says. */
export async function fetchAvatar(session: Session, jid: string, info: AvatarInfo): Promise<Blob | undefined> {
  const data = (await getItems(session, AVATAR_DATA, { to: jid, ids: [info.id] }))[0]?.payload
  const bytes = data?.is('data', AVATAR_DATA) && data.text.length <= MAX_AVATAR * 1.5 ? fromBase64(data.text) : undefined
  return bytes && bytes.length <= MAX_AVATAR && await digest(bytes) === info.id ? new Blob([bytes], { type: info.mime }) : undefined
}

/** Publishes our picture, at most 256 KiB; null takes it away. */
export async function publishAvatar(session: Session, picture: { blob: Blob; width: number; height: number } | null): Promise<AvatarInfo | undefined> {
  if (!picture) {
    await publish(session, AVATAR, el(AVATAR, 'metadata'), OPEN)
    await deleteNode(session, AVATAR_DATA)
    return undefined
  }
  const { blob, width, height } = picture
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const info: AvatarInfo = { id: await digest(bytes), mime: blob.type, bytes: bytes.length, width, height }
  await publish(session, AVATAR_DATA, el(AVATAR_DATA, 'data', {}, base64(bytes)), OPEN, info.id)
  const { id, mime } = info
  await publish(session, AVATAR, el(AVATAR, 'metadata', {}, el(AVATAR, 'info', { id, type: mime, bytes: bytes.length, width, height })), OPEN, id)
  return info
}

/** Publishes what we call ourselves; '' takes it away. */
export const publishNick = (session: Session, nick: string): Promise<void> => publish(session, NICK, el(NICK, 'nick', {}, nick), OPEN)

/** What an event says that somebody calls themselves ('' for nothing any more), undefined for other events. */
export const nickEvent = (event: NodeEvent): { jid: string; nick: string } | undefined => event.node !== NICK ? undefined
  : { jid: event.from, nick: (event.items.at(-1)?.payload?.is('nick', NICK) ? event.items.at(-1)?.payload?.text.trim().slice(0, 200) : '') || '' }

/** The card of a person: the values of each property, as `fn`, `note`, `tel`, `email`, `url`, `org`. */
export type Card = Record<string, string[]>

/** Reads a vCard 4; at most 100 properties of at most 1000 characters. */
export function parseCard(e: Element | undefined): Card | undefined {
  if (!e?.is('vcard', VCARD4)) return undefined
  const card: Card = Object.create(null) as Card
  for (const property of e.children().filter((c) => c.ns === VCARD4).slice(0, 100)) {
    const value = property.children().find((c) => c.ns === VCARD4 && c.name !== 'parameters')
    if (value?.text) (card[property.name] ??= []).push(value.text.slice(0, 1000))
  }
  return card
}

/** Asks for somebody's card, undefined if there is none. */
export const fetchCard = async (session: Session, jid?: string): Promise<Card | undefined> =>
  parseCard((await getItems(session, VCARD4, { to: jid, max: 1 })).at(-1)?.payload)

/** Publishes our card. Values that are addresses (`tel:`, `https:`, `mailto:`, `geo:`) are written as such. */
export const publishCard = (session: Session, card: Card): Promise<void> => publish(session, VCARD4, el(VCARD4, 'vcard', {},
  ...Object.entries(card).flatMap(([name, values]) => values.map((v) =>
    el(VCARD4, name, {}, el(VCARD4, /^(tel|https?|geo):/.test(v) ? 'uri' : 'text', {}, v))))), OPEN)
