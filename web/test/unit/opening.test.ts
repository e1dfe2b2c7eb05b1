// When an administrator may let a wallet go on.
import { expect, test } from 'vitest'
import { openingOf } from '../../src/features/admin/opening.ts'

test('a wallet that its owner has frozen is let go on only where no key of theirs opens it', () => {
  const at = '2026-11-22T12:00:00Z'
  expect(openingOf({})).toEqual({ mayGoOn: false, ownerOpens: false, says: [] })
  expect(openingOf({ frozen: at })).toEqual({ mayGoOn: false, ownerOpens: true, says: ['adm.goOnFrozen'] })
  expect(openingOf({ frozen: at, shut: 'true' })).toEqual({ mayGoOn: true, ownerOpens: false, says: ['adm.goOnShut'] })
  expect(openingOf({ stopped: 'true' })).toEqual({ mayGoOn: true, ownerOpens: false, says: ['adm.goOnText'] })
  expect(openingOf({ stopped: 'true', frozen: at })).toEqual({ mayGoOn: true, ownerOpens: false, says: ['adm.goOnText', 'adm.goOnFrozen'] })
})
