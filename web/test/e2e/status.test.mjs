// Statuses in browsers: told to all but one, who learns nothing; looked at and counted once; answered in the chat; a photo; told without a connection; over after a day.
// axe looks at each screen on the way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const minute = 60_000
const first = 'The lake is warm today 🌊', second = 'told without a connection', third = 'for everybody'
let server, bad, chromium, amina, nadia, karim

before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  server = await Server.make({ port, open: bad.port })
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina')
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar', colorScheme: 'dark' })
  karim = await Person.make(chromium, 'karim', { lang: 'en', size: [1280, 800], reducedMotion: 'no-preference' })
  for (const person of [amina, nadia, karim]) await person.join(server.invite())
  await amina.befriend(nadia)
  await amina.befriend(karim)
  for (const person of [nadia, karim]) await person.page.getByRole('link', { name: /amina/ }).first().waitFor()
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

const updates = async (person) => {
  await person.page.goto(`${person.origin}/updates`)
  await person.page.locator('.statuses .story').first().waitFor()
}
/** The row of somebody in the list. */
const row = (person, name) => person.page.locator('.statuses li', { hasText: name })
const viewer = (person) => person.page.locator('.story-viewer')
const words = (person, text) => viewer(person).locator('.words p', { hasText: text })

test('a status is told to all contacts but one', async () => {
  await updates(amina)
  await well(amina, 'status-none')
  await amina.button('up.add').click()
  const maker = amina.page.locator('.story-maker')
  await maker.locator('textarea').fill(first)
  await maker.getByLabel(amina.t('st.colour', { n: 4 })).check()
  await maker.locator('.for').click()
  await amina.page.getByLabel(amina.t('st.for.except')).check()
  await amina.page.locator('.pick-people').getByLabel('karim').check()
  await well(amina, 'status-audience')
  await amina.button('st.done').click()
  await well(amina, 'status-text')
  await amina.button('st.post').click()
  await maker.waitFor({ state: 'detached' })
  await amina.page.locator('.story-ring circle').first().waitFor()
})

test('who may see it is told by a dot, and sees it; the other one learns nothing', async () => {
  await nadia.page.goto(`${nadia.origin}/`)
  await nadia.page.locator('.tab .dot').waitFor()
  await nadia.shot('status-dot')
  await nadia.page.locator('.tab[href="/updates"]').click()
  await row(nadia, 'amina').waitFor()
  await well(nadia, 'status-list')
  await row(nadia, 'amina').click()
  await words(nadia, first).waitFor()
  await well(nadia, 'status-viewer')
  await updates(karim)
  await karim.page.getByText(karim.t('up.none')).waitFor()
  assert.equal(await karim.page.evaluate(async (jid) => {
    const db = await new Promise((done) => { const asked = indexedDB.open(`palabre:${jid}`); asked.onsuccess = () => done(asked.result) })
    const all = [...db.objectStoreNames].includes('statuses') ? await new Promise((done) => { const asked = db.transaction('statuses').objectStore('statuses').count(); asked.onsuccess = () => done(asked.result) }) : -1
    db.close()
    return all
  }, karim.jid), 0, 'nothing of it is on his device')
})

test('it is answered in the chat, where it stands as a quotation, and by an emoji', async () => {
  const field = nadia.page.getByLabel(nadia.t('st.reply', { name: 'amina' }))
  await field.fill('I am coming')
  await nadia.button('st.send').click()
  await nadia.page.locator('.toast', { hasText: nadia.t('st.replied') }).waitFor()
  await field.focus()
  await nadia.shot('status-answer')
  await nadia.page.getByRole('button', { name: nadia.t('st.react', { emoji: '❤️' }) }).click()
  await nadia.page.keyboard.press('Escape')
  await viewer(nadia).waitFor({ state: 'detached' })
  await nadia.page.locator('.tab .dot').waitFor({ state: 'detached' })
  await amina.open(nadia.jid)
  await amina.sees('I am coming')
  const quote = amina.message('I am coming').locator('.quote')
  assert.match(await quote.textContent(), new RegExp(`${amina.t('about.yours')}.*The lake is warm`))
  await amina.page.locator('.it', { hasText: '❤️' }).locator('.quote').waitFor()
  await well(amina, 'status-quote')
})

test('its author is told who has looked, once', async () => {
  await updates(nadia)
  await row(nadia, 'amina').click() // once more
  await words(nadia, first).waitFor()
  await nadia.page.keyboard.press('Escape')
  await updates(amina)
  await amina.page.locator('.story .open').first().click()
  await words(amina, first).waitFor()
  await viewer(amina).locator('.views', { hasText: '1' }).click()
  await amina.page.locator('.sheet .peer', { hasText: 'nadia' }).waitFor()
  assert.equal(await amina.page.locator('.sheet .peer').count(), 1)
  await well(amina, 'status-views')
  await amina.page.keyboard.press('Escape')
  await amina.page.keyboard.press('Escape')
  await viewer(amina).waitFor({ state: 'detached' })
})

test('a photo is told with words, and looked at', async () => {
  await amina.button('up.add').click()
  const maker = amina.page.locator('.story-maker')
  const png = await amina.page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 1400 })
    const on = canvas.getContext('2d')
    const sky = on.createLinearGradient(0, 0, 0, 1400)
    for (const [at, colour] of [[0, '#f0a020'], [.55, '#e06a50'], [.56, '#00687f'], [1, '#012a33']]) sky.addColorStop(at, colour)
    on.fillStyle = sky
    on.fillRect(0, 0, 900, 1400)
    return canvas.toDataURL('image/png').split(',')[1]
  })
  await maker.locator('input[type=file]').setInputFiles({ name: 'sunset.png', mimeType: 'image/png', buffer: Buffer.from(png, 'base64') })
  await maker.getByLabel(amina.t('st.caption')).fill('Sunset')
  assert.match(await maker.locator('.for').textContent(), new RegExp(amina.t('st.for.except')), 'whom it is for is remembered')
  await well(amina, 'status-photo')
  await amina.button('st.post').click()
  await maker.waitFor({ state: 'detached' })
  await updates(nadia)
  await until('there are two', async () => await row(nadia, 'amina').locator('circle').count() === 2)
  await row(nadia, 'amina').click()
  const photo = viewer(nadia).locator('.stage > img')
  await photo.waitFor()
  assert.equal(await photo.getAttribute('alt'), 'Sunset')
  await well(nadia, 'status-photo-seen')
  await nadia.page.keyboard.press('ArrowRight') // back, from right to left
  await words(nadia, first).waitFor()
  await nadia.page.touchscreen.tap(60, 400) // on
  await photo.waitFor()
  await nadia.page.touchscreen.tap(350, 400)
  await words(nadia, first).waitFor()
  await nadia.page.keyboard.press('Escape')
})

test('a voice is told, and heard', async () => {
  await updates(amina)
  await amina.button('up.add').click()
  const maker = amina.page.locator('.story-maker')
  await amina.button('st.voice').click()
  await until('a second was recorded', async () => /0:0[1-9]/.test(await maker.locator('[role=timer]').textContent()))
  await amina.button('st.stop').click()
  await maker.locator('.sound').waitFor()
  await well(amina, 'status-voice')
  await amina.button('st.post').click()
  await maker.waitFor({ state: 'detached' })
  await until('there are three', async () => await row(nadia, 'amina').locator('circle').count() === 3, minute)
  await row(nadia, 'amina').click()
  const sound = viewer(nadia).locator('audio')
  await until('it can be heard', () => sound.evaluate((a) => a.readyState > 0))
  await nadia.button('st.listen').click()
  await until('it is heard', () => sound.evaluate((a) => a.currentTime > 0))
  await well(nadia, 'status-voice-heard')
  await nadia.page.keyboard.press('Escape')
})

test('what is told without a connection is kept, says so, and leaves once by itself', async () => {
  await updates(amina)
  await amina.button('up.add').click()
  const maker = amina.page.locator('.story-maker')
  await maker.locator('textarea').waitFor()
  await bad.tell('stall')
  await bad.tell('reset')
  await amina.page.locator('.tab').first().waitFor()
  await maker.locator('textarea').fill(second)
  await amina.button('st.post').click()
  await maker.waitFor({ state: 'detached' })
  await amina.page.getByText(amina.t('up.waits')).waitFor()
  await well(amina, 'status-waits')
  await bad.tell('flow')
  await amina.page.getByText(amina.t('up.waits')).waitFor({ state: 'detached', timeout: minute })
  await updates(nadia)
  await until('there are four', async () => await row(nadia, 'amina').locator('circle').count() === 4, minute)
  await row(nadia, 'amina').click()
  await words(nadia, second).waitFor()
  await nadia.page.keyboard.press('Escape')
})

test('who mutes somebody sees them apart, and no dot', async () => {
  await amina.button('up.add').click()
  const maker = amina.page.locator('.story-maker')
  await maker.locator('textarea').fill(third)
  await maker.locator('.for').click()
  await amina.page.getByLabel(amina.t('st.for.contacts'), { exact: true }).check()
  await amina.button('st.done').click()
  await amina.button('st.post').click()
  await row(karim, 'amina').click({ timeout: minute })
  await words(karim, third).waitFor()
  const bar = viewer(karim).locator('.bars i')
  const runs = () => bar.evaluate((e) => getComputedStyle(e).animationPlayState)
  await bar.waitFor({ state: 'attached' })
  await karim.page.mouse.move(900, 400)
  await karim.page.mouse.down()
  await until('a hand that stays stops it', async () => await runs() === 'paused')
  await karim.page.waitForFunction((since) => performance.now() - since > 400, await karim.page.evaluate(() => performance.now()))
  await karim.page.mouse.up()
  await until('it goes on when the hand goes', async () => await runs() === 'running')
  await karim.page.keyboard.press(' ')
  await until('a key stops it', async () => await runs() === 'paused')
  await well(karim, 'status-desk')
  await karim.page.keyboard.press(' ')
  await viewer(karim).waitFor({ state: 'detached', timeout: minute }) // it was the last: it closes by itself
  await updates(nadia)
  await row(nadia, 'amina').click()
  await viewer(nadia).getByRole('button', { name: nadia.t('menu'), exact: true }).click()
  await nadia.page.getByRole('menuitem', { name: nadia.t('st.mute', { name: 'amina' }) }).click()
  await nadia.page.keyboard.press('Escape')
  await nadia.page.getByText(nadia.t('up.muted')).first().click()
  await row(nadia, 'amina').waitFor()
  await well(nadia, 'status-muted')
})

test('one is taken back for all', async () => {
  await updates(amina)
  await amina.page.locator('.story .open').first().click()
  for (const text of [second, third]) {
    while (!await words(amina, text).count()) await amina.page.keyboard.press('ArrowRight')
  }
  await viewer(amina).getByRole('button', { name: amina.t('menu'), exact: true }).click()
  await amina.page.getByRole('menuitem', { name: amina.t('st.delete') }).click()
  await amina.page.getByRole('alertdialog').getByRole('button', { name: amina.t('st.delete') }).click()
  await until('it is gone for him', async () => !await row(karim, 'amina').count(), minute)
})

test('after a day it is over', async () => {
  await updates(nadia)
  await nadia.page.getByText(nadia.t('up.muted')).first().click()
  await row(nadia, 'amina').waitFor()
  await bad.tell('stall') // the server would say what time it is
  await bad.tell('reset')
  await nadia.page.evaluate(() => { const right = Date.now; Date.now = () => right() + 24 * 3600_000 + 1000 })
  await row(nadia, 'amina').waitFor({ state: 'detached', timeout: minute })
  await nadia.page.getByText(nadia.t('up.none')).waitFor()
  assert.equal(await nadia.page.evaluate(async (jid) => {
    const db = await new Promise((done) => { const asked = indexedDB.open(`palabre:${jid}`); asked.onsuccess = () => done(asked.result) })
    const found = await new Promise((done) => { const asked = db.transaction('statuses').objectStore('statuses').count(); asked.onsuccess = () => done(asked.result) })
    db.close()
    return found
  }, nadia.jid), 0, 'nothing of it stays on the device')
})

test('the consoles are silent', () => {
  for (const one of [amina, nadia, karim]) one.clean()
})
