// Keys of senders (docs/protocol/group-keys.md) in whole clients at the real server: a group with an account of forty devices.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { edKey, newKeyPair, sign, systemRandom } from '../../../src/core/crypto/curve.ts'
import { vaultName } from '../../../src/core/crypto/vault.ts'
import { QUIET } from '../../../src/core/engine/own-ns.ts'
import { HINTS, OMEMO2, SENDER_KEYS } from '../../../src/core/xmpp/ns.ts'
import { fetchKnowing, parseEncrypted, publishBundle, publishDevices, publishKnowing } from '../../../src/core/xmpp/omemo.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import type { Element } from '../../../src/core/xmpp/xml.ts'
import { Town } from '../xmpp/town.ts'
import { Company, messages, said } from './company.ts'
import { stubLocks, type Client, type Disk } from './here.ts'

let town: Town
let here: Company
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'crowd', 'nurse'])
  here = new Company(town)
})
afterAll(() => town.end())
afterEach(() => here.end())

/** Forty devices of an account that never say anything. */
async function fill(session: Session, own: number): Promise<void> {
  const ids = Array.from({ length: 40 }, (_, i) => 1000 + i)
  for (const id of ids) {
    const [identity, signed, key] = [newKeyPair(systemRandom), newKeyPair(systemRandom).public, newKeyPair(systemRandom).public]
    await publishBundle(session, '2', id, {
      version: '2', identity: edKey(identity.private).public, signedPreKey: { id: 1, key: signed }, signature: sign(identity.private, signed, systemRandom), preKeys: [{ id: 1, key }],
    })
    await publishKnowing(session, id)
  }
  await publishDevices(session, '2', [own, ...ids].map((id) => ({ id })))
}

/** What a client sends to a group from now on. */
function sent(c: Client): Element[] {
  const out: Element[] = []
  const { connection } = c.lead.worker
  const send = connection.send.bind(connection)
  connection.send = (stanza, done) => {
    if (stanza.attr('type') === 'groupchat' && stanza.child('body')) out.push(stanza)
    send(stanza, done)
  }
  return out
}

/** A device has lost what it kept under names that begin so. */
function lose({ factory }: Disk, jid: string, prefix: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = factory.open(vaultName(jid))
    opening.onsuccess = () => {
      const tx = opening.result.transaction('values', 'readwrite')
      tx.objectStore('values').delete(IDBKeyRange.bound(prefix, prefix + '\uffff'))
      tx.oncomplete = () => { opening.result.close(); resolve() }
    }
    opening.onerror = () => reject(new Error('the keys cannot be opened'))
  })
}

const keys = (stanza: Element | undefined): number => stanza ? parseEncrypted(stanza).flatMap((m) => m.keys).length : -1
const hears = (c: Client, jid: string, text: string): Promise<void> => c.until(async () => (await said(c, jid)).includes(text))

test('one key for all, said and read; whoever was away reads it from the log, and after a reload', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const [romeo, crowd] = [await here.client('romeo'), await here.client('crowd')]
  let juliet = await here.client('juliet', { disk })
  await fill(crowd.lead.worker.connection, crowd.lead.worker.secure.deviceID)
  expect(await fetchKnowing(romeo.lead.worker.connection, juliet.jid)).toEqual([juliet.lead.worker.secure.deviceID])

  const jid = await here.group('Verona', romeo, juliet, crowd)
  const out = sent(romeo)
  await romeo.engine.send(jid, { text: 'first' })
  await hears(juliet, jid, 'first')
  await romeo.engine.send(jid, { text: 'second' })
  await hears(juliet, jid, 'second')
  expect(out.map(keys)).toEqual([42, 0])
  expect(out[1]?.child('for-all', SENDER_KEYS)?.attr('n')).toBe('1')
  juliet.kill()
  for (const text of ['third', 'fourth']) await romeo.engine.send(jid, { text })
  await hears(romeo, jid, 'fourth')
  juliet = await here.client('juliet', { disk })
  await hears(juliet, jid, 'fourth')
  expect(await said(juliet, jid)).toEqual(['first', 'second', 'third', 'fourth'])
  expect(out.map(keys).slice(2)).toEqual([0, 0])
}, 120_000)

test('what came before its chain waits, says so, and is read when the chain comes: a text in its place, and what is no message without one', async () => {
  const disk: Disk = { factory: new IDBFactory() }
  const [romeo, crowd] = [await here.client('romeo'), await here.client('crowd')]
  let juliet = await here.client('juliet', { disk })
  await fill(crowd.lead.worker.connection, crowd.lead.worker.secure.deviceID)
  const jid = await here.group('Orchard', romeo, juliet, crowd)
  await romeo.engine.send(jid, { text: 'first' })
  await hears(juliet, jid, 'first')
  await juliet.engine.send(jid, { text: 'answer' })
  await hears(romeo, jid, 'answer')
  await hears(juliet, jid, 'answer')
  // She loses his chain, and he is not there to be asked.
  await lose(disk, juliet.jid, 'chain/')
  const asked = new Promise<Element>((resolve) => {
    const { connection } = juliet.lead.worker
    const send = connection.send.bind(connection)
    connection.send = (stanza, done) => {
      if (stanza.attr('to') === romeo.jid && stanza.child('encrypted', OMEMO2)?.child('payload')) resolve(stanza)
      else send(stanza, done)
    }
  })
  await romeo.engine.send(jid, { text: 'second' })
  await hears(juliet, jid, '?')
  await romeo.engine.react((await messages(romeo, jid)).find((m) => m.content.type === 'text' && m.content.text === 'answer')?.id ?? '', '❤️')
  await romeo.engine.send(jid, { text: 'third' })
  await juliet.until(async () => (await said(juliet, jid)).filter((text) => text === '?').length === 2)
  const [, , waits] = await messages(juliet, jid).then((all) => all.filter((m) => m.content.type !== 'system'))
  expect(waits?.content).toEqual({ type: 'undecryptable', reason: 'late-key' })
  const question = await asked
  expect([!!question.child('quiet', QUIET), !!question.child('store', HINTS), question.child('body')]).toEqual([true, true, undefined])
  juliet.kill()
  // It goes on where it was when she comes again, an hour later for who is asked twice.
  juliet = await here.client('juliet', { disk })
  await juliet.until(async () => (await said(juliet, jid)).length === 4)
  juliet.lead.worker.connection.send(question)
  for (const text of ['second', 'third']) await hears(juliet, jid, text)
  await juliet.until(async () => (await messages(juliet, jid)).some((m) => Object.keys(m.reactions ?? {}).length > 0))
  expect(await said(juliet, jid)).toEqual(['first', 'answer', 'second', 'third'])
  expect(await juliet.db.count('later')).toBe(0)
  // Nothing of it stands in any chat.
  expect(await juliet.messages('romeo')).toEqual([])
  expect(await romeo.messages('juliet')).toEqual([])
}, 120_000)
