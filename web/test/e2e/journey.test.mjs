// From an invitation to a talk: two people, two languages, two browsers; what was said stays, and what is written offline leaves by itself.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Server } from './server.mjs'
import { browser, Person } from './person.mjs'

let server, chromium, amina, nadia

before(async () => {
  server = await Server.make()
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina')
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar' })
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

test('two people join by invitation, each in a language of their own', async () => {
  await amina.join(server.invite())
  await nadia.join(server.invite(), { display: 'نادية' })
  assert.equal(await amina.page.evaluate(() => document.documentElement.lang), 'fr')
  assert.equal(await nadia.page.evaluate(() => document.documentElement.dir), 'rtl')
})

test('an invitation is good for one account', async () => {
  const link = server.invite()
  const [one, two] = [await Person.make(chromium, 'ouno'), await Person.make(chromium, 'odue')]
  await one.join(link)
  await two.page.goto(link.replace('/invite/', '/join/'))
  await two.page.getByRole('alert').getByText(two.t('trouble.invitation')).waitFor()
  await one.end()
  await two.end()
})

test('they become contacts', async () => {
  await amina.befriend(nadia)
  await nadia.page.getByRole('link', { name: /amina/ }).first().waitFor()
  await amina.page.goto(`${amina.origin}/contacts`)
  await amina.page.getByRole('link', { name: /نادية/ }).first().waitFor()
  await amina.shot('6-contacts')
})

test('a message goes from waiting to read, and nothing of it is told to the server', async () => {
  await nadia.page.goto(`${nadia.origin}/`)
  await nadia.page.locator('.head .pill.ok, .pill.ok').first().waitFor()
  const frames = []
  amina.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => frames.push(String(payload))))
  await amina.open(nadia.jid)
  await amina.watchStates()
  await amina.write('Bonjour Nadia')
  await amina.state('Bonjour Nadia', 'delivered')
  await nadia.page.locator('.row', { hasText: 'Bonjour Nadia' }).click()
  await nadia.sees('Bonjour Nadia')
  await amina.state('Bonjour Nadia', 'read')
  const states = await amina.states('Bonjour Nadia')
  const order = ['waiting', 'sent', 'delivered', 'read']
  assert.deepEqual(states, order.filter((s) => states.includes(s)), 'a state never goes back')
  assert.ok(frames.some((f) => f.includes('<message') && f.includes('omemo')), 'it was sent in this page, encrypted')
  assert.ok(!frames.some((f) => f.includes('Bonjour Nadia')), 'the text was in a frame')
  await amina.shot('7-read')
})

test('an answer in the other writing direction', async () => {
  await nadia.write('أهلا أمينة')
  await amina.sees('أهلا أمينة')
  await nadia.state('أهلا أمينة', 'read')
  assert.equal(await amina.message('أهلا أمينة').locator('.txt').evaluate((e) => getComputedStyle(e).direction), 'rtl')
  await nadia.shot('7-answer')
})

test('a reload keeps everything, once and in order', async () => {
  for (const person of [amina, nadia]) {
    await person.page.reload()
    await person.sees('أهلا أمينة')
    assert.deepEqual(await person.texts(), ['Bonjour Nadia', 'أهلا أمينة'])
  }
})

test('without network it opens, and what is written leaves by itself', async () => {
  await amina.page.evaluate(() => navigator.serviceWorker.ready)
  await amina.context.setOffline(true)
  await amina.page.reload()
  await amina.sees('أهلا أمينة')
  await amina.write('écrit hors ligne')
  await amina.state('écrit hors ligne', 'waiting')
  await amina.page.reload()
  await amina.state('écrit hors ligne', 'waiting')
  await amina.shot('8-offline')
  assert.equal(await nadia.message('écrit hors ligne').count(), 0)
  await amina.context.setOffline(false)
  await nadia.sees('écrit hors ligne', 60_000)
  await amina.state('écrit hors ligne', 'read')
  assert.deepEqual(await nadia.texts(), ['Bonjour Nadia', 'أهلا أمينة', 'écrit hors ligne'])
  assert.deepEqual(await amina.texts(), ['Bonjour Nadia', 'أهلا أمينة', 'écrit hors ligne'])
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
