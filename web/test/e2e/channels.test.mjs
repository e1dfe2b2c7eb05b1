// A channel from its beginning to its end: a town publishes, a reader follows, another comes later; marks, reactions, views, files, signatures that fit and one
// that does not, a gap after an outage, a post that waits for its time. axe looks at each screen on the way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const title = 'Town of Verona'
const name = 'town-of-verona'
let server, bad, chromium, amina, nadia, karim

before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  server = await Server.make({ port, open: bad.port })
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { lang: 'en', size: [1280, 800] })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar', colorScheme: 'dark' })
  karim = await Person.make(chromium, 'karim', { lang: 'fr' })
  for (const person of [amina, nadia, karim]) await person.join(server.invite())
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

/** axe finds nothing on a screen. */
async function well(person, what) {
  await person.shot(what)
  await until('what was just said has gone', async () => !await person.page.locator('.toast').count())
  assert.deepEqual(await faults(person.page), [], `${what}, ${person.name}`)
}

const post = (person, text) => person.page.locator('.ch-post', { hasText: text })
const sees = (person, text) => post(person, text).waitFor()
const open = (person) => person.page.goto(`${person.origin}/channels/${name}`)

/** Writes a post and waits until it is in the channel. */
async function publish(person, text) {
  await person.page.getByLabel(person.t('ch.write')).fill(text)
  await person.page.locator('.ch-line-in .send').click()
  await person.page.locator('.ch-post:not(.unsent)', { hasText: text }).waitFor()
}

/** The state of a post's signature. */
const signature = (person, text, key) => post(person, text).locator('.ch-sig', { hasText: person.t(key, { name: 'amina' }) }).waitFor()

test('a channel is made and published in', async () => {
  await amina.page.goto(`${amina.origin}/updates`)
  await amina.button('ch.new').click()
  await amina.page.getByLabel(amina.t('ch.title'), { exact: true }).fill(title)
  await amina.page.getByLabel(amina.t('ch.text'), { exact: true }).fill('What the town hall has to say')
  await amina.page.getByLabel(amina.t('ch.segments'), { exact: true }).fill('north Northern quarter\nsouth Southern quarter')
  assert.equal(await amina.page.getByLabel(amina.t('ch.name'), { exact: true }).inputValue(), name)
  await well(amina, 'channel-new')
  await amina.button('ch.make').click()
  await amina.page.getByLabel(amina.t('ch.write')).waitFor()
  await publish(amina, 'The bridge is closed today')
  await signature(amina, 'The bridge is closed today', 'ch.sig.good')
  await well(amina, 'channel-published')
})

test('a reader finds it, follows it, and hears of the next post', async () => {
  await nadia.page.goto(`${nadia.origin}/updates`)
  await nadia.button('ch.find').click()
  await nadia.page.getByPlaceholder(nadia.t('ch.findHint')).fill('verona')
  await well(nadia, 'channel-find')
  await nadia.page.getByRole('link', { name: title }).click()
  await sees(nadia, 'The bridge is closed today')
  await nadia.button('ch.follow').click()
  await nadia.page.locator('.ch-bar').waitFor({ state: 'detached' })
  await publish(amina, 'The bridge is open again')
  await sees(nadia, 'The bridge is open again')
  await signature(nadia, 'The bridge is open again', 'ch.sig.good')
  await well(nadia, 'channel-read')
})
