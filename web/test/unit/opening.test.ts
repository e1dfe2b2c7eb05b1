// When an administrator may let a wallet go on, and what is said of the keys of its owner.
import { expect, test } from 'vitest'
import { parted, pays, standing } from '../../src/features/admin/keys.ts'
import { openingOf } from '../../src/features/admin/opening.ts'

const at = '2026-11-22T12:00:00Z'

test('a wallet that is frozen is let go on only where its owner has no key left', () => {
  const not = { mayGoOn: false, ownerOpens: false, byKeys: false, says: [] }
  expect(openingOf({}, false)).toEqual(not)
  expect(openingOf({ frozen: at }, undefined)).toEqual({ ...not, ownerOpens: true, says: ['adm.goOnFrozen'] })
  expect(openingOf({ frozen: at, shut: 'true' }, false)).toEqual({ ...not, mayGoOn: true, says: ['adm.goOnShut'] })
  expect(openingOf({ frozen: at, shut: 'true' }, true)).toEqual({ ...not, byKeys: true, says: ['adm.keysShut'] })
  expect(openingOf({ frozen: at, shut: 'true' }, undefined)).toEqual({ ...not, says: ['adm.keysShut'] })
  expect(openingOf({ stopped: 'true' }, false)).toEqual({ ...not, mayGoOn: true, says: ['adm.goOnText'] })
  expect(openingOf({ stopped: 'true', frozen: at }, false)).toEqual({ ...not, mayGoOn: true, says: ['adm.goOnText', 'adm.goOnFrozen'] })
  expect(openingOf({ stopped: 'true', frozen: at, shut: 'true' }, true)).toEqual({ ...not, mayGoOn: true, says: ['adm.goOnText', 'adm.keysShut'] })
})

test('what is said of a key', () => {
  const [early, late, now] = ['2026-11-20T12:00:00Z', '2026-11-23T12:00:00Z', Date.parse(at) * 1000]
  expect(standing({ kind: 'pin', ready: early, opens: 'true' }, undefined, now)).toEqual([])
  expect(standing({ kind: 'passkey', ready: late }, undefined, now)).toEqual([{ says: 'pay.keyWaits', until: late }])
  expect(standing({ kind: 'pin', ready: early, opens: 'true' }, at, now)).toEqual([{ says: 'pay.keyOpens' }])
  expect(standing({ kind: 'pin', ready: early, locked: late }, at, now)).toEqual([{ says: 'adm.keyLocked', until: late }])
  expect(standing({ kind: 'pin', ready: late, locked: late }, at, now)).toEqual([{ says: 'adm.keyLocked', until: late }, { says: 'pay.keyAnew' }])
  expect(standing({ kind: 'offline', ready: late }, at, now)).toEqual([])
})

test('which keys stay, and which may pay', () => {
  const [a, b] = [{ id: 'a', kind: 'pin' }, { id: 'ab', kind: 'offline' }]
  expect(parted([a, b], 'ab gone')).toEqual({ stay: [b], go: [a] })
  expect(parted([a, b])).toEqual({ stay: [], go: [a, b] })
  expect([pays([a, b]), pays([b]), pays([])]).toEqual([true, false, false])
})
