// Who says to have looked at statuses: it is kept of those who may be shown them, and of nobody else.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { apply } from '../../../src/core/engine/apply.ts'
import { Collector } from '../../../src/core/engine/changes.ts'
import { change, everything, openAccount } from '../../../src/core/store/database.ts'

const ME = 'romeo@example.org'

test('a view of somebody who may see our presence is kept once, one of a stranger is not', async () => {
  globalThis.indexedDB = new IDBFactory()
  const db = await openAccount(ME)
  await db.put('contacts', { jid: 'juliet@example.org', name: '', groups: [], subscription: 'both' } as never)
  await db.put('contacts', { jid: 'nurse@example.org', name: '', groups: [], subscription: 'to' } as never)
  for (const who of ['juliet', 'juliet', 'nurse', 'mercutio']) {
    const from = `${who}@example.org`
    await change(db, everything, (tx) => apply({ tx, account: ME, now: 2e15, changes: new Collector() }, {
      chat: from, from, own: false, ids: [crypto.randomUUID()], time: 2e15, live: true, wantsReceipt: false, wantsMarker: false, protection: 'omemo', says: [{ what: 'seen', items: ['a', 'b'] }],
    }))
  }
  expect((await db.getAll('statusViews')).map((v) => `${v.id} ${v.jid}`)).toEqual(['a juliet@example.org', 'b juliet@example.org'])
  db.close()
})
