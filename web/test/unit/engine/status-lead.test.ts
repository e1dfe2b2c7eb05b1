// Statuses where something cannot be had: one author stops no other, and what waits leaves all the same.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { News } from '../../../src/core/engine/changes.ts'
import { StatusLead, type Around } from '../../../src/core/engine/status-lead.ts'
import { openAccount } from '../../../src/core/store/database.ts'
import { PUBSUB } from '../../../src/core/xmpp/ns.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'

const ME = 'romeo@example.org'
const STATUS = 'urn:palabre:status:0'
const DAY = 24 * 3600e6

test('an author who does not answer stops no other, and what waits leaves', async () => {
  globalThis.indexedDB = new IDBFactory()
  const db = await openAccount(ME)
  const now = Date.now() * 1000
  await db.put('statuses', {
    key: `${ME} mine`, id: 'mine', author: ME, own: true, posted: now, expires: Infinity, content: { type: 'text', text: 'x' }, colour: 0, seen: true, told: true, state: 'waiting', audience: { kind: 'contacts', except: [], only: [] },
  })
  const asked: string[] = []
  const list = ['juliet', 'nurse'].map((who) => el(STATUS, 'status', { jid: `${who}@example.org`, id: who, posted: new Date(now / 1000).toISOString(), expires: new Date((now + DAY) / 1000).toISOString() }))
  const request = (type: string, payload: Element, { to = '' } = {}): Promise<Element> => {
    if (payload.child('publish', PUBSUB)) asked.push('publish')
    if (payload.is('statuses', STATUS)) return Promise.resolve(el('jabber:client', 'iq', {}, el(STATUS, 'statuses', {}, ...list)))
    if (to) asked.push(to)
    return type === 'get' && to.startsWith('juliet') ? Promise.reject(new StanzaError('remote-server-timeout', 'wait')) : Promise.resolve(el('jabber:client', 'iq'))
  }
  const lead = new StatusLead({
    db, account: ME, news: new News(ME, { postMessage: () => undefined, onmessage: null, close: () => undefined } as never), now: () => now, session: () => ({ account: ME, request }),
    secure: { sealFor: () => Promise.resolve({ version: '2', sid: 1, keys: [{ jid: 'juliet@example.org', rid: 1, exchange: false, data: new Uint8Array(1) }], payload: new Uint8Array(1) }), stored: () => Promise.resolve() },
  } as unknown as Around)
  await lead.connected(`${ME}/web`).catch(() => undefined) // asked again when the archive was read
  lead.end()
  expect(asked).toEqual(['juliet@example.org', 'nurse@example.org', 'publish'])
  expect((await db.get('statuses', `${ME} mine`))?.state).toBeUndefined()
  db.close()
})
