// Notes to oneself, written on an account's only device: nobody else can read them, and yet they are not this browser's alone.
import 'fake-indexeddb/auto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Town } from '../xmpp/town.ts'
import { Client, stubLocks } from './here.ts'

let town: Town
const open: Client[] = []
stubLocks()
beforeAll(async () => { town = await Town.found(['escalus']) })
afterAll(async () => {
  for (const client of open) client.kill()
  await town.end()
})

async function client(): Promise<Client> {
  const one = await Client.open(town, 'escalus')
  open.push(one)
  return one.live()
}

test('a note that was written on the only device comes to the next one, in its place, once', async () => {
  const one = await client()
  const wire: string[] = []
  const { connection } = one.lead.worker
  const send = connection.send.bind(connection)
  connection.send = (stanza, done) => {
    wire.push(String(stanza))
    send(stanza, done)
  }
  const code = await one.engine.recoveryCode()
  const notes = ['never was a story', 'of more woe']
  for (const text of notes) await one.engine.send(one.jid, { text })
  await one.until(async () => (await one.messages('escalus')).every((m) => m.state === 'sent'))
  await one.engine.edit((await one.messages('escalus'))[1]?.id ?? '', 'of more woe than this')
  await one.until(async () => (await one.db.count('outbox')) === 0)
  expect(wire.join('')).not.toMatch(/never was|of more/)
  const two = await client()
  await two.lead.recover(code)
  await two.until(async () => (await two.texts('escalus')).length === 2)
  expect(await two.texts('escalus')).toEqual([notes[0], 'of more woe than this'])
  expect(await one.texts('escalus')).toEqual([notes[0], 'of more woe than this'])
  await one.engine.send(one.jid, { text: 'than this of Juliet' })
  await two.until(async () => (await two.texts('escalus')).includes('than this of Juliet'))
  expect((await two.messages('escalus')).map((m) => m.content.type)).toEqual(['text', 'text', 'text'])
})
