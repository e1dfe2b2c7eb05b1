// The connection against the real server.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unwrapCarbon } from '../../../src/core/xmpp/forward.ts'
import { queryArchive } from '../../../src/core/xmpp/mam.ts'
import { PING } from '../../../src/core/xmpp/ns.ts'
import { announce } from '../../../src/core/xmpp/presence.ts'
import { getRoster, onRosterPush, setContact, type RosterItem } from '../../../src/core/xmpp/roster.ts'
import { message, newID } from '../../../src/core/xmpp/stanza.ts'
import { el } from '../../../src/core/xmpp/xml.ts'
import { Resident, Town } from './town.ts'

let town: Town
beforeAll(async () => { town = await Town.found(['romeo', 'juliet']) })
afterAll(() => town.end())

const body = (text: string) => el('jabber:client', 'body', {}, text)
const say = (who: Resident, to: string, text: string) => new Promise<boolean>((resolve) =>
  who.connection.send(message({ to, id: newID() }, body(text)), resolve))

test('a password gives a token, the token a session in one round trip', async () => {
  const romeo = await new Resident(town, 'romeo').live()
  expect(romeo.connection.jid).toMatch(/^romeo@localhost\/palabre\//)
  expect(romeo.begun[0]?.resumed).toBe(false)
  expect(romeo.begun[0]?.archive).toBeDefined()
  expect(romeo.token?.secret).toBeTruthy()
  romeo.connection.stop()
  const again = await new Resident(town, 'romeo', { token: romeo.token, agent: romeo.agent }).live()
  expect(again.connection.jid).toBe(romeo.connection.jid)
  again.connection.stop()
})

test('a token that the server does not know is told, and nothing is tried again', async () => {
  const romeo = new Resident(town, 'romeo', { token: { mechanism: 'HT-SHA-256-NONE', secret: 'stale' } })
  romeo.connection.start()
  await romeo.until(() => romeo.connection.link.state === 'refused')
  expect(romeo.connection.link.reason).toBe('password')
})

test('a wrong password is told', async () => {
  const romeo = new Resident(town, 'romeo')
  romeo.connection.reconnect('wrong password')
  await romeo.until(() => romeo.connection.link.state === 'refused')
  expect(romeo.connection.link.reason).toBe('password')
})

test('messages are acknowledged, copied and archived', async () => {
  const [one, two, juliet] = [new Resident(town, 'romeo'), new Resident(town, 'romeo'), new Resident(town, 'juliet')]
  await Promise.all([one.live(), two.live(), juliet.live()])
  announce(juliet.connection)
  await juliet.connection.request('get', el(PING, 'ping')) // presence was handled
  const arrived = juliet.next('message', (m) => m.textOf('body') === 'hello')
  const copied = two.next('message', (m) => unwrapCarbon(m, two.connection.account) !== undefined)
  expect(await say(one, 'juliet@localhost', 'hello')).toBe(true)
  expect((await arrived).attr('from')).toBe(one.connection.jid)
  const copy = unwrapCarbon(await copied, two.connection.account)
  expect(copy?.sent).toBe(true)
  expect(copy?.stanza.textOf('body')).toBe('hello')
  const page = await queryArchive(juliet.connection, { before: '', max: 10, with: 'romeo@localhost' })
  expect(page.messages.at(-1)?.stanza.textOf('body')).toBe('hello')
  const after = await queryArchive(juliet.connection, { after: page.last })
  expect(after).toMatchObject({ messages: [], complete: true })
  for (const who of [one, two, juliet]) who.connection.stop()
})

test('what a person types comes back from the server as it was typed', async () => {
  const romeo = await new Resident(town, 'romeo').live()
  const texts = ['<b>&amp;"\'', ' a\n\tb  c\u00a0 ', '\r\n|\r', '😀👨‍👩‍👧‍👦\u202eabc', 'مرحبا 管野 नमस्ते', ']]>&#0;', 'x'.repeat(100_000), '\0\x1b\ud800\uffff']
  for (const text of texts) expect(await say(romeo, 'romeo@localhost', text)).toBe(true)
  const page = await queryArchive(romeo.connection, { before: '', max: texts.length, with: 'romeo@localhost' })
  expect(page.messages.map((m) => m.stanza.textOf('body'))).toEqual([...texts.slice(0, -1), '\ufffd'.repeat(4)])
  romeo.connection.stop()
})

test('requests are answered, refused, and asked of us', async () => {
  const [romeo, juliet] = await Promise.all([new Resident(town, 'romeo').live(), new Resident(town, 'juliet').live()])
  expect((await romeo.connection.request('get', el(PING, 'ping'))).attr('type')).toBe('result')
  await expect(romeo.connection.request('get', el('urn:none', 'none'))).rejects.toMatchObject({ condition: 'service-unavailable' })
  juliet.connection.answer(PING, 'ping', () => el('urn:x', 'pong'))
  announce(juliet.connection, { to: romeo.connection.account })
  const answer = await romeo.connection.request('get', el(PING, 'ping'), { to: juliet.connection.jid }).catch((e: unknown) => e)
  expect(String(answer)).toMatch(/pong|service-unavailable/)
  for (const who of [romeo, juliet]) who.connection.stop()
})

test('the roster is pushed and versioned', async () => {
  const romeo = await new Resident(town, 'romeo').live()
  const first = await getRoster(romeo.connection)
  expect(first.items).toEqual([])
  const pushed = new Promise<RosterItem>((resolve) => onRosterPush(romeo.connection, resolve))
  await setContact(romeo.connection, 'juliet@localhost', 'Juliet <3 & "co"', ['Friends'])
  expect(await pushed).toMatchObject({ jid: 'juliet@localhost', name: 'Juliet <3 & "co"', groups: ['Friends'] })
  const now = await getRoster(romeo.connection, first.version)
  const items = now.items ?? [await pushed]
  expect(items.map((i) => i.jid)).toEqual(['juliet@localhost'])
  romeo.connection.stop()
})
