// Other browsers of the same account: what was said before is there, all go on, and one that is signed out is left out. Linking is in link.test.mjs.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, tablet
/** For how many devices nadia's messages were encrypted, and how many her app was last told that amina has. */
const seen = { keys: [], listed: 0 }

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
  nadia.page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => { if (/^<message.*<payload>/s.test(String(payload))) seen.keys.push(count(payload, '<key ')) })
    socket.on('framereceived', ({ payload }) => {
      const list = /<items node='urn:xmpp:omemo:2:devices'>.*?<\/items>/s.exec(String(payload))
      if (list && String(payload).includes(`from='${amina.jid}'`)) seen.listed = count(list[0], '<device ')
    })
  })
  await nadia.open(amina.jid) // a new page, whose connection is seen from its beginning
})

after(() => town?.end())

const count = (text, part) => String(text).split(part).length - 1

/** Another browser for amina's account, in English, which comes in with the password and the recovery code. */
async function another(name) {
  const person = await Person.make(town.chromium, name, { lang: 'en', size: [1280, 800] })
  await person.signIn(amina.origin, amina.jid, amina.password)
  await person.page.getByLabel(person.t('ob.recCode'), { exact: true }).fill(amina.code)
  await person.shot('history')
  await person.button('ob.histOpen').click()
  await person.page.locator('.gate').waitFor({ state: 'detached' }) // a wrong code stays here and says so
  await person.shot('after-history')
  await person.page.locator('.row').first().waitFor()
  return person
}

/** Opens the menu of a message of amina's and chooses a line of it. */
async function act(text, key) {
  await amina.message(text).locator('.m').click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t(key), exact: true }).click()
}

test('by the recovery code after a sign-in with the password, right after something was said', async () => {
  assert.match(amina.code ?? '', /\w{4}/, 'a recovery code was shown when the account was made')
  await amina.write('a moment ago')
  await nadia.sees('a moment ago')
  tablet = await another('tablet')
  await tablet.open(nadia.jid)
  await tablet.sees('a moment ago')
  assert.deepEqual((await tablet.texts()).slice(0, 3), ['begin', 'we have begun', 'a moment ago'])
})

test('what is said goes on everywhere, and the contact sees that there is a new device', async () => {
  await nadia.page.locator('.log').getByText(nadia.t('system.new-device', { name: 'amina' })).waitFor()
  await nadia.shot('new-device')
  await nadia.write('to all')
  for (const person of [amina, tablet]) await person.sees('to all')
  assert.equal(seen.keys.at(-1), 2)
  await tablet.write('from the tablet')
  for (const person of [amina, nadia]) await person.sees('from the tablet')
  await amina.write('from the first')
  for (const person of [tablet, nadia]) await person.sees('from the first')
  assert.equal(await tablet.message('to all').count(), 1)
  tablet.clean()
})

test('a device that is signed out is left out of what is encrypted', async () => {
  const tab = await amina.tab()
  await tab.goto(`${amina.origin}/devices`)
  await tab.getByRole('button', { name: new RegExp(`^${amina.t('dev.out')}`) }).click()
  await tab.getByRole('alertdialog').getByRole('button', { name: amina.t('dev.out'), exact: true }).click()
  await tab.locator('.toast', { hasText: amina.t('dev.outDone') }).waitFor()
  await until('the list has one device', () => seen.listed === 1)
  await nadia.write('for the first alone')
  await amina.sees('for the first alone')
  assert.equal(seen.keys.at(-1), 1)
  assert.equal(await tablet.message('for the first alone').count(), 0)
  await tablet.shot('signed-out')
  await tablet.end()
  await tab.close()
})

test('a later device has all of it by the same code, as it was corrected and without what was taken away', async () => {
  await act('a moment ago', 'act.edit')
  await amina.page.locator('.comp textarea').fill('a while ago')
  await amina.button('edit.done').click()
  await amina.sees('a while ago')
  await nadia.sees('a while ago')
  await amina.write('a secret')
  await nadia.sees('a secret')
  await amina.state('a secret', 'read')
  await act('a secret', 'act.delete')
  await amina.button('delete.all').click()
  await nadia.page.locator('.gone').waitFor()
  const phone = await another('phone')
  await phone.open(nadia.jid)
  await phone.sees('for the first alone')
  await phone.sees('a while ago')
  await phone.page.locator('.gone').waitFor()
  assert.deepEqual(await phone.texts(), ['begin', 'we have begun', 'a while ago', 'to all', 'from the tablet', 'from the first', 'for the first alone'])
  for (const gone of ['a moment ago', 'a secret']) assert.equal(await phone.page.getByText(gone, { exact: true }).count(), 0)
  await nadia.write('to both')
  for (const person of [amina, phone]) await person.sees('to both')
  phone.clean()
  await phone.end()
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
