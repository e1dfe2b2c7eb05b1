// Addresses, times, base64, passwords: the small words of the wire.
import { expect, test } from 'vitest'
import { bare, domain, local, parseJID, resource } from '../../../src/core/xmpp/jid.ts'
import { preparePassword, withPassword } from '../../../src/core/xmpp/sasl.ts'
import { base64, errorOf, fromBase64, newID } from '../../../src/core/xmpp/stanza.ts'
import { formatTime, parseTime } from '../../../src/core/xmpp/time.ts'
import { parse } from '../../../src/core/xmpp/xml.ts'

test('addresses have one spelling', () => {
  for (const [text, want] of [
    ['Juliet@Example.ORG', 'juliet@example.org'], ['juliet@example.org.', 'juliet@example.org'], ['a@b/C d', 'a@b/C d'], ['a@b/c/d@e', 'a@b/c/d@e'], ['example.org', 'example.org'],
    ['ＪＵＬＩＥＴ@x', 'juliet@x'], ['e\u0301@x', 'é@x'], ['管野@example.com', '管野@example.com'], ['Ü@BÜCHER.example', 'ü@bücher.example'],
  ] as const) expect(parseJID(text), text).toBe(want)
  for (const bad of ['', '@x', 'a@', 'a@/r', 'a@b/', '/r', 'a b@x', 'a"@x', "a'@x", 'a<@x', 'a&@x', 'a:@x', 'a\u0000@x', 'a@b c', 'a@.b', 'a@b..c', 'a@b/\0', 'a@b@c', 'x'.repeat(1024) + '@b', 'a@b/' + 'é'.repeat(600)]) {
    expect(parseJID(bad), bad).toBeUndefined()
  }
  expect([bare('a@b/c'), resource('a@b/c/d'), local('a@b/c@d'), domain('a@b/c@d'), local('b'), domain('b/r')]).toEqual(['a@b', 'c/d', 'a', 'b', '', 'b'])
})

test('times keep their microseconds', () => {
  expect(parseTime('1970-01-01T00:00:01Z')).toBe(1_000_000)
  expect(parseTime('2026-11-21T09:30:00.123456Z')).toBe(Date.UTC(2026, 10, 21, 9, 30) * 1000 + 123_456)
  expect(parseTime('2026-11-21T11:30:00+02:00')).toBe(Date.UTC(2026, 10, 21, 9, 30) * 1000)
  expect(formatTime(Date.UTC(2026, 10, 21, 9, 30) * 1000 + 42)).toBe('2026-11-21T09:30:00.000042Z')
  for (const time of [0, 1, 999_999, 1_795_255_512_463_021]) expect(parseTime(formatTime(time))).toBe(time)
  for (const bad of [undefined, '', '2026-11-21', '2026-13-41T00:00:00Z', '2026-11-21T09:30:00', 'x', '20261121T09:30:00']) expect(parseTime(bad)).toBeUndefined()
})

test('base64 goes there and back, and nothing else is taken', () => {
  for (let n = 0; n < 300; n++) {
    const bytes = crypto.getRandomValues(new Uint8Array(n))
    expect(fromBase64(base64(bytes))).toEqual(bytes)
  }
  expect(base64(new Uint8Array(100_000)).length).toBe(133_336)
  expect(fromBase64(' TQ\n== ')).toEqual(new Uint8Array([77]))
  for (const bad of ['T', 'TQ', 'TQ=', '=TQ=', 'T=Q=', 'TQ==TQ==', 'T-__', 'é===']) expect(fromBase64(bad), bad).toBeUndefined()
  expect(new Set(Array.from({ length: 1000 }, newID)).size).toBe(1000)
})

test('errors are read as far as they can be', () => {
  const error = (inner: string) => errorOf(parse(`<iq xmlns='jabber:client' type='error'>${inner}</iq>`) ?? expect.unreachable())
  const s = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
  expect(error(`<error type='wait'><resource-constraint ${s}/><text ${s}>full</text><x xmlns='u'/></error>`))
    .toMatchObject({ condition: 'resource-constraint', type: 'wait', text: 'full', temporary: true, detail: { name: 'x' } })
  expect(error('')).toMatchObject({ condition: 'undefined-condition', type: 'cancel', temporary: false })
})

test('SCRAM is that of RFC 7677, and a changed offer is noticed', async () => {
  const text = (data: string) => new TextDecoder().decode(fromBase64(data))
  const code = (data: string) => base64(new TextEncoder().encode(data))
  const exchange = withPassword('user', 'pencil', { mechanisms: ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'], bindings: [] })
  expect(exchange.mechanism).toBe('SCRAM-SHA-256')
  Object.assign(exchange, { nonce: 'rOprNGfwEbeRWgbNEkqO', first: 'n=user,r=rOprNGfwEbeRWgbNEkqO' })
  expect(text(await exchange.begin())).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const challenge = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  expect(text(await exchange.answer(code(challenge)))).toBe('c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=')
  await exchange.finish(code('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))
  await expect(exchange.finish(code('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5='))).rejects.toMatchObject({ reason: 'unproven' })
  await expect(exchange.answer(code(challenge + ',h=AAAA'))).rejects.toMatchObject({ reason: 'downgrade' })
  for (const bad of ['', 'r=x,s=AA==,i=4096', challenge.replace('4096', '4095'), challenge.replace('4096', '1000001'), challenge + ',m=x', 'm=x,' + challenge, challenge.replace('W22', 'W2')]) {
    await expect(exchange.answer(code(bad)), bad).rejects.toMatchObject({ reason: 'malformed' })
  }
  expect(() => withPassword('user', 'pencil', { mechanisms: ['PLAIN', 'SCRAM-SHA-256-PLUS'], bindings: [] })).toThrow('no-mechanism')
  await expect(withPassword('u', 'p', { mechanisms: ['SCRAM-SHA-1'], bindings: [] }).finish(code('v='))).rejects.toMatchObject({ reason: 'unproven' })
})

test('passwords are prepared as the server does', () => {
  expect(preparePassword('I\u00adX')).toBe('IX')
  expect(preparePassword('\u2168')).toBe('IX')
  expect(preparePassword('a\u00a0b')).toBe('a b')
  expect(preparePassword('pass 😀')).toBe('pass 😀')
  for (const bad of ['', '\u00ad', 'a\u0007', 'x'.repeat(1024)]) expect(() => preparePassword(bad)).toThrow('password')
})
