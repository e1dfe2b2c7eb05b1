// A second browser of the same account: what was said before is there, and both go on.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found()
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** Another browser for amina's account, in English, not signed in. */
async function another(name) {
  const person = await Person.make(town.chromium, name, { lang: 'en', size: [1280, 800] })
  Object.assign(person, { origin: amina.origin, jid: amina.jid })
  return person
}

/** The talk is there, and what is said now is seen on all three. */
async function goesOn(device, word) {
  await device.open(nadia.jid)
  await device.sees('we have begun')
  assert.deepEqual((await device.texts()).slice(0, 2), ['begin', 'we have begun'])
  await device.write(`${word} from ${device.name}`)
  await nadia.sees(`${word} from ${device.name}`)
  await amina.sees(`${word} from ${device.name}`)
  await nadia.write(`${word} to all`)
  await device.sees(`${word} to all`)
  await amina.sees(`${word} to all`)
  assert.equal(await device.message(`${word} to all`).count(), 1)
}

test('by the recovery code after a sign-in with the password', async () => {
  assert.match(amina.code ?? '', /\w{4}/, 'a recovery code was shown when the account was made')
  const tablet = await another('tablet')
  await tablet.page.goto(`${tablet.origin}/signin`)
  await tablet.page.getByLabel(tablet.t('ob.address'), { exact: true }).fill(amina.jid)
  await tablet.page.locator('input[autocomplete=current-password]').fill(amina.password)
  await tablet.button('ob.signIn').click()
  await tablet.page.getByLabel(tablet.t('ob.recCode'), { exact: true }).fill(amina.code)
  await tablet.shot('history')
  await tablet.button('ob.histOpen').click()
  await tablet.page.locator('.gate').waitFor({ state: 'detached' }) // a wrong code stays here and says so
  await tablet.shot('after-history')
  await tablet.page.locator('.row').first().waitFor()
  await goesOn(tablet, 'recovered')
  tablet.clean()
  await tablet.end()
})
