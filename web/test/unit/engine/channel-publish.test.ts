// Posts that are changed while they leave: what was written last is what is published in the end.
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ChannelLead } from '../../../src/core/engine/channel-lead.ts'
import { Publisher } from '../../../src/core/engine/channel-publish.ts'
import { openAccount, type Database } from '../../../src/core/store/database.ts'
import type { Publishing } from '../../../src/core/store/channels.ts'
import { StanzaError } from '../../../src/core/xmpp/stanza.ts'
import { el, type Element } from '../../../src/core/xmpp/xml.ts'

let db: Database
beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory()
  db = await openAccount('romeo@example.org')
})
afterEach(() => db.close())

const post = (text: string, since: number, channel = 'town', item = 'p'): Publishing => ({ item, channel, text, segments: [], media: [], edits: true, state: 'waiting', since })

/** What leaves, of a service that publishes at once; `meanwhile` is done before the first post is signed, or before it is answered. */
function leaving(meanwhile: Partial<Record<'signed' | 'answered', () => Promise<unknown>>>): { published: string[]; publisher: Publisher } {
  const published: string[] = []
  const once = async (when: 'signed' | 'answered') => {
    const work = meanwhile[when]
    delete meanwhile[when]
    await work?.()
  }
  const session = {
    request: async (_: string, payload: Element) => {
      if (String(payload).includes('node=\'broken\'')) throw new StanzaError('internal-server-error', 'wait')
      published.push(/<content[^>]*>([^<]*)</.exec(String(payload))?.[1] ?? '')
      await once('answered')
      return el('jabber:client', 'iq')
    },
  }
  const lead = {
    around: { db, session: () => session }, service: () => Promise.resolve('channels.example.org'), address: (name: string) => Promise.resolve(`${name}@channels.example.org`), tell: () => undefined,
    keys: { sign: async (_: unknown, __: string, ___: string, entry: Element) => { await once('signed'); return entry } },
    logs: { read: () => Promise.resolve(true), checkSignatures: () => Promise.resolve() },
  }
  return { published, publisher: new Publisher(lead as unknown as ChannelLead) }
}

test.each([['answered', ['first', 'second']], ['signed', ['second']]] as const)('a post that is changed again before it is %s leaves as it is then', async (when, all) => {
  const { published, publisher } = leaving({ [when]: async () => { await db.put('publishing', post('second', 2)); publisher.wake() } })
  await db.put('publishing', post('first', 1))
  publisher.wake()
  while (await db.count('publishing')) await db.getAll('publishing')
  expect(published).toEqual(all)
  publisher.end()
})

test('a channel in which nothing can be published now stops no other, and keeps its order', async () => {
  const { published, publisher } = leaving({})
  for (const [i, channel] of ['broken', 'broken', 'town'].entries()) await db.put('publishing', post(`${channel} ${i}`, i + 1, channel, `p${i}`))
  publisher.wake()
  while (await db.count('publishing') > 2) await db.getAll('publishing')
  expect(published).toEqual(['town 2'])
  publisher.end()
})
