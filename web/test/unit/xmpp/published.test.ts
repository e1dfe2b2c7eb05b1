// What accounts publish, block, upload and announce, with the real server.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { block, getBlocked, onBlocked, unblock } from '../../../src/core/xmpp/blocking.ts'
import { bookmarkEvent, fetchBookmarks, removeBookmark, setBookmark } from '../../../src/core/xmpp/bookmarks.ts'
import { answerAboutUs, capsElement, discover, FEATURES } from '../../../src/core/xmpp/disco.ts'
import { displayedEvent, fetchDisplayed, publishDisplayed } from '../../../src/core/xmpp/displayed.ts'
import { isLastShown, lastSeen, showLast } from '../../../src/core/xmpp/last.ts'
import * as ns from '../../../src/core/xmpp/ns.ts'
import { bundleElement, deviceListEvent, encryptedElement, fetchBundle, fetchDevices, parseBundle, parseEncrypted, publishBundle, publishDevices } from '../../../src/core/xmpp/omemo.ts'
import { announce, parsePresence } from '../../../src/core/xmpp/presence.ts'
import { avatarEvent, fetchAvatar, fetchAvatarInfo, fetchCard, nickEvent, publishAvatar, publishCard, publishNick } from '../../../src/core/xmpp/profile.ts'
import { deleteNode, getItems, OPEN, OWN, parseEvent, publish, retractItem, type NodeEvent } from '../../../src/core/xmpp/pubsub.ts'
import { pushKey, subscribePush, unsubscribePush } from '../../../src/core/xmpp/push.ts'
import { answerSubscription, getRoster, onRosterPush, subscribe } from '../../../src/core/xmpp/roster.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { findUpload, requestSlot } from '../../../src/core/xmpp/upload.ts'
import { el, parse } from '../../../src/core/xmpp/xml.ts'
import { Resident, Town } from './town.ts'

let town: Town
let romeo: Resident
let juliet: Resident
const news: NodeEvent[] = []

beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet'])
  ;[romeo, juliet] = await Promise.all([new Resident(town, 'romeo').live(), new Resident(town, 'juliet').live()])
  const caps = await capsElement()
  for (const who of [romeo, juliet]) {
    answerAboutUs(who.connection, '1')
    onRosterPush(who.connection, () => { who.changed() })
    await getRoster(who.connection)
  }
  juliet.connection.on('message', (m) => {
    const event = parseEvent(m)
    if (event) news.push(event)
    juliet.changed()
  })
  for (const [one, other] of [[romeo, juliet], [juliet, romeo]] as const) {
    const asked = other.next('presence', (p) => parsePresence(p)?.type === 'subscribe')
    for (const who of [romeo, juliet]) announce(who.connection, { caps })
    subscribe(one.connection, other.connection.account)
    await asked
    const answered = one.next('presence', (p) => parsePresence(p)?.type === 'subscribed')
    answerSubscription(other.connection, one.connection.account, true)
    await answered
  }
  expect((await getRoster(juliet.connection)).items).toMatchObject([{ jid: 'romeo@localhost', subscription: 'both' }])
})
afterAll(async () => {
  for (const who of [romeo, juliet]) who.connection.stop()
  await town.end()
})

/** Waits for news that a test likes. */
async function heard<T>(like: (event: NodeEvent) => T | undefined): Promise<T> {
  await juliet.until(() => news.some((event) => like(event) !== undefined))
  return news.map(like).find((found) => found !== undefined) as T
}

test('items are published, read, taken back, and told to contacts who want to know', async () => {
  const payload = el('urn:x', 'x', {}, 'text', el('urn:y', 'y'))
  await publish(romeo.connection, 'urn:x', payload, OWN, 'one')
  expect((await getItems(romeo.connection, 'urn:x')).map((i) => [i.id, String(i.payload)])).toEqual([['one', String(payload)]])
  await expect(getItems(juliet.connection, 'urn:x', { to: 'romeo@localhost' })).rejects.toMatchObject({ condition: expect.stringMatching(/forbidden|not-allowed|not-authorized/) as string })
  await publish(romeo.connection, 'urn:x', payload, { ...OPEN, max_items: 2 }, 'two') // other options: the node is changed
  expect(await getItems(juliet.connection, 'urn:x', { to: 'romeo@localhost', ids: ['two'] })).toHaveLength(1)
  await retractItem(romeo.connection, 'urn:x', 'two')
  await retractItem(romeo.connection, 'urn:x', 'never')
  expect(await getItems(juliet.connection, 'urn:x', { to: 'romeo@localhost', ids: ['two'] })).toEqual([])
  await deleteNode(romeo.connection, 'urn:x')
  await deleteNode(romeo.connection, 'urn:x')
  expect(await getItems(romeo.connection, 'urn:x')).toEqual([])
})

test('keys for encryption go there and back, in both versions', async () => {
  const bytes = (n: number) => crypto.getRandomValues(new Uint8Array(n))
  for (const version of ['0.3', '2'] as const) {
    const size = version === '2' ? 32 : 33
    const bundle = { version, identity: bytes(size), signedPreKey: { id: 1, key: bytes(size) }, signature: bytes(64), preKeys: Array.from({ length: 100 }, (_, i) => ({ id: i + 1, key: bytes(size) })) }
    await publishBundle(romeo.connection, version, 31337, bundle)
    await publishBundle(romeo.connection, version, 31338, { ...bundle, identity: bytes(size) })
    await publishDevices(romeo.connection, version, [{ id: 31337, label: 'Phone', signature: bytes(64) }, { id: 31338 }])
    expect(await fetchBundle(juliet.connection, 'romeo@localhost', 31337, version)).toEqual(bundle)
    expect(await fetchBundle(juliet.connection, 'romeo@localhost', 1, version)).toBeNull()
    expect((await fetchDevices(juliet.connection, 'romeo@localhost', version)).map((d) => d.id)).toEqual([31337, 31338])
    expect(await fetchDevices(juliet.connection, 'juliet@localhost', version)).toEqual([])
    const told = await heard((event) => { const list = deviceListEvent(event); return list?.version === version ? list : undefined })
    expect(told).toMatchObject({ jid: 'romeo@localhost', devices: [{ id: 31337 }, { id: 31338 }] })
    expect(parseBundle(parse(String(bundleElement(bundle))), version)).toEqual(bundle)
  }
})

test('an encrypted message goes there and back', async () => {
  const bytes = (n: number) => crypto.getRandomValues(new Uint8Array(n))
  const both = [
    { version: '2', sid: 1, keys: [{ jid: 'juliet@localhost', rid: 2, exchange: true, data: bytes(48) }, { jid: 'romeo@localhost', rid: 3, exchange: false, data: bytes(48) }], iv: undefined, payload: bytes(64) },
    { version: '0.3', sid: 1, keys: [{ jid: undefined, rid: 2, exchange: true, data: bytes(48) }, { jid: undefined, rid: 3, exchange: false, data: bytes(48) }], iv: bytes(12), payload: new Uint8Array(0) },
  ] as const
  const arrived = juliet.next('message', (m) => !!m.child('encrypted', ns.OMEMO2))
  romeo.connection.send(message({ to: 'juliet@localhost', id: newID() }, ...both.map((e) => encryptedElement({ ...e, keys: [...e.keys] }))))
  expect(parseEncrypted(await arrived)).toEqual(both)
})

test('pictures, names and cards are told and loaded', async () => {
  const blob = new Blob([crypto.getRandomValues(new Uint8Array(3000))], { type: 'image/png' })
  const info = await publishAvatar(romeo.connection, { blob, width: 64, height: 64 })
  expect(await heard((event) => avatarEvent(event)?.info)).toEqual(info)
  const seen = await fetchAvatarInfo(juliet.connection, 'romeo@localhost')
  const loaded = seen && await fetchAvatar(juliet.connection, 'romeo@localhost', seen)
  expect(await loaded?.arrayBuffer()).toEqual(await blob.arrayBuffer())
  expect(await fetchAvatar(juliet.connection, 'romeo@localhost', { id: '0'.repeat(40), mime: 'image/png', bytes: 3000 })).toBeUndefined()
  await publishAvatar(romeo.connection, null)
  expect(await fetchAvatarInfo(juliet.connection, 'romeo@localhost')).toBeUndefined()
  await publishNick(romeo.connection, 'Roméo <3')
  expect(await heard((event) => nickEvent(event))).toEqual({ jid: 'romeo@localhost', nick: 'Roméo <3' })
  await publishCard(romeo.connection, { fn: ['Romeo Montague'], tel: ['tel:+39123'], note: ['a & b'] })
  expect(await fetchCard(juliet.connection, 'romeo@localhost')).toMatchObject({ fn: ['Romeo Montague'], tel: ['tel:+39123'], note: ['a & b'] })
})

test('rooms, and what was read, are the same on all devices', async () => {
  const other = await new Resident(town, 'juliet').live()
  await setBookmark(other.connection, { room: 'balcony@rooms.localhost', name: 'Balcony', autojoin: true, nick: 'J' })
  expect(await fetchBookmarks(juliet.connection)).toMatchObject([{ room: 'balcony@rooms.localhost', name: 'Balcony', autojoin: true, nick: 'J' }])
  expect(await heard((event) => bookmarkEvent(event, 'juliet@localhost')?.set[0])).toMatchObject({ room: 'balcony@rooms.localhost' })
  await removeBookmark(other.connection, 'balcony@rooms.localhost')
  expect(await heard((event) => bookmarkEvent(event, 'juliet@localhost')?.removed[0])).toBe('balcony@rooms.localhost')
  expect(await fetchBookmarks(juliet.connection)).toEqual([])
  const read = { chat: 'romeo@localhost', id: '1795255512463021', by: 'juliet@localhost' }
  await publishDisplayed(other.connection, read)
  expect(await heard((event) => displayedEvent(event, 'juliet@localhost')[0])).toEqual(read)
  expect(await fetchDisplayed(juliet.connection)).toEqual([read])
  other.connection.stop()
})

test('who is blocked is told to all devices, and can be reported', async () => {
  const changes: [string[], boolean][] = []
  onBlocked(juliet.connection, (jids, blocked) => { changes.push([jids, blocked]); juliet.changed() })
  await getBlocked(juliet.connection)
  await block(juliet.connection, 'tybalt@localhost', { reason: 'abuse', text: 'a plague', messages: ['1'] })
  expect(await getBlocked(juliet.connection)).toEqual(['tybalt@localhost'])
  await unblock(juliet.connection, 'tybalt@localhost')
  await juliet.until(() => changes.length === 2)
  expect(changes).toEqual([[['tybalt@localhost'], true], [['tybalt@localhost'], false]])
})

test('there is a place for files, not for too large ones', async () => {
  const service = await findUpload(romeo.connection)
  expect(service?.max).toBeGreaterThan(1000)
  if (!service?.max) return
  const slot = await requestSlot(romeo.connection, service, { name: 'a b.jpg', size: 1000, mime: 'image/jpeg' })
  expect(slot.put).toMatch(/^https:\/\/.*a%20b\.jpg$/)
  await expect(requestSlot(romeo.connection, service, { name: 'x', size: service.max + 1, mime: 'image/jpeg' })).rejects.toMatchObject({ reason: 'too-large', max: service.max })
  await expect(requestSlot(romeo.connection, service, { name: '', size: 1, mime: 'image/jpeg' })).rejects.toMatchObject({ reason: 'refused' })
})

test('the browser can be woken', async () => {
  expect(await pushKey(romeo.connection)).toMatch(/^[\w-]{87}$/)
  const keys = { p256dh: 'B' + 'A'.repeat(86), auth: 'A'.repeat(22) }
  await subscribePush(romeo.connection, { endpoint: 'https://push.example.org/x', ...keys }).catch((error: unknown) => expect(error).toMatchObject({ condition: 'bad-request' }))
  await expect(subscribePush(romeo.connection, { endpoint: 'http://push.example.org/x', ...keys })).rejects.toMatchObject({ condition: 'bad-request' })
  await unsubscribePush(romeo.connection, 'https://push.example.org/x')
})

test('others learn what we can do, and when we were there', async () => {
  const about = await discover(juliet.connection, romeo.connection.jid)
  expect(about.identities).toEqual(['client/web'])
  expect([...about.features]).toEqual(FEATURES)
  expect(new Set(FEATURES).size).toBe(FEATURES.length) // XEP-0115 §5.4: otherwise nobody believes the hash
  expect((await discover(juliet.connection, 'localhost')).identities).toContain('server/im')
  expect(await lastSeen(juliet.connection, 'romeo@localhost')).toBeGreaterThan((Date.now() - 60_000) * 1000)
  expect(await isLastShown(romeo.connection)).toBe(true)
  await showLast(romeo.connection, false)
  expect(await isLastShown(romeo.connection)).toBe(false)
  await expect(lastSeen(juliet.connection, 'romeo@localhost')).rejects.toMatchObject({ condition: 'forbidden' })
})
