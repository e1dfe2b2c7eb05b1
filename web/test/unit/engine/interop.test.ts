// The client and `palabre chat`, which is another implementation of everything, read each other, in both directions.
import 'fake-indexeddb/auto'
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD, Town } from '../xmpp/town.ts'
import { Client, stubLocks } from './here.ts'

let town: Town
let web: Client
stubLocks()
beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet'])
  web = await (await Client.open(town, 'juliet')).live()
  Object.assign(process.env, { PALABRE_PASSWORD: PASSWORD, PALABRE_ACCOUNT: 'romeo@localhost', XDG_DATA_HOME: town.folder })
  const ca = execFileSync('curl', ['-sk', `https://localhost:${town.port}/ca.crt`, '-o', town.folder + '/ca.crt'])
  expect(ca.toString()).toBe('')
})
afterAll(async () => {
  web.kill()
  await town.end()
})

const chat = (command: string, ...args: string[]) => town.run('chat', command, '-server', town.url, '-ca', town.folder + '/ca.crt', ...args)

test('what either says the other reads, encrypted', async () => {
  chat('receive', '-once') // it makes its keys and publishes them
  await web.engine.send('romeo@localhost', { text: 'from the browser' })
  await web.until(async () => (await web.messages('romeo'))[0]?.state === 'sent')
  const lines = chat('receive', '-once', '-json').trim().split('\n').map((line) => JSON.parse(line) as { body?: string; encrypted?: unknown; from?: string })
  expect(lines).toEqual([expect.objectContaining({ body: 'from the browser', encrypted: true })])
  town.runWith('from the terminal\n', 'chat', 'send', '-to', 'juliet@localhost', '-server', town.url, '-ca', town.folder + '/ca.crt')
  await web.until(async () => (await web.texts('romeo')).length === 2)
  const [, got] = await web.messages('romeo')
  expect(got).toMatchObject({ content: { type: 'text', text: 'from the terminal' }, protection: 'omemo', own: false })
}, 60_000)
