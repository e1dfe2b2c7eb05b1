// Cards of links, from the question to the other side: what is read when, by whom, and what is never waited for.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

/** A PNG of 40 × 40. */
const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAACgAAAAoCAMAAAC7IEhfAAAAA1BMVEXIQCDz0ZXvAAAAFUlEQVR42mNgGAWjYBSMglEwCmgHAAZoAAFIOgNnAAAAAElFTkSuQmCC', 'base64')

let site, base, town, amina, nadia
/** Which pages the site was asked for, and the answers that it holds back. */
let read = []
let held = []

before(async () => {
  site = createServer((request, response) => {
    read.push(request.url)
    if (request.url === '/picture') return void response.setHeader('content-type', 'image/png').end(picture)
    const answer = () => response.setHeader('content-type', 'text/html').end(`<title>The orchard ${request.url}</title><meta name=description content="A wall"><meta property=og:image content=/picture>`)
    if (request.url.startsWith('/slow')) held.push(answer)
    else answer()
  })
  await new Promise((done) => site.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${site.address().port}`
  town = await Town.found({ config: '[linkcard]\nallow_private = true' })
  ;({ amina, nadia } = town)
})

after(async () => {
  await town?.end()
  site.closeAllConnections()
  site.close()
})

const field = (person) => person.page.locator('.comp textarea')
const card = (person) => person.page.locator('.card-of')
/** The card in the bubble of a message. */
const shown = (person, text) => person.message(text).locator('a.link')

test('who has never decided is asked, and nothing is read before they answer', async () => {
  await field(amina).fill(`see ${base}/one`)
  await amina.page.locator('.card-ask').waitFor()
  await amina.shot('card-question')
  assert.deepEqual(read, [])
  await amina.button('card.once').click()
  await card(amina).locator('b', { hasText: 'The orchard /one' }).waitFor()
  await amina.shot('card')
  assert.deepEqual(read, ['/one', '/picture'])
  assert.ok(await field(amina).evaluate((e) => e === document.activeElement), 'one can go on writing')
})

test('the card is seen on the other side, which reads nothing', async () => {
  await amina.page.locator('.comp .send').click()
  await amina.state(`see ${base}/one`, 'read')
  for (const person of [amina, nadia]) {
    const link = shown(person, `see ${base}/one`)
    await link.locator('b', { hasText: 'The orchard /one' }).waitFor()
    assert.equal(await link.getAttribute('href'), `${base}/one`)
    await until('the picture is there', () => link.locator('img').evaluate((e) => e.complete && e.naturalWidth === 40))
  }
  await nadia.shot('card-received')
  assert.deepEqual(read, ['/one', '/picture'])
})

test('it is not asked a second time, also after a reload: a card is made when one wants it', async () => {
  await amina.page.reload()
  await field(amina).waitFor()
  await field(amina).fill(`and ${base}/two`)
  const make = amina.button('card.show')
  await make.waitFor()
  assert.equal(await amina.page.locator('.card-ask').count(), 0)
  await amina.page.locator('.comp .send').click()
  await nadia.sees(`and ${base}/two`)
  assert.equal(await shown(nadia, `and ${base}/two`).count(), 0)
  assert.equal(read.includes('/two'), false)
  await field(amina).fill(`or ${base}/three`)
  await make.click()
  await card(amina).locator('b', { hasText: '/three' }).waitFor()
  await amina.button('card.leave').click()
  await card(amina).waitFor({ state: 'detached' })
  await amina.page.locator('.comp .send').click()
  await nadia.sees(`or ${base}/three`)
  assert.equal(await shown(nadia, `or ${base}/three`).count(), 0)
})

test('with always it comes by itself, and a message does not wait for it', async () => {
  await amina.page.goto(`${amina.origin}/settings/privacy`)
  await amina.page.getByRole('group', { name: amina.t('set.cards') }).getByLabel(amina.t('set.cards.always')).check()
  await amina.open(nadia.jid)
  await field(amina).fill(`now ${base}/four`)
  await card(amina).locator('b', { hasText: '/four' }).waitFor()
  await amina.page.locator('.comp .send').click()
  await shown(nadia, `now ${base}/four`).waitFor()
  await field(amina).fill(`soon ${base}/slow`)
  await until('the site is asked', () => held.length)
  await amina.page.locator('.comp .send').click()
  await nadia.sees(`soon ${base}/slow`)
  for (const answer of held.splice(0)) answer()
  await until('the answer was given', () => read.at(-1) === '/picture')
  assert.equal(await card(amina).count(), 0)
  assert.equal(await shown(nadia, `soon ${base}/slow`).count(), 0)
})

test('a correction keeps the card while its link stands, without asking anybody', async () => {
  const before = read.length
  const edit = async (text, to) => {
    await amina.message(text).locator('.m').click({ button: 'right', position: { x: 20, y: 8 } })
    await amina.page.getByRole('menuitem', { name: amina.t('act.edit'), exact: true }).click()
    await card(amina).waitFor()
    await field(amina).fill(to)
    await amina.button('edit.done').click()
    await nadia.sees(to)
  }
  await edit(`now ${base}/four`, `right now ${base}/four`)
  await shown(nadia, `right now ${base}/four`).locator('b', { hasText: '/four' }).waitFor()
  await edit(`right now ${base}/four`, 'never')
  assert.equal(await shown(nadia, 'never').count(), 0)
  assert.equal(read.length, before)
})

test('without connection nothing is offered, and the message is kept', async () => {
  await town.server.stop()
  await field(amina).fill(`later ${base}/five`)
  await amina.page.locator('.comp .send').click()
  await amina.state(`later ${base}/five`, 'waiting')
  await town.server.start()
  await nadia.sees(`later ${base}/five`, 60_000)
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
