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

test('its author changes it; who has answered is asked again, and the calendar gets it as it is now', async () => {
  await card(amina, 'Summer party').getByRole('button', { name: amina.t('ev.change') }).click()
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('ev.startTime')).fill('19:00')
  await sheet.getByLabel(amina.t('ev.name')).fill('Summer feast')
  await amina.button('ev.save').click()
  for (const person of [amina, nadia, karim]) await card(person, 'Summer feast').waitFor()
  await card(nadia, 'Summer feast').getByText(nadia.t('ev.askAgain')).waitFor()
  await well(nadia, 'event-changed')
  await answer(nadia, 'Summer feast', 'ev.yes')
  await card(nadia, 'Summer feast').getByText(nadia.t('ev.askAgain')).waitFor({ state: 'detached' })
  const download = karim.page.waitForEvent('download')
  await card(karim, 'Summer feast').getByRole('button', { name: karim.t('ev.calendar') }).click()
  const file = readFileSync(await (await download).path(), 'utf8')
  assert.match(file, /\r\nDTSTART:20270605T170000Z\r\nDTEND:20270605T213000Z\r\n/)
  assert.match(file, /\r\nSUMMARY:Summer feast\r\nLOCATION:Town hall\r\nGEO:47.37;8.54\r\n/)
  await card(karim, 'Summer feast').getByRole('button', { name: karim.t('ev.remind') }).click()
  await karim.button('ev.remind60').click()
  await karim.page.locator('.toast', { hasText: karim.t('ev.reminds') }).waitFor()
  assert.match(await karim.page.evaluate(() => localStorage.getItem('palabre.reminders')), /Summer feast/)
})

test('without a connection an answer is kept, and leaves later', async () => {
  await karim.context.setOffline(true)
  await answer(karim, 'Summer feast', 'ev.maybe')
  await counts(karim, 'Summer feast', karim.t('ev.maybes', { n: 1 }))
  await karim.context.setOffline(false)
  await counts(amina, 'Summer feast', amina.t('ev.maybes', { n: 1 }))
})

test('its author cancels it', async () => {
  await card(amina, 'Summer feast').getByRole('button', { name: amina.t('ev.change') }).click()
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('ev.cancel') }).click()
  await amina.button('ev.cancelYes').click()
  for (const person of [amina, nadia, karim]) await card(person, 'Summer feast').getByText(person.t('ev.cancelled')).waitFor()
  await well(karim, 'event-cancelled')
})

const poll = (person, question) => person.page.locator('.poll', { hasText: question }).last()
const option = (person, question, text) => poll(person, question).locator('.opt', { hasText: text })

test('a poll with several answers: percentages are of people, and everybody sees who voted for what', async () => {
  await attach(amina, 'attach.poll')
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('poll.question')).fill('When do we meet?')
  for (const [i, text] of ['Friday', 'Saturday', 'Sunday'].entries()) await sheet.getByLabel(amina.t('poll.answer', { n: i + 1 })).fill(text)
  await sheet.getByRole('switch', { name: amina.t('poll.many') }).click()
  await well(amina, 'poll-make')
  await amina.button('send').click()
  for (const person of [nadia, karim]) await poll(person, 'When do we meet?').waitFor()
  await option(nadia, 'When do we meet?', 'Friday').click()
  await option(nadia, 'When do we meet?', 'Saturday').click()
  await option(karim, 'When do we meet?', 'Saturday').click()
  await until('amina sees percentages', async () => (await poll(amina, 'When do we meet?').locator('.opt .num').allTextContents()).join() === '50%,100%,0%')
  for (const person of [amina, nadia]) await well(person, 'poll')
  await poll(nadia, 'When do we meet?').locator('.poll-who').click()
  await nadia.page.getByRole('dialog').getByText('karim').waitFor()
  await well(nadia, 'poll-who')
  assert.equal(await nadia.button('poll.close').count(), 0)
  await nadia.page.keyboard.press('Escape')
  await option(nadia, 'When do we meet?', 'Friday').click()
  await until('a vote is taken back', async () => (await poll(amina, 'When do we meet?').locator('.opt .num').allTextContents()).join() === '0%,100%,0%')
})

test('its author closes it, and nobody votes any more', async () => {
  await poll(amina, 'When do we meet?').locator('.poll-who').click()
  await amina.button('poll.close').click()
  await amina.button('poll.close').click()
  for (const person of [nadia, karim]) await poll(person, 'When do we meet?').getByText(person.t('poll.over')).waitFor()
  assert.equal(await option(nadia, 'When do we meet?', 'Friday').getAttribute('aria-disabled'), 'true')
})

test('an administrator of the group closes the poll of a member; who was away counts the same', async () => {
  await karim.page.getByRole('button', { name: karim.t('attach'), exact: true }).click()
  await karim.page.getByRole('dialog').getByRole('button', { name: karim.t('attach.poll'), exact: true }).click()
  const sheet = karim.page.getByRole('dialog')
  await sheet.getByLabel(karim.t('poll.question')).fill('Which cake?')
  for (const [i, text] of ['Apple', 'Plum'].entries()) await sheet.getByLabel(karim.t('poll.answer', { n: i + 1 })).fill(text)
  await karim.button('send').click()
  await poll(nadia, 'Which cake?').waitFor()
  await nadia.page.goto('about:blank')
  await option(amina, 'Which cake?', 'Plum').click()
  await option(karim, 'Which cake?', 'Apple').click()
  await option(karim, 'Which cake?', 'Plum').click()
  await until('all have voted', async () => (await poll(amina, 'Which cake?').locator('.opt .num').allTextContents()).join() === '0%,100%')
  await poll(amina, 'Which cake?').locator('.poll-who').click()
  await amina.button('poll.close').click()
  await amina.button('poll.close').click()
  await poll(karim, 'Which cake?').getByText(karim.t('poll.over')).waitFor()
  await nadia.page.goto(`${nadia.origin}/chat/${encodeURIComponent(group)}`)
  await poll(nadia, 'Which cake?').getByText(nadia.t('poll.over')).waitFor()
  const share = (n) => new Intl.NumberFormat('ar-MA', { style: 'percent' }).format(n)
  assert.deepEqual(await poll(nadia, 'Which cake?').locator('.opt .num').allTextContents(), [share(0), share(1)])
})

test('a place is followed in a group', async () => {
  await karim.context.grantPermissions(['geolocation'])
  await karim.context.setGeolocation({ latitude: 47.3701, longitude: 8.5402 })
  await karim.page.getByRole('button', { name: karim.t('attach'), exact: true }).click()
  await karim.page.getByRole('dialog').getByRole('button', { name: karim.t('attach.place'), exact: true }).click()
  await karim.button('place.live', { time: '15 minutes' }).click()
  await amina.page.getByText('47.37010, 8.54020').waitFor()
  await karim.context.setGeolocation({ latitude: 47.38, longitude: 8.55 })
  await amina.page.getByText('47.38000, 8.55000').waitFor()
  await karim.button('place.stop').click()
  for (const person of [amina, nadia]) await person.page.getByText(person.t('place.over')).waitFor()
})

test('between two an event and a poll work as well, and both say in words what they are', async () => {
  await amina.open(karim.jid)
  await karim.open(amina.jid)
  await attach(amina, 'attach.event')
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('ev.name')).fill('Swimming')
  await sheet.getByRole('switch', { name: amina.t('ev.wholeDay') }).click()
  await sheet.getByLabel(amina.t('ev.startDay')).fill('2027-07-01')
  await sheet.getByLabel(amina.t('ev.endDay')).fill('2027-07-03')
  await amina.button('send').click()
  await answer(karim, 'Swimming', 'ev.no')
  await counts(amina, 'Swimming', amina.t('ev.nos', { n: 1 }))
  assert.match(await karim.page.locator('.it', { hasText: 'Swimming' }).getAttribute('aria-label'), /Swimming\n.*1 July – .*3 July 2027/)
  await attach(amina, 'attach.poll')
  await sheet.getByLabel(amina.t('poll.question')).fill('By bus?')
  for (const [i, text] of ['Yes', 'No'].entries()) await sheet.getByLabel(amina.t('poll.answer', { n: i + 1 })).fill(text)
  await amina.button('send').click()
  await option(karim, 'By bus?', 'Yes').click()
  await until('the vote is there', async () => (await poll(amina, 'By bus?').locator('.opt .num').allTextContents()).join() === '100%,0%')
  await karim.page.reload()
  await option(karim, 'By bus?', 'No').click()
  await until('the vote has changed', async () => (await poll(amina, 'By bus?').locator('.opt .num').allTextContents()).join() === '0%,100%')
  await well(karim, 'event-two')
})

test('the consoles are silent', () => {
  for (const person of [amina, nadia, karim]) person.clean()
})
