// Events and polls among three people in a group, and between two: made, answered, changed, cancelled; places that run out; votes, who has given them, and the end of a poll.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readFileSync } from 'node:fs'
import { faults } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

const name = 'Street party'
let server, chromium, amina, nadia, karim, group

before(async () => {
  server = await Server.make()
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { lang: 'en', size: [1280, 800], timezoneId: 'Europe/Zurich' })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar', timezoneId: 'Africa/Casablanca', colorScheme: 'dark' })
  karim = await Person.make(chromium, 'karim', { lang: 'fr', timezoneId: 'Europe/Zurich' })
  for (const person of [amina, nadia, karim]) await person.join(server.invite())
  await amina.befriend(nadia)
  await amina.befriend(karim)
  await amina.page.goto(`${amina.origin}/groups/new`)
  for (const who of ['nadia', 'karim']) await amina.page.locator('.choice', { hasText: who }).click()
  await amina.page.locator('.bottom .btn').click()
  await amina.page.getByLabel(amina.t('gr.name')).fill(name)
  await amina.button('gr.make').click()
  await amina.page.locator('.comp textarea').waitFor()
  group = decodeURIComponent(new URL(amina.page.url()).pathname.split('/')[2])
  for (const person of [nadia, karim]) {
    await person.page.goto(`${person.origin}/`)
    await person.page.locator('.row', { hasText: name }).first().click()
    await person.page.locator('.comp, .request').first().waitFor()
    for (const key of ['invited.join', 'invited.stay']) if (await person.button(key).count()) await person.button(key).click()
    await person.page.locator('.comp textarea').waitFor()
  }
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

/** axe finds nothing on a screen. */
async function well(person, what) {
  await person.shot(what)
  await until('what was just said has gone', async () => !await person.page.locator('.toast').count())
  assert.deepEqual(await faults(person.page), [], `${what}, ${person.name}`)
}

/** Opens a sheet from the menu of what can be attached. */
async function attach(person, key) {
  await person.page.getByRole('button', { name: person.t('attach'), exact: true }).click()
  await person.page.getByRole('dialog').getByRole('button', { name: person.t(key), exact: true }).click()
}

const card = (person, called) => person.page.locator('.event', { hasText: called }).last()
const answer = (person, called, key) => card(person, called).getByRole('radio', { name: person.t(key), exact: true }).click()
const counts = (person, called, ...parts) => until(`${person.name} sees ${parts.join(', ')}`, async () => {
  const text = await card(person, called).locator('.ev-counts, .ev-none').textContent().catch(() => '')
  return parts.every((part) => text.includes(part))
})

test('an event is made, and everybody sees it in their own time', async () => {
  await attach(amina, 'attach.event')
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('ev.name')).fill('Summer party')
  await sheet.getByLabel(amina.t('ev.startDay')).fill('2027-06-05')
  await sheet.getByLabel(amina.t('ev.startTime')).fill('18:00')
  await sheet.getByLabel(amina.t('ev.endDay')).fill('2027-06-05')
  await sheet.getByLabel(amina.t('ev.endTime')).fill('17:00')
  await sheet.getByText(amina.t('ev.wrongEnds')).waitFor()
  await sheet.getByLabel(amina.t('ev.endTime')).fill('23:30')
  await sheet.getByLabel(amina.t('ev.place'), { exact: true }).fill('Town hall')
  await sheet.getByLabel(amina.t('ev.map')).fill('47.37, 8.54')
  await sheet.getByLabel(amina.t('ev.text')).fill('Bring something for the grill.')
  await sheet.getByRole('switch', { name: amina.t('ev.guests') }).click()
  await sheet.getByLabel(amina.t('ev.places'), { exact: true }).fill('3')
  await well(amina, 'event-make')
  await amina.button('send').click()
  for (const person of [amina, nadia, karim]) await card(person, 'Summer party').waitFor()
  assert.match(await card(karim, 'Summer party').locator('.ev-top small').last().textContent(), /18:00/)
  assert.match(await card(nadia, 'Summer party').locator('.ev-line').first().textContent(), /Europe\/Zurich/)
  assert.equal(await card(karim, 'Summer party').getByRole('link', { name: 'Town hall' }).getAttribute('href'), 'geo:47.37,8.54')
})

test('people answer with guests, and who has no place any more waits', async () => {
  await answer(nadia, 'Summer party', 'ev.yes')
  await counts(karim, 'Summer party', karim.t('ev.of', { n: 1, places: 3 }))
  await card(nadia, 'Summer party').getByRole('button', { name: nadia.t('ev.more') }).click()
  await counts(karim, 'Summer party', karim.t('ev.of', { n: 2, places: 3 }))
  await answer(karim, 'Summer party', 'ev.yes')
  await counts(amina, 'Summer party', amina.t('ev.of', { n: 3, places: 3 }))
  await answer(amina, 'Summer party', 'ev.yes')
  await card(amina, 'Summer party').getByText(amina.t('ev.youWait')).waitFor()
  for (const person of [amina, nadia, karim]) await well(person, 'event-card')
  await card(karim, 'Summer party').locator('.ev-counts').click()
  await karim.page.getByRole('heading', { name: karim.t('ev.listWaits') }).waitFor()
  await well(karim, 'event-who')
  await karim.page.keyboard.press('Escape')
  await answer(karim, 'Summer party', 'ev.no')
  await card(amina, 'Summer party').getByText(amina.t('ev.youWait')).waitFor({ state: 'detached' })
  await counts(nadia, 'Summer party', nadia.t('ev.nos', { n: nadia.lang === 'ar' ? new Intl.NumberFormat('ar-MA').format(1) : 1 }))
})
