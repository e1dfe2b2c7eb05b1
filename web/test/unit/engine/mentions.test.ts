// Mentions say where in a text they are: in code points on the wire (XEP-0372, XEP-0426), in UTF-16 here; and they outlive a correction.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { fromPoints, keptMentions, toPoints } from '../../../src/core/engine/points.ts'
import { read } from '../../../src/core/engine/read.ts'
import { inClear } from '../../../src/core/engine/secure.ts'
import { write } from '../../../src/core/engine/write.ts'
import { message } from '../../../src/core/xmpp/stanza.ts'
import { CORRECT, REFERENCE } from '../../../src/core/xmpp/ns.ts'
import { parse } from '../../../src/core/xmpp/xml.ts'
import type { KeptMessage } from '../../../src/core/store/database.ts'
import { Device } from './device.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org'
const HER = 'juliet@example.org'
const kept = (text: string, more: Partial<KeptMessage> = {}): KeptMessage =>
  ({ id: 'a', chat: HER, order: 1, time: 1, from: ME, own: true, content: { type: 'text', text }, names: [], shelves: [], protection: 'omemo', ...more })
const named = (text: string, name: string) => ({ from: text.indexOf(name), to: text.indexOf(name) + name.length, jid: 'nurse@example.org' })

test.each(['', 'ab', '🌹🌹', 'a🌹b', '👩‍👩‍👧x'])('places in %j, there and back', (text) => {
  for (let at = 0; at <= text.length; at++) {
    const points = toPoints(text, at)
    const back = fromPoints(text, points)
    if (back === at) expect([...text].slice(0, points).join('')).toBe(text.slice(0, at))
    else expect(text.codePointAt(at - 1) ?? 0).toBeGreaterThan(0xffff) // between the halves of one
  }
  expect(fromPoints(text, [...text].length + 1)).toBeUndefined()
})

test('behind letters beyond 16 bits, and behind a quote with some, a mention is counted in code points, and read so', () => {
  const text = '🌹🌹 @Nurse, come'
  const answered = kept('what 🌹 light', { id: 'b', from: HER, own: false })
  for (const reply of [undefined, { id: 'b', to: HER, text: '' }]) {
    const out = write({ what: 'message' }, { id: 'a', message: kept(text, { mentions: [named(text, '@Nurse')], reply }), answered, account: ME })
    if (!out) throw new Error('nothing')
    const reference = out.inner.find((e) => e.ns === REFERENCE)
    const [begin, end] = [Number(reference?.attr('begin')), Number(reference?.attr('end'))]
    expect([...out.body].slice(begin, end).join('')).toBe('@Nurse')
    const said = read({ outer: message({ from: HER, to: ME, id: 'x' }, ...inClear(out)), encrypted: false }).find((s) => s.what === 'content')
    expect(said).toMatchObject({ content: { text }, mentions: [named(text, '@Nurse')] })
  }
})

test.each([['-1', '3'], ['2', '1'], ['0', '99'], ['x', '3'], ['0', '1e1'], ['', '']])('no mention from %j to %j', (begin, end) => {
  const body = `<message xmlns='jabber:client'><body>short</body><reference xmlns='${REFERENCE}' type='mention' begin='${begin}' end='${end}' uri='xmpp:${ME}'/></message>`
  expect(read({ outer: parse(body) ?? message({}), encrypted: false })).toEqual([{ what: 'content', content: { type: 'text', text: 'short' } }])
})

test('a correction keeps who still stands in it', () => {
  const before = '@Nurse and @Nurse and @Peter'
  const mentions = [named(before, '@Nurse'), { from: 11, to: 17, jid: 'other@example.org' }, { ...named(before, '@Peter'), jid: 'peter@example.org' }]
  expect(keptMentions(before, mentions, 'come, @Nurse and @Nurse', [])).toEqual([
    { from: 6, to: 12, jid: 'nurse@example.org' }, { from: 17, to: 23, jid: 'other@example.org' },
  ])
  expect(keptMentions(before, mentions, '@Peter', [{ from: 0, to: 6, jid: 'new@example.org' }])).toEqual([{ from: 0, to: 6, jid: 'new@example.org' }])
})

test('a correction names the same people, on the wire and here', async () => {
  globalThis.indexedDB = new IDBFactory()
  const device = await Device.open(new Server(ME))
  await device.desk.setChat(HER, { protection: 'none' })
  const session = device.connect()
  await device.idle()
  const text = '🌹 @Nurse, com'
  const { id } = await device.desk.send(HER, { text, mentions: [named(text, '@Nurse')] })
  await device.idle()
  const after = '🌹🌹 @Nurse, come'
  await device.desk.edit(id, after)
  await device.idle()
  expect((await device.db.get('messages', id))?.mentions).toEqual([named(after, '@Nurse')])
  const edit = session.sent.find((s) => s.child('replace', CORRECT))
  expect(edit?.child('reference', REFERENCE)?.attrs).toMatchObject({ begin: '3', end: '9' })
  device.kill()
})
