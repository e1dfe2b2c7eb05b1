// Keys of senders (docs/protocol/group-keys.md) in whole clients at the real server: a group with an account of forty devices.
import 'fake-indexeddb/auto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import { edKey, newKeyPair, sign, systemRandom } from '../../../src/core/crypto/curve.ts'
import { SENDER_KEYS } from '../../../src/core/xmpp/ns.ts'
import { fetchKnowing, parseEncrypted, publishBundle, publishDevices, publishKnowing } from '../../../src/core/xmpp/omemo.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import type { Element } from '../../../src/core/xmpp/xml.ts'
import { Town } from '../xmpp/town.ts'
import { Company, said } from './company.ts'
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
