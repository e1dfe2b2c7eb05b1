// What is done in notifications, in a real service worker: an answer is kept and leaves once, with a tab and without. And what is decided about chats is
// the same on two devices of an account.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, desk

before(async () => {
  town = await Town.found()
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** The service worker of somebody's browser. */
const workerOf = async (person) => person.context.serviceWorkers()[0] ?? person.context.waitForEvent('serviceworker')

/** Shows a notification of a chat as the worker shows it, and does something with it as the browser would tell the worker. */
function act(worker, jid, chat, action, reply) {
  return worker.evaluate(async ({ jid, chat, action, reply }) => {
    await self.registration.showNotification('a chat', { tag: `chat ${jid} ${chat}`, data: { path: `/chat/${encodeURIComponent(chat)}`, account: jid, chat, upTo: Date.now() * 1000 } })
    const [notification] = await self.registration.getNotifications({ tag: `chat ${jid} ${chat}` })
    self.addEventListener('error', (event) => { if (/script constructed|isTrusted|ExtendableEvent/i.test(event.message)) event.preventDefault() }, { once: true })
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action, reply }))
  }, { jid, chat, action, reply })
}

const titles = (worker) => worker.evaluate(async () => (await self.registration.getNotifications()).map((n) => n.title))

test('an answer typed into a notification leaves through the open tab, and no more is said', async () => {
  await amina.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  const worker = await workerOf(amina)
  await act(worker, amina.jid, nadia.jid, 'reply', 'from the notification')
  await nadia.sees('from the notification')
  await amina.state('from the notification', 'read')
  assert.equal(await nadia.message('from the notification').count(), 1)
})

test('without a tab it is kept, the person is told that it waits, and the next start sends it, once', async () => {
  const worker = await workerOf(amina)
  for (const page of amina.context.pages()) await page.close()
  await act(worker, amina.jid, nadia.jid, 'reply', 'nobody is at home')
  const words = await until('the person is told', async () => (await titles(worker)).find((title) => /attend/.test(title)), 30_000)
  assert.match(words, /Votre réponse attend/)
  assert.equal(await nadia.message('nobody is at home').count(), 0)
  amina.page = await amina.tab()
  await amina.open(nadia.jid)
  await nadia.sees('nobody is at home')
  await amina.state('nobody is at home', 'read')
  await amina.page.reload()
  await amina.sees('nobody is at home')
  assert.equal(await nadia.message('nobody is at home').count(), 1)
})

test('mark as read, without a tab: the sender sees it as soon as one is open', async () => {
  const worker = await workerOf(amina)
  for (const page of amina.context.pages()) await page.close()
  await nadia.write('did you see this?')
  await nadia.state('did you see this?', 'sent')
  await act(worker, amina.jid, nadia.jid, 'read')
  await until('it is noted', () => worker.evaluate((jid) => new Promise((done) => {
    const open = indexedDB.open(`palabre:${jid}`)
    open.onsuccess = () => {
      const all = open.result.transaction('kv').objectStore('kv').getAllKeys(IDBKeyRange.bound('seen ', 'seen!'))
      all.onsuccess = () => { open.result.close(); done(all.result.length > 0) }
    }
  }), amina.jid))
  amina.page = await amina.tab()
  await amina.page.goto(`${amina.origin}/settings`) // the chat itself is not looked at
  await nadia.state('did you see this?', 'read')
})

/** A second device of amina's account, at a desk. */
async function second() {
  const person = await Person.make(town.chromium, 'desk', { lang: 'en', size: [1280, 800] })
  await person.signIn(amina.origin, amina.jid, amina.password)
  await person.page.getByLabel(person.t('ob.recCode'), { exact: true }).fill(amina.code)
  await person.button('ob.histOpen').click()
  await person.page.locator('.row').first().waitFor()
  return person
}

const rowOf = (person) => person.page.locator('.row', { hasText: /nadia/ })

/** Chooses a line of the menu of nadia's chat. */
async function choose(person, key) {
  await rowOf(person).first().click({ button: 'right' })
  await person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
}

test('pinned and muted on one device is so on the other, in both directions', async () => {
  desk = await second()
  await amina.page.goto(`${amina.origin}/`)
  await rowOf(amina).first().waitFor()
  await choose(desk, 'act.pin')
  await rowOf(amina).getByText(amina.t('mark.pinned')).waitFor({ state: 'attached' })
  await choose(amina, 'act.mute')
  await amina.page.getByRole('button', { name: amina.t('mute.always') }).or(amina.page.getByRole('radio', { name: amina.t('mute.always') })).first().click()
  await rowOf(desk).getByText(desk.t('mark.muted')).waitFor({ state: 'attached' })
})

test('what is decided without network leaves by itself when it is back', async () => {
  await amina.context.setOffline(true)
  await town.bad.tell('reset')
  await choose(amina, 'act.unpin')
  await rowOf(amina).getByText(amina.t('mark.pinned')).waitFor({ state: 'detached' })
  await choose(desk, 'act.favourite')
  assert.equal(await rowOf(desk).getByText(desk.t('mark.pinned')).count(), 1)
  await amina.context.setOffline(false)
  await rowOf(desk).getByText(desk.t('mark.pinned')).waitFor({ state: 'detached', timeout: 60_000 })
  await choose(desk, 'act.archive')
  await rowOf(amina).first().waitFor({ state: 'detached' })
  await amina.page.goto(`${amina.origin}/archive`)
  await rowOf(amina).first().waitFor()
  await amina.shot('archive')
})

test('the consoles are silent', () => {
  for (const person of [amina, nadia, desk]) person.clean()
})
