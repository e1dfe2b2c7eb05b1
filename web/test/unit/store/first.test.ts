// The first picture is read from what the store keeps, and reading it makes nothing.
import 'fake-indexeddb/auto'
import { beforeEach, expect, it } from 'vitest'
import { IDBFactory } from 'fake-indexeddb'
import type { Chat } from '../../../src/core/model.ts'
import { Accounts } from '../../../src/core/store/accounts.ts'
import { snapshot } from '../../../src/core/store/chats.ts'
import { openAccount } from '../../../src/core/store/database.ts'
import { firstChats } from '../../../src/core/store/first.ts'

const chat: Chat = { jid: 'b@x', kind: 'person', name: 'B', time: 1, unread: 2, protection: 'omemo' }

beforeEach(() => { globalThis.indexedDB = new IDBFactory() })

it('is what the account in use showed last', async () => {
  const accounts = await Accounts.open()
  await accounts.add('old@x', 1)
  await accounts.add('new@x', 2)
  const db = await openAccount('new@x', () => undefined)
  await snapshot(db, [chat])
  expect(await firstChats()).toEqual([chat])
  await accounts.change('new@x', { signedOut: true })
  expect(await firstChats()).toBeUndefined()
})

it('makes no database', async () => {
  expect(await firstChats()).toBeUndefined()
  expect(await indexedDB.databases()).toEqual([])
})
