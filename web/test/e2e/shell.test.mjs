// What belongs to accounts, settings, safety and the shell around the chats, in many short steps.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, zaid
const minute = 60_000

before(async () => {
  town = await Town.found({ options: { amina: { lang: 'en', size: [1280, 800] }, nadia: { lang: 'en' } }, admin: true })
  ;({ amina, nadia } = town)
  zaid = await Person.make(town.chromium, 'zaid', { lang: 'en' })
  await zaid.join(town.server.invite())
})

after(() => town?.end())

const go = (person, path) => person.page.goto(person.origin + path)
const row = (person, name) => person.page.locator('.row', { hasText: name })
const press = (person, key, where = person.page) => where.getByRole('button', { name: person.t(key), exact: true }).click()
const item = (person, key) => person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
const toast = (person, key, values) => person.page.locator('.toast', { hasText: person.t(key, values) }).waitFor()
const sheet = (person) => person.page.locator('.sheet, .dialog').last()
const gone = (locator) => locator.waitFor({ state: 'detached' })

/** What somebody's browser has in a store of their account. */
const kept = (person, store, key) => person.page.evaluate(([name, store, key]) => new Promise((done, failed) => {
  const open = indexedDB.open(name)
  open.onerror = () => failed(open.error)
  open.onsuccess = () => {
    const found = open.result.transaction(store).objectStore(store).get(key)
    found.onsuccess = () => { open.result.close(); done(found.result) }
  }
}), [`palabre:${person.jid}`, store, key])

/** What a browser would save, as text. */
async function saved(person, act) {
  const [download] = await Promise.all([person.page.waitForEvent('download'), act()])
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') }
}

// Message requests

test('only contacts may write: a stranger waits apart, without number or notification, and learns nothing', { timeout: 2 * minute }, async () => {
  await go(nadia, '/settings/privacy')
  await nadia.page.getByText(nadia.t('set.whoContacts'), { exact: true }).click()
  await until('it is kept', async () => (await kept(nadia, 'kv', 'choices'))?.strangers === false)
  await go(nadia, '/')
  await zaid.open(nadia.jid)
  await zaid.write('hello, stranger')
  await zaid.state('hello, stranger', 'sent')
  const line = nadia.page.locator('.foldline', { hasText: nadia.t('chats.requests') })
  await line.waitFor()
  await nadia.shot('requests-line')
  assert.equal(await row(nadia, 'zaid').count(), 0)
  assert.equal(await nadia.page.title(), 'Palabre')
  await line.click()
  await row(nadia, 'zaid').click()
  await nadia.sees('hello, stranger')
  await nadia.page.getByText(nadia.t('request.title', { name: 'zaid' })).waitFor()
  assert.equal(await nadia.page.locator('.comp textarea').count(), 0)
  await nadia.shot('request')
  await zaid.write('are you there?')
  await nadia.sees('are you there?')
  await nadia.page.waitForFunction(() => document.hasFocus())
  await until('it counts as read here', async () => (await kept(nadia, 'chats', zaid.jid)).unread === 0)
  assert.equal(await zaid.page.locator('.it .st.delivered, .it .st.read').count(), 0)
})

test('accepted, the stranger is a chat like others, and sees that it was read', async () => {
  await press(nadia, 'request.accept')
  await nadia.page.locator('.comp textarea').waitFor()
  await zaid.state('are you there?', 'read')
  await go(nadia, '/')
  await row(nadia, 'zaid').waitFor()
  assert.equal(await nadia.page.locator('.foldline').count(), 0)
})

// Safety

test('the safety number is the same on both sides, and a person who compared it verifies', async () => {
  const numbers = []
  for (const [one, other] of [[amina, nadia], [nadia, amina]]) {
    await go(one, `/chat/${encodeURIComponent(other.jid)}/security`)
    numbers.push(await one.page.locator('.numbers').textContent())
  }
  assert.match(numbers[0], /^\d{60}$/)
  assert.equal(numbers[0], numbers[1])
  await press(amina, 'sec.same')
  await toast(amina, 'sec.sameDone')
  await amina.page.getByText(amina.t('sec.verified'), { exact: true }).first().waitFor()
})

/** The code of keys that somebody shows, as a picture. */
async function codeOf(person) {
  await press(person, 'sec.mine')
  const code = person.page.locator('.qr-of .qr')
  await code.waitFor()
  const buffer = await code.screenshot()
  await person.page.keyboard.press('Escape')
  return { name: 'code.png', mimeType: 'image/png', buffer }
}

/** Scans a picture of a code on the page about somebody's keys. */
async function scans(person, other, picture) {
  await person.page.getByRole('button', { name: person.t('sec.scan', { name: other.name }), exact: true }).click()
  await person.page.locator('.scan input[type=file]').setInputFiles(picture)
  await gone(person.page.locator('.scan'))
}

test('a scanned code is compared: that of the contact matches, that of somebody else is told', async () => {
  const hers = await codeOf(nadia)
  await go(zaid, `/chat/${encodeURIComponent(nadia.jid)}/security`)
  const his = await codeOf(zaid)
  await scans(amina, nadia, hers)
  await amina.page.getByText(/1 device matches and is verified/).waitFor()
  await amina.shot('compared')
  await scans(amina, nadia, his)
  await amina.page.getByText(amina.t('sec.wrongPerson', { name: zaid.jid })).waitFor()
})
