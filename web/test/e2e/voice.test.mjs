// What was said into the microphone is not lost when the chat is left, the page is reloaded or the tab ends: it comes back as a draft.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

const bar = () => amina.page.locator('.rec-bar')
const notes = (person) => person.page.locator('.it .voice')

/** Begins to record without a finger, and waits until so many seconds are there. */
async function record(seconds) {
  await amina.page.locator('.comp .send').focus()
  await amina.page.keyboard.press('Enter')
  await bar().waitFor()
  await until('it was recorded', async () => Number(/0:(\d\d)/.exec(await bar().textContent())?.[1]) >= seconds)
}

/** How long a voice note is really, as whoever hears it finds. */
const lengthOf = (note) => note.evaluate(async (element) => {
  element.querySelector('.pl').click()
  const range = element.querySelector('input[type=range]')
  for (let i = 0; i < 400 && !(Number(range.value) > 0.3); i++) await new Promise((done) => setTimeout(done, 25))
  return Number(range.value)
})

test('a reload while recording: the draft is in the list and in the chat, and can be heard and sent', async () => {
  await record(4)
  await amina.shot('voice-recording')
  await amina.page.reload()
  const row = amina.page.locator('.row', { hasText: 'nadia' })
  await row.locator('.draft').waitFor()
  assert.match(await row.textContent(), new RegExp(amina.t('kind.voice')))
  await amina.button('voice.listen').waitFor()
  assert.ok(Number(/0:(\d\d)/.exec(await bar().textContent())[1]) >= 2, await bar().textContent())
  await amina.shot('voice-draft')
  await amina.button('voice.listen').click()
  await bar().getByRole('button', { name: amina.t('voice.pause') }).waitFor()
  await amina.button('voice.send').click()
  await notes(nadia).waitFor()
  assert.ok(await lengthOf(notes(nadia)) > 0.3, 'it sounds')
  await row.locator('.draft').waitFor({ state: 'detached' })
  assert.equal(await notes(amina).count(), 1)
  await amina.page.reload()
  await notes(amina).waitFor()
  assert.equal(await bar().count(), 0)
})

test('the chat is left for another: the draft waits in its chat alone', async () => {
  await record(2)
  await amina.page.getByRole('link', { name: amina.t('tab.settings') }).first().click()
  await amina.page.locator('.act.me').waitFor()
  await bar().waitFor({ state: 'detached' })
  await amina.page.goBack()
  await amina.button('voice.listen').waitFor()
  await amina.button('voice.cancel').click()
  await bar().waitFor({ state: 'detached' })
  await amina.page.reload()
  await amina.page.locator('.comp textarea').waitFor()
  assert.equal(await amina.page.locator('.row .draft').count(), 0)
})

test('two tabs: one has the draft in its hands, and when it ends the other one gets it; it leaves once', async () => {
  await record(2)
  const other = await amina.tab()
  await other.goto(amina.page.url())
  await other.locator('.row .draft').waitFor()
  await other.locator('.comp textarea').waitFor()
  assert.equal(await other.locator('.rec-bar').count(), 0)
  await amina.page.close({ runBeforeUnload: false })
  amina.page = other
  await amina.button('voice.listen').waitFor()
  const before = await notes(nadia).count()
  await amina.button('voice.send').click()
  await until('it came', async () => await notes(nadia).count() === before + 1)
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
