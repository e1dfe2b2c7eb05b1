// What goes in clear when not everybody reads OMEMO 2, and what waits when keys cannot be had.
import { expect, test } from 'vitest'
import type { Crypto } from '../../../src/core/crypto/api.ts'
import type { Surroundings } from '../../../src/core/crypto/client.ts'
import type { Result, Sealed } from '../../../src/core/crypto/types.ts'
import { CannotEncrypt, NotNow, Secure } from '../../../src/core/engine/secure.ts'
import { QUIET } from '../../../src/core/engine/own-ns.ts'
import { write } from '../../../src/core/engine/write.ts'
import { HINTS } from '../../../src/core/xmpp/ns.ts'
import type { Content } from '../../../src/core/model.ts'
import type { KeptMessage } from '../../../src/core/store/database.ts'
import type { Session } from '../../../src/core/xmpp/session.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import type { Element } from '../../../src/core/xmpp/xml.ts'

const KEY = 'ab'.repeat(32)
const HER = 'juliet@example.org'

/** Encryption that answers as it is told. */
function secure(answer: (around: Surroundings) => Promise<Result<Sealed>>): Secure {
  return new Secure('romeo@example.org', (around) => ({
    encrypt: () => answer(around), newSession: () => Promise.resolve({ ok: true, value: undefined }), end: () => undefined,
  }) as unknown as Crypto & { end(): void }, () => undefined)
}

const sealed = (whole: boolean): Result<Sealed> => ({
  ok: true, value: { messages: [{ version: '0.3', sid: 1, keys: [{ rid: 2, exchange: false, data: new Uint8Array(3) }], payload: new Uint8Array(3) }], whole, skipped: [], unreached: [] },
})

const outbound = (content: Content, more: Partial<KeptMessage> = {}) => {
  const message = { id: 'a', chat: HER, order: 1, time: 1, from: 'romeo@example.org', own: true, content, names: [], shelves: [], protection: 'omemo', ...more } as KeptMessage
  const out = write({ what: 'message' }, { id: 'a', message, account: 'romeo@example.org', answered: more.reply ? { ...message, id: 'b', originId: 'theirs' } : undefined })
  if (!out) throw new Error('nothing to say')
  return out
}

const media = { key: 'k', name: 'secret-name.webp', mime: 'image/webp', size: 1, url: `aesgcm://example.org/x.webp#${'0'.repeat(24)}${KEY}` }
test.each<Content>([
  { type: 'text', text: 'secret words' },
  { type: 'image', media, caption: 'secret caption' },
  { type: 'location', latitude: 33.5731, longitude: -7.5898, label: 'secret place' },
  { type: 'poll', question: 'secret question', options: ['secret a', 'secret b'], many: false, votes: {} },
  { type: 'contact', jid: 'secret@example.org', name: 'secret' },
  { type: 'text', text: 'secret', preview: { url: 'https://secret.example/', title: 'secret' } },
])('nothing of a message of type $type goes in clear', async (content) => {
  for (const whole of [true, false]) {
    const text = (await secure(() => Promise.resolve(sealed(whole))).seal(HER, outbound(content))).parts.map(String).join('')
    expect(text).not.toMatch(/secret|aesgcm|33\.57/)
    expect(text).not.toContain(KEY)
    expect(text).toContain('<encrypted')
  }
})

test('nothing of a correction goes in clear but that it is one', async () => {
  const message = { id: 'a', chat: HER, order: 1, time: 1, from: 'romeo@example.org', own: true, content: { type: 'text', text: 'x' }, names: [], shelves: [], protection: 'omemo' } as KeptMessage
  const out = write({ what: 'edit', text: 'secret', preview: { url: 'https://secret.example/', title: 'secret' } }, { id: 'b', message, account: 'romeo@example.org' })
  for (const whole of [true, false]) {
    const text = out ? (await secure(() => Promise.resolve(sealed(whole))).seal(HER, out)).parts.map(String).join('') : ''
    expect(text).toContain('<replace')
    expect(text).not.toMatch(/secret|Description/)
  }
})

test('a reply to somebody with an older app says in clear which message it answers, and nothing else', async () => {
  const out = outbound({ type: 'text', text: 'secret' }, { reply: { id: 'b', to: HER, text: 'secret' } })
  const text = (await secure(() => Promise.resolve(sealed(false))).seal(HER, out)).parts.map(String).join('')
  expect(text).toContain("id='theirs'")
  expect(text).not.toContain('secret')
})

test('nobody who can read it needs a person; keys that no answer came about only time', async () => {
  const none: Result<Sealed> = { ok: false, error: { code: 'no-devices', detail: '' } }
  const out = outbound({ type: 'text', text: 'x' })
  const session = (live: boolean) => ({ live, account: 'romeo@example.org', request: () => Promise.reject(new StanzaError('timeout', 'wait')) }) as unknown as Session
  const calm = secure(() => Promise.resolve(none))
  void calm.connected(session(true), true)
  await expect(calm.seal(HER, out)).rejects.toBeInstanceOf(CannotEncrypt)
  const lost = secure(async (around) => {
    await around.devices(HER, '2').catch(() => undefined)
    return none
  })
  void lost.connected(session(true), true)
  for (let i = 0; i < 3; i++) await expect(lost.seal(HER, out)).rejects.toBeInstanceOf(NotNow)
  await expect(lost.seal(HER, out)).rejects.toBeInstanceOf(CannotEncrypt)
})

test('what is said about a group to one device goes to members alone, quietly; who hides from strangers answers them nothing else', async () => {
  const message = { version: '2' as const, sid: 1, keys: [{ jid: HER, rid: 2, exchange: false, data: new Uint8Array(3) }] }
  const room = 'verona@groups.example.org'
  const answers = [{ to: HER, message }, { to: HER, message: { ...message, payload: new Uint8Array(3) }, room }, { to: 'tybalt@example.org', message: { ...message, payload: new Uint8Array(3) }, room }]
  const sent: Element[] = []
  const one = new Secure('romeo@example.org', () => ({
    due: () => Promise.resolve({ ok: true, value: { answers: answers.splice(0), publications: [] } }), end: () => undefined,
  }) as unknown as Crypto & { end(): void }, () => undefined)
  one.hides = () => Promise.resolve(true)
  one.isMember = (_, jid) => Promise.resolve(jid === HER)
  await one.connected({ live: true, send: (stanza: Element) => { sent.push(stanza) } } as unknown as Session, true)
  expect(sent.map((stanza) => [stanza.attr('to'), stanza.attr('type') ?? 'chat', !!stanza.child('quiet', QUIET), !!stanza.child('store', HINTS), stanza.child('body')])).toEqual([[HER, 'chat', true, true, undefined]])
})
