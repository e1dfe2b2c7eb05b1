// Whatever a peer sends: each reader gives something well typed, or undefined, and never throws.
import { expect, test } from 'vitest'
import { bookmarkEvent } from '../../../src/core/xmpp/bookmarks.ts'
import { displayedEvent } from '../../../src/core/xmpp/displayed.ts'
import { readForm } from '../../../src/core/xmpp/form.ts'
import { delayOf, isCarbon, unwrapCarbon, unwrapForwarded } from '../../../src/core/xmpp/forward.ts'
import { originID, stanzaID } from '../../../src/core/xmpp/ids.ts'
import * as ns from '../../../src/core/xmpp/ns.ts'
import { deviceListEvent, parseBundle, parseDevice, parseDevices, parseEncrypted } from '../../../src/core/xmpp/omemo.ts'
import { parsePresence } from '../../../src/core/xmpp/presence.ts'
import { avatarEvent, nickEvent, parseAvatar, parseCard } from '../../../src/core/xmpp/profile.ts'
import { parseEvent } from '../../../src/core/xmpp/pubsub.ts'
import { readCount } from '../../../src/core/xmpp/sm.ts'
import { errorOf } from '../../../src/core/xmpp/stanza.ts'
import { Element, parse } from '../../../src/core/xmpp/xml.ts'

const NAMES = ['message', 'presence', 'iq', 'error', 'text', 'event', 'items', 'item', 'retract', 'delete', 'purge', 'sent', 'received', 'forwarded', 'delay', 'result', 'encrypted',
  'header', 'keys', 'key', 'iv', 'payload', 'bundle', 'spk', 'spks', 'ik', 'pk', 'prekeys', 'signedPreKeyPublic', 'signedPreKeySignature', 'identityKey', 'preKeyPublic', 'devices', 'list', 'device',
  'metadata', 'info', 'data', 'nick', 'vcard', 'fn', 'x', 'field', 'value', 'conference', 'displayed', 'stanza-id', 'origin-id', 'c', 'show', 'status', '__proto__', 'constructor']
const ATTRS = ['id', 'from', 'to', 'type', 'node', 'jid', 'sid', 'rid', 'prekey', 'kex', 'by', 'stamp', 'ver', 'hash', 'var', 'bytes', 'width', 'height', 'url', 'label', 'labelsig', 'autojoin', 'name', 'signedPreKeyId', 'preKeyId', '__proto__']
const VALUES = ['', '1', '-1', '0', '4294967296', '2147483648', 'NaN', 'a@b', 'a@b/c', 'error', 'true', 'AAAA', '====', '2026-11-21T00:00:00Z', 'image/png', 'x'.repeat(5000), ...Object.values(ns), ns.OMEMO1 + '.devicelist', ns.OMEMO2 + ':devices', 'f'.repeat(40)]
const SPACES = [...Object.values(ns), ns.PUBSUB + '#event', '', 'u']

function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (state * 1664525 + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

function any(roll: (n: number) => number, ns: string, depth = 0): Element {
  const of = <T>(list: readonly T[]): T => list[roll(list.length)] as T
  const space = roll(3) ? ns : of(SPACES)
  const attrs: Record<string, string> = {}
  for (let i = roll(5); i > 0; i--) attrs[of(ATTRS)] = of(VALUES)
  const nodes = Array.from({ length: depth < 5 ? roll(5) : 0 }, () => roll(4) ? any(roll, space, depth + 1) : of(VALUES))
  return new Element(space, of(NAMES), attrs, nodes)
}

test('readers take anything', () => {
  const roll = dice(7)
  for (let i = 0; i < 6000; i++) {
    const e = any(roll, SPACES[roll(SPACES.length)] ?? '')
    const event = parseEvent(e)
    for (const version of ['0.3', '2'] as const) {
      for (const device of parseDevices(e, version)) expect(parseDevice(String(device.id))).toBe(device.id)
      const bundle = parseBundle(e, version)
      if (bundle) expect(bundle.identity).toBeInstanceOf(Uint8Array)
    }
    for (const one of parseEncrypted(e)) expect(one.sid).toBeGreaterThan(0)
    const news = event ?? { from: 'a@b', node: e.attr('node') ?? '', items: [{ id: 'a@b', payload: e }], retracted: [], gone: false }
    expect([deviceListEvent(news), avatarEvent(news), nickEvent(news), bookmarkEvent(news, 'a@b'), displayedEvent(news, 'a@b')]).toHaveLength(5)
    expect([parsePresence(e), parseAvatar(e), parseCard(e), unwrapCarbon(e, 'a@b'), isCarbon(e), unwrapForwarded(e), delayOf(e), readForm(e), originID(e), stanzaID(e, 'a@b')]).toHaveLength(10)
    expect(errorOf(e).condition).toBeTypeOf('string')
  }
})

test('a copy is believed only from the account itself', () => {
  const copy = (from: string) => parse(`<message xmlns='jabber:client' ${from} to='me@x/1'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
    "<delay xmlns='urn:xmpp:delay' stamp='2026-11-21T00:00:00Z'/><message xmlns='jabber:client' from='me@x/2' to='you@x'><body>hi</body></message></forwarded></sent></message>") ?? expect.unreachable()
  expect(unwrapCarbon(copy("from='me@x'"), 'me@x')).toMatchObject({ sent: true, time: Date.UTC(2026, 10, 21) * 1000 })
  for (const from of ["from='me@x/2'", "from='you@x'", "from='x'", '']) {
    expect(unwrapCarbon(copy(from), 'me@x')).toBeUndefined()
    expect(isCarbon(copy(from))).toBe(true)
  }
})

test('an id is believed only of the archive that may give it', () => {
  const e = parse("<message xmlns='jabber:client'><stanza-id xmlns='urn:xmpp:sid:0' by='you@x' id='forged'/><stanza-id xmlns='urn:xmpp:sid:0' by='me@x' id='1'/></message>") ?? expect.unreachable()
  expect(stanzaID(e, 'me@x')).toBe('1')
  expect(stanzaID(e, 'other@x')).toBeUndefined()
})

test('counts are of 32 bits', () => {
  expect(['0', '4294967295'].map(readCount)).toEqual([0, 4294967295])
  expect(['', '-1', '4294967296', '1.5', 'x', '1e3', undefined].map(readCount)).toEqual(Array(7).fill(undefined))
})
