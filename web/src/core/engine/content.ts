// The content of a message between the model and the wire: text, files, places, contacts, polls. A foreign app sends text or an address of a
// file in the body; what we add beside it makes it look right before it is loaded, and is left out by apps that do not know it.

import { MAX_LIVE, MAX_POSTER, moneyText, type Content, type LinkPreview, type Media, type OnceKind, type PackPlace } from '../model.ts'
import { parseJID } from '../xmpp/jid.ts'
import { CLIENT, GEOLOC, OOB, STICKERS } from '../xmpp/ns.ts'
import { formatTime, parseTime } from '../xmpp/time.ts'
import { el, type Element } from '../xmpp/xml.ts'
import { readEvent, writeEvent } from './event.ts'
import { FILE, LIVE, LOOKS, ONCE, OPEN_GRAPH, PAY, POLL, RDF, SFS, THUMBS, URL_DATA } from './own-ns.ts'

/** Text beyond this is cut: as long as a stanza may be. */
const MAX_TEXT = 256 << 10
const MAX_NAME = 255
const MAX_OPTIONS = 20
const MAX_IMAGE = 64 << 10
/** Cards that are looked at in one message; one is shown. */
const MAX_CARDS = 10

const FILES: Record<string, [Content['type'] & ('image' | 'video' | 'voice' | 'audio' | 'file'), string]> = {
  jpg: ['image', 'image/jpeg'], jpeg: ['image', 'image/jpeg'], png: ['image', 'image/png'], webp: ['image', 'image/webp'], gif: ['image', 'image/gif'],
  avif: ['image', 'image/avif'], heic: ['file', 'image/heic'], mp4: ['video', 'video/mp4'], mov: ['video', 'video/quicktime'], webm: ['video', 'video/webm'],
  mkv: ['file', 'video/x-matroska'], m4a: ['voice', 'audio/mp4'], ogg: ['voice', 'audio/ogg'], oga: ['voice', 'audio/ogg'], opus: ['voice', 'audio/ogg'],
  aac: ['voice', 'audio/aac'], weba: ['voice', 'audio/webm'], mp3: ['audio', 'audio/mpeg'], flac: ['audio', 'audio/flac'], wav: ['audio', 'audio/wav'], pdf: ['file', 'application/pdf'],
}
const MIME = /^[\w.+-]{1,60}\/[\w.+-]{1,60}(;\s*[\w-]+=[\w.,-]+)?$/

/** Reads a content; undefined if there is none. `body` is the text without what is only a fallback. */
export function readContent(body: string | undefined, e: Element): Content | undefined {
  const text = (body ?? '').slice(0, MAX_TEXT)
  return readPoll(e) ?? readSplit(e) ?? readEvent(text, e) ?? readOnce(e) ?? readFile(text, e) ?? readPlace(text, e) ?? readContact(text) ?? (text.trim() ? { type: 'text', text, ...readPreview(text, e) } : undefined)
}

/** A bill that was split: what is known of it, the service of payments says. */
function readSplit(e: Element): Content | undefined {
  const split = e.child('split', PAY)
  const [id, group] = [split?.attr('id') ?? '', parseJID(split?.attr('group') ?? '')]
  return /^[\w-]{16,40}$/.test(id) && group ? { type: 'split', id, group } : undefined
}

/** What can be opened once. Its file stands inside, where only apps look that know what that means; without one there is nothing to open. */
function readOnce(e: Element): Content | undefined {
  const once = e.child('view-once', ONCE)
  if (!once) return undefined
  const found = readFile('', once)
  const as = ONCE_KINDS.find((kind) => kind === (found?.type ?? once.attr('as')))
  if (!as || !found || !('media' in found) || !/^aesgcm:/.test(found.media.url ?? '')) return { type: 'once', as: as ?? 'image' }
  const { poster: _, thumbhash: __, ...file } = found.media
  return { type: 'once', as, file }
}

const ONCE_KINDS: OnceKind[] = ['image', 'video', 'voice']

function readFile(text: string, e: Element): Content | undefined {
  const sharing = e.child('file-sharing', SFS)
  const file = sharing?.child('file', FILE)
  const url = fileURL(sharing?.child('sources')?.child('url-data', URL_DATA)?.attr('target')) ?? fileURL(e.child('x', OOB)?.textOf('url')) ?? fileURL(text.split('\n')[0])
  if (!url || (!sharing && !e.child('x', OOB) && !/^aesgcm:/.test(url))) return undefined
  const path = safePath(url)
  const [guess, guessed] = FILES[/\.(\w{1,5})$/.exec(path)?.[1]?.toLowerCase() ?? ''] ?? ['file', 'application/octet-stream']
  const told = file?.textOf('media-type')
  const mime = told && MIME.test(told) ? told : guessed
  const name = (file?.textOf('name') || path.split('/').at(-1) || 'file').replace(/[/\\\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '_').slice(0, MAX_NAME)
  const looks = file?.child('looks', LOOKS)
  const media: Media = { key: mediaKey(url), name, mime, size: whole(file?.textOf('size'), 2 ** 40) ?? 0, url, ...readLooks(file, looks) }
  const sticker = e.child('sticker', STICKERS)
  if (sticker) Object.assign(media, readPack(sticker))
  const type = sticker ? 'sticker' : kindOf(mime, looks?.attr('as'), guess)
  const caption = e.textOf('caption', LOOKS)?.slice(0, 5000) || (sharing && text && !fileURL(text.split('\n')[0]) ? text : undefined)
  return { type, media, ...(caption ? { caption } : {}) }
}

/** Which pack a sticker is from. What it says is not trusted: a pack is only looked at when a person wants to. */
function readPack(sticker: Element): { pack?: PackPlace } {
  const [id, node] = [sticker.attr('pack'), sticker.attr('node')]
  const jid = parseJID(sticker.attr('jid') ?? '')
  return id && id.length <= 200 ? { pack: { id, ...(jid ? { jid } : {}), ...(node && node.length <= 500 ? { node } : {}) } } : {}
}

function kindOf(mime: string, as: string | undefined, guess: Exclude<(typeof FILES)[string], undefined>[0]): 'image' | 'video' | 'voice' | 'audio' | 'file' {
  if (as === 'voice' && mime.startsWith('audio/')) return 'voice'
  if (as === 'file') return 'file'
  if (/^image\/(jpeg|png|webp|gif|avif)$/.test(mime)) return 'image'
  if (/^video\/(mp4|webm|quicktime)/.test(mime)) return 'video'
  return mime.startsWith('audio/') ? (as ? 'audio' : guess === 'voice' ? 'voice' : 'audio') : 'file'
}

function readLooks(file: Element | undefined, looks: Element | undefined): Partial<Media> {
  const waveform = /^[0-9a-f]{1,40}$/.exec(looks?.attr('waveform') ?? '')?.[0]
  const hash = /^[A-Za-z\d+/]{4,40}={0,2}$/.exec(looks?.attr('thumbhash') ?? '')?.[0]
  const out: Partial<Media> = {
    width: whole(file?.textOf('width'), 1e5), height: whole(file?.textOf('height'), 1e5), seconds: fraction(file?.textOf('length')),
    loop: (looks?.attr('loop') === 'true' && file?.textOf('media-type')?.startsWith('video/')) || undefined,
    waveform: waveform ? [...waveform].map((d) => parseInt(d, 16)) : undefined, thumbhash: hash,
    poster: file?.textOf('media-type')?.startsWith('video/') ? readPoster(file.child('thumbnail', THUMBS)?.attr('uri')) : undefined,
  }
  return Object.fromEntries(Object.entries(out).filter(([, v]) => v !== undefined))
}

/** A poster that came with its message: nothing is fetched to show it (XEP-0264 with a `data:` address). Undefined for anything else. */
export function readPoster(address: string | undefined): string | undefined {
  return address && address.length <= MAX_POSTER && /^data:image\/(jpeg|png|webp);base64,[A-Za-z\d+/]+={0,2}$/.test(address) ? address : undefined
}

/** An address from which a file may be loaded, undefined for anything else. */
export function fileURL(text: string | undefined): string | undefined {
  return text && text.length <= 4096 && /^(aesgcm|https):\/\/[^\s/?#]+\/\S*$/.test(text) ? text : undefined
}

/** The key under which the bytes behind an address are kept: the address without its secret. */
export const mediaKey = (url: string): string => 'u ' + url.replace(/^aesgcm:/, 'https:').replace(/#.*$/, '')

function safePath(url: string): string {
  const path = url.replace(/^\w+:\/\/[^/]*/, '').replace(/[?#].*$/, '')
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const whole = (text: string | undefined, most: number): number | undefined => text && /^\d{1,15}$/.test(text) && Number(text) <= most ? Number(text) : undefined
/** XEP-0446 says milliseconds. */
const fraction = (text: string | undefined): number | undefined => {
  const ms = whole(text, 1e9)
  return ms === undefined ? undefined : ms / 1000
}

function readPlace(text: string, e: Element): Content | undefined {
  const place = e.child('geoloc', GEOLOC)
  const [, lat, lon, rest] = /^geo:(-?\d{1,2}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?)(;\S*|,\S*)?$/.exec(text.trim()) ?? []
  const latitude = Number(place?.textOf('lat') ?? lat ?? NaN)
  const longitude = Number(place?.textOf('lon') ?? lon ?? NaN)
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined
  const accuracy = Number(place?.textOf('accuracy') ?? /;u=(\d{1,6})/.exec(rest ?? '')?.[1] ?? NaN)
  const label = place?.textOf('description')?.slice(0, 200)
  const until = parseTime(e.child('live', LIVE)?.attr('until'))
  const live = until !== undefined && until > 0 ? { liveUntil: Math.min(until, (Date.now() / 1000 + MAX_LIVE) * 1e6) } : {}
  return { type: 'location', latitude, longitude, ...(accuracy >= 0 ? { accuracy } : {}), ...(label ? { label } : {}), ...live }
}

function readContact(text: string): Content | undefined {
  const [, address, query] = /^xmpp:([^?\s]{1,1000})(?:\?(\S*))?$/.exec(text.trim()) ?? []
  const jid = address ? parseJID(decode(address)) : undefined
  if (!jid?.includes('@') || (query && !query.startsWith('roster'))) return undefined
  const name = /(?:^|;)name=([^;]{1,300})/.exec(query ?? '')?.[1]
  return { type: 'contact', jid, name: name ? decode(name).slice(0, 200) : jid.split('@')[0] ?? jid }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function readPoll(e: Element): Content | undefined {
  const poll = e.child('poll', POLL)
  const question = poll?.textOf('question')?.slice(0, 500)
  const options = poll?.children('option').slice(0, MAX_OPTIONS).map((o) => o.text.slice(0, 200)) ?? []
  const closes = parseTime(poll?.attr('closes'))
  return question && options.length > 1 ? { type: 'poll', question, options, many: poll?.attr('many') === 'true', ...(closes === undefined ? {} : { closes }), votes: {} } : undefined
}

/**
 * Reads the card of a link (XEP-0511) that the sender made. Only for an address that stands in the text: a card of something else would let a message
 * show one address and open another. Only a picture that came with it: whoever reads fetches nothing.
 */
export function readPreview(text: string, e: Element): { preview?: LinkPreview } {
  for (const found of e.children('Description', RDF).slice(0, MAX_CARDS)) {
    const url = found.attr(`{${RDF}}about`)
    const word = (name: string, most: number) => found.textOf(name, OPEN_GRAPH)?.trim().slice(0, most) || undefined
    const title = word('title', 300)
    if (!url || !title || url.length > 2048 || !/^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/.test(url) || !standsIn(text, url)) continue
    const image = found.children('image', OPEN_GRAPH).map((i) => i.text.trim()).find((i) => i.length <= MAX_IMAGE && /^data:image\/(jpeg|png|webp);base64,[A-Za-z\d+/=]+$/.test(i))
    const [description, site] = [word('description', 1000), word('site_name', 100)]
    return { preview: { url, title, ...(description ? { description } : {}), ...(site ? { site } : {}), ...(image ? { image } : {}) } }
  }
  return {}
}

/** Whether an address stands in a text. */
const standsIn = (text: string, url: string): boolean => text.includes(url.replace(/\/$/, ''))

/** A text with the card of a link, if that stands in it. */
export const textWith = (text: string, preview: LinkPreview | undefined): Extract<Content, { type: 'text' }> =>
  ({ type: 'text', text, ...(preview && standsIn(text, preview.url) ? { preview } : {}) })

/** How a content is said: the body that every app shows, and the elements beside it. */
export interface Written { body: string; elements: Element[] }

/** Writes a content. A file must have its address. */
export function writeContent(content: Content): Written {
  switch (content.type) {
    case 'text': return { body: content.text, elements: content.preview ? [writePreview(content.preview)] : [] }
    case 'location': return writePlace(content)
    case 'contact': return { body: `xmpp:${encodeURI(content.jid)}?roster;name=${encodeURIComponent(content.name)}`, elements: [] }
    case 'poll': return writePoll(content)
    case 'event': return writeEvent(content)
    case 'once': return writeOnce(content)
    case 'split': return { body: moneyText(content), elements: [el(PAY, 'split', { id: content.id, group: content.group })] }
    case 'system': case 'call': case 'undecryptable': case 'payment': case 'request': return { body: '', elements: [] }
    default: return writeFile(content)
  }
}

/** What apps show that do not know it. The file is for those that do: nothing that shows it, not its name either, stands anywhere else. */
const ONCE_TEXT: Record<OnceKind, string> = {
  image: 'This is a photo that can be viewed once. Your app cannot show it.', video: 'This is a video that can be viewed once. Your app cannot show it.',
  voice: 'This is a voice message that can be heard once. Your app cannot play it.',
}

function writeOnce({ as, file }: Extract<Content, { type: 'once' }>): Written {
  const bare = file && { ...file, poster: undefined, thumbhash: undefined, name: as + (/\.\w{1,5}$/.exec(file.name)?.[0] ?? '') }
  return { body: ONCE_TEXT[as], elements: [el(ONCE, 'view-once', { as }, ...(bare ? writeFile({ type: as, media: bare }).elements : []))] }
}

function writeFile(content: Extract<Content, { media: Media }>): Written {
  const { media, caption, type } = content
  const url = media.url ?? ''
  const text = (name: string, value: string | number | undefined) => value === undefined ? undefined : el(FILE, name, {}, value)
  const file = el(FILE, 'file', {}, text('media-type', media.mime), text('name', media.name), text('size', media.size), text('width', media.width), text('height', media.height),
    text('length', media.seconds === undefined ? undefined : Math.round(media.seconds * 1000)),
    media.poster ? el(THUMBS, 'thumbnail', { uri: media.poster, 'media-type': /^data:([^;]+)/.exec(media.poster)?.[1] }) : undefined,
    el(LOOKS, 'looks', { as: type, waveform: media.waveform?.map((n) => n.toString(16)).join(''), thumbhash: media.thumbhash, loop: media.loop ? 'true' : undefined }))
  const sharing = el(SFS, 'file-sharing', { disposition: type === 'file' ? 'attachment' : 'inline' }, file, el(SFS, 'sources', {}, el(URL_DATA, 'url-data', { target: url })))
  const sticker = type === 'sticker' ? [el(STICKERS, 'sticker', { pack: media.pack?.id, jid: media.pack?.jid, node: media.pack?.node })] : []
  // The address alone is the body (XEP-0454 §3): other apps show the file only then. A caption is therefore for those who read the sharing.
  return { body: url, elements: [sharing, ...sticker, ...(caption ? [el(LOOKS, 'caption', {}, caption)] : [])] }
}

function writePlace(content: Extract<Content, { type: 'location' }>): Written {
  const { latitude, longitude, accuracy, label, liveUntil } = content
  const part = (name: string, value: string | number | undefined) => value === undefined ? undefined : el(GEOLOC, name, {}, value)
  return {
    body: `geo:${latitude.toFixed(6)},${longitude.toFixed(6)}${accuracy === undefined ? '' : ';u=' + Math.round(accuracy)}`,
    elements: [
      el(GEOLOC, 'geoloc', {}, part('lat', latitude), part('lon', longitude), part('accuracy', accuracy), part('description', label)),
      ...(liveUntil === undefined ? [] : [el(LIVE, 'live', { until: formatTime(liveUntil) })]),
    ],
  }
}

function writePoll(content: Extract<Content, { type: 'poll' }>): Written {
  const { question, options, many, closes } = content
  return {
    body: [question, ...options.map((o, i) => `${i + 1}. ${o}`)].join('\n'),
    elements: [el(POLL, 'poll', { many: String(many), closes: closes === undefined ? undefined : formatTime(closes) }, el(POLL, 'question', {}, question), ...options.map((o) => el(POLL, 'option', {}, o)))],
  }
}

/** Writes the card of a link (XEP-0511). */
export function writePreview(p: LinkPreview): Element {
  const word = (name: string, value: string | undefined) => value === undefined ? undefined : el(OPEN_GRAPH, name, {}, value)
  return el(RDF, 'Description', { [`{${RDF}}about`]: p.url }, word('title', p.title), word('description', p.description), word('site_name', p.site), word('image', p.image))
}

/** The body of a message as an element. */
export const bodyElement = (text: string): Element => el(CLIENT, 'body', {}, text)
