// A text that is corrected before any server has it leaves as it was corrected, whatever the sender was doing at that moment.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { Desk } from '../../../src/core/engine/desk.ts'
import { inClear } from '../../../src/core/engine/secure.ts'
import { Sender } from '../../../src/core/engine/sender.ts'
import { openAccount } from '../../../src/core/store/database.ts'
import { CLIENT } from '../../../src/core/xmpp/ns.ts'
import { Server } from './town.ts'

const ME = 'romeo@example.org', HER = 'juliet@example.org'

test('while it is encrypted', async () => {
  globalThis.indexedDB = new IDBFactory()
  const db = await openAccount(ME)
  const news = new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined })
  const desk = new Desk(db, ME, news)
  const { id } = await desk.send(HER, { text: 'at five' })
  let sealed = 0
  const sender = new Sender(db, ME, {
    seal: async (_to, outbound) => {
      const parts = inClear(outbound)
      if (sealed++ === 0) await desk.edit(id, 'at six')
      return { parts, older: false }
    },
    lookAgain: () => Promise.resolve(), upload: () => undefined,
  }, news, () => Date.now() * 1000)
  const session = new Server(ME).connect()
  const sent = new Promise<void>((done) => news.listen((c) => { void db.count('outbox').then((left) => { if (c.outbox && !left) done() }) }))
  sender.connected(session, false)
  await sent
  expect(session.sent.map((s) => s.textOf('body', CLIENT))).toEqual(['at six'])
  sender.end()
})
