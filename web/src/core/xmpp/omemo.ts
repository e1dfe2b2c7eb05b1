// The XML of OMEMO, 0.3 and 2 (XEP-0384): device lists, bundles of keys, encrypted messages, as the objects of core/crypto/types.ts. What the
// keys are worth, the crypto worker finds out.

import type { Bundle, Encrypted, EncryptedKey, ForAll, PreKey, Version } from '../crypto/types.ts'
import { bare, parseJID } from './jid.ts'
import { EME, OMEMO1, OMEMO2, SENDER_KEYS } from './ns.ts'
import { deleteNode, getItems, publish, retractItem, type NodeEvent, type NodeOptions } from './pubsub.ts'
import type { Session } from './session.ts'
import { base64, fromBase64 } from './stanza.ts'
import { el, type Element } from './xml.ts'

const MAX_DEVICES = 1000
const MAX_KEYS = 4096
const MAX_PREKEYS = 1000

/** The nodes of device lists; announce `+notify` for both. */
export const DEVICE_NODES: Record<Version, string> = { '0.3': OMEMO1 + '.devicelist', '2': OMEMO2 + ':devices' }
const SPACES: Record<Version, string> = { '0.3': OMEMO1, '2': OMEMO2 }

/** A number from 1 to 2^31-1, undefined for anything else. */
export function parseDevice(text: string | undefined): number | undefined {
  const id = /^[1-9]\d{0,9}$/.test(text ?? '') ? Number(text) : 0
  return id > 0 && id < 2 ** 31 ? id : undefined
}

const keyID = (text: string | undefined) => /^\d{1,10}$/.test(text ?? '') ? Number(text) : undefined

/** A device on a list; the label is what its owner calls it (OMEMO 2), with a signature that has to be verified. */
export interface Listed { id: number; label?: string; signature?: Uint8Array<ArrayBuffer> }

/** Reads a device list, each id once; [] for what is none. */
export function parseDevices(payload: Element | undefined, version: Version): Listed[] {
  if (!payload?.is(version === '2' ? 'devices' : 'list', SPACES[version])) return []
  const out = new Map<number, Listed>()
  for (const e of payload.children('device').slice(0, MAX_DEVICES)) {
    const id = parseDevice(e.attr('id'))
    const signature = e.attr('labelsig')
    if (id) out.set(id, { id, label: e.attr('label')?.slice(0, 200), signature: signature === undefined ? undefined : fromBase64(signature) })
  }
  return [...out.values()]
}

/** The device list that an event tells, undefined for any other event. */
export function deviceListEvent(event: NodeEvent): { jid: string; version: Version; devices: Listed[] } | undefined {
  for (const version of ['0.3', '2'] as const) {
    if (event.node === DEVICE_NODES[version]) return { jid: event.from, version, devices: parseDevices(event.items.at(-1)?.payload, version) }
  }
  return undefined
}

/** Asks for somebody's device list; [] if there is none. */
export async function fetchDevices(session: Session, jid: string, version: Version): Promise<Listed[]> {
  return parseDevices((await getItems(session, DEVICE_NODES[version], { to: jid, max: 1 })).at(-1)?.payload, version)
}

/** Publishes our own device list. */
export function publishDevices(session: Session, version: Version, devices: Listed[]): Promise<void> {
  const list = el(SPACES[version], version === '2' ? 'devices' : 'list', {}, ...devices.map(({ id, label, signature }) => el(SPACES[version], 'device',
    version === '2' && label && signature ? { id, label, labelsig: base64(signature) } : { id })))
  return publish(session, DEVICE_NODES[version], list, { persist_items: true, access_model: 'open' })
}

const bundlePlace = (version: Version, device: number): { node: string; id: string; options: NodeOptions } => version === '2'
  ? { node: OMEMO2 + ':bundles', id: String(device), options: { persist_items: true, access_model: 'open', max_items: 'max' } }
  : { node: OMEMO1 + '.bundles:' + device, id: 'current', options: { persist_items: true, access_model: 'open' } }

/** Asks for the keys of one device; null if there are none, or none that can be read. */
export async function fetchBundle(session: Session, jid: string, device: number, version: Version): Promise<Bundle | null> {
  const { node, id } = bundlePlace(version, device)
  const items = await getItems(session, node, version === '2' ? { to: jid, ids: [id] } : { to: jid, max: 1 })
  return parseBundle(items.at(-1)?.payload, version) ?? null
}

/** Publishes the keys of our device. */
export function publishBundle(session: Session, version: Version, device: number, bundle: Bundle): Promise<void> {
  const { node, id, options } = bundlePlace(version, device)
  return publish(session, node, bundleElement(bundle), options, id)
}

/** Takes the keys of a device of ours away. */
export function removeBundle(session: Session, version: Version, device: number): Promise<void> {
  const { node, id } = bundlePlace(version, device)
  return version === '2' ? retractItem(session, node, id) : deleteNode(session, node)
}

/** Says that our device knows keys of senders. It stands in a node of its own: apps that check lists and bundles against their schema refuse what is not in it. */
export function publishKnowing(session: Session, device: number): Promise<void> {
  return publish(session, SENDER_KEYS, el(SENDER_KEYS, 'sender-keys'), { persist_items: true, access_model: 'open', max_items: 'max' }, String(device))
}

/** Ids of somebody's devices that say so. */
export async function fetchKnowing(session: Session, jid: string): Promise<number[]> {
  const items = await getItems(session, SENDER_KEYS, { to: jid })
  return items.flatMap(({ id, payload }) => payload?.is('sender-keys', SENDER_KEYS) ? parseDevice(id) ?? [] : [])
}

/** A device of ours that is no more says nothing. */
export const removeKnowing = (session: Session, device: number): Promise<void> => retractItem(session, SENDER_KEYS, String(device))

/** Reads a bundle; undefined if a part is missing or is not base64. */
export function parseBundle(e: Element | undefined, version: Version): Bundle | undefined {
  if (!e?.is('bundle', SPACES[version])) return undefined
  const [spk, sig, ik, pk, attr] = version === '2' ? ['spk', 'spks', 'ik', 'pk', 'id']
    : ['signedPreKeyPublic', 'signedPreKeySignature', 'identityKey', 'preKeyPublic', 'preKeyId']
  const bytes = (x: Element | undefined) => x && x.text.length < 1000 ? fromBase64(x.text) : undefined
  const signed = e.child(spk ?? '')
  const id = keyID(signed?.attr(version === '2' ? 'id' : 'signedPreKeyId'))
  const [key, signature, identity] = [bytes(signed), bytes(e.child(sig ?? '')), bytes(e.child(ik ?? ''))]
  if (id === undefined || !key || !signature || !identity) return undefined
  const preKeys = (e.child('prekeys')?.children(pk) ?? []).slice(0, MAX_PREKEYS).flatMap((x): PreKey[] => {
    const [one, data] = [keyID(x.attr(attr ?? '')), bytes(x)]
    return one !== undefined && data ? [{ id: one, key: data }] : []
  })
  return { version, identity, signedPreKey: { id, key }, signature, preKeys }
}

/** Writes a bundle. */
export function bundleElement({ version, identity, signedPreKey, signature, preKeys }: Bundle): Element {
  const ns = SPACES[version]
  if (version === '2') {
    return el(ns, 'bundle', {}, el(ns, 'spk', { id: signedPreKey.id }, base64(signedPreKey.key)), el(ns, 'spks', {}, base64(signature)),
      el(ns, 'ik', {}, base64(identity)), el(ns, 'prekeys', {}, ...preKeys.map((k) => el(ns, 'pk', { id: k.id }, base64(k.key)))))
  }
  return el(ns, 'bundle', {}, el(ns, 'signedPreKeyPublic', { signedPreKeyId: signedPreKey.id }, base64(signedPreKey.key)),
    el(ns, 'signedPreKeySignature', {}, base64(signature)), el(ns, 'identityKey', {}, base64(identity)),
    el(ns, 'prekeys', {}, ...preKeys.map((k) => el(ns, 'preKeyPublic', { preKeyId: k.id }, base64(k.key)))))
}

/** Reads what is encrypted in a message: OMEMO 2 first, since it protects more. What cannot be read is left out. */
export function parseEncrypted(stanza: Element): Encrypted[] {
  return (['2', '0.3'] as const).flatMap((version) => {
    const e = stanza.child('encrypted', SPACES[version])
    const header = e?.child('header')
    const sid = parseDevice(header?.attr('sid'))
    if (!e || !header || !sid) return []
    const groups = version === '2' ? header.children('keys') : [header]
    const keys = groups.flatMap((g) => parseKeys(g, version)).slice(0, MAX_KEYS)
    const [iv, payload] = [header.textOf('iv'), e.textOf('payload')]
    const [ivBytes, bytes] = [iv === undefined ? undefined : fromBase64(iv), payload === undefined ? undefined : fromBase64(payload)]
    return (iv !== undefined && !ivBytes) || (payload !== undefined && !bytes) ? [] : [{ version, sid, keys, iv: ivBytes, payload: bytes, ...(version === '2' ? forAllOf(stanza) : {}) }]
  })
}

/** The key for all that stands beside it; what cannot be read is as if it did not. */
function forAllOf(stanza: Element): { all?: ForAll } {
  const e = stanza.child('for-all', SENDER_KEYS)
  const [epoch, n] = [e?.attr('epoch') ?? '', e?.attr('n') ?? '']
  if (!e || !/^[0-9a-f]{16}$/.test(epoch) || !/^(0|[1-9]\d{0,2})$/.test(n) || e.text.length > 200) return {}
  const [data, sign] = [fromBase64(e.text), fromBase64(e.attr('sign') ?? '')]
  return data && sign ? { all: { epoch, n: Number(n), data, sign } } : {}
}

/** Writes it. */
export const forAllElement = ({ epoch, n, data, sign }: ForAll): Element => el(SENDER_KEYS, 'for-all', { epoch, n, sign: base64(sign) }, base64(data))

function parseKeys(group: Element, version: Version): EncryptedKey[] {
  const jid = version === '2' ? parseJID(group.attr('jid') ?? '') : undefined
  if (version === '2' && !jid) return []
  return group.children('key').slice(0, MAX_KEYS).flatMap((k) => {
    const [rid, data] = [parseDevice(k.attr('rid')), fromBase64(k.text)]
    const exchange = /^(true|1)$/.test(k.attr(version === '2' ? 'kex' : 'prekey') ?? '')
    return rid && data ? [{ jid: jid && bare(jid), rid, exchange, data }] : []
  })
}

/** Writes an encrypted message. */
export function encryptedElement({ version, sid, keys, iv, payload }: Encrypted): Element {
  const ns = SPACES[version]
  const key = (k: EncryptedKey) => el(ns, 'key', { rid: k.rid, [version === '2' ? 'kex' : 'prekey']: k.exchange ? 'true' : undefined }, base64(k.data))
  const jids = [...new Set(keys.map((k) => k.jid ?? ''))]
  const inside = version === '2' ? jids.map((jid) => el(ns, 'keys', { jid }, ...keys.filter((k) => (k.jid ?? '') === jid).map(key))) : keys.map(key)
  return el(ns, 'encrypted', {}, el(ns, 'header', { sid }, ...inside, iv && el(ns, 'iv', {}, base64(iv))), payload && el(ns, 'payload', {}, base64(payload)))
}

/** Says which encryption a message uses, for apps that do not know it (XEP-0380). */
export const encryptionElement = (version: Version): Element =>
  el(EME, 'encryption', { namespace: SPACES[version], name: version === '2' ? 'OMEMO 2' : 'OMEMO' })
