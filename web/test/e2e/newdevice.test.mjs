// A browser that comes in with the password alone: each older one says so until a person has decided. Linking is in link.test.mjs.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, tablet

before(async () => {
  town = await Town.found({ options: { amina: { lang: 'en', size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** Another browser for amina's account, in English, which comes in with the password and nothing else. */
async function another(name, size = [1280, 800]) {
  const person = await Person.make(town.chromium, name, { lang: 'en', size })
  await person.signIn(amina.origin, amina.jid, amina.password)
  await person.button('ob.later').click()
  await person.page.locator('.row, .empty').first().waitFor()
  return person
}

/** The notices on a page. */
const told = (page) => page.locator('section.offer', { has: page.getByText(amina.t('own.title'), { exact: true }) })

const press = (page, key) => page.getByRole('button', { name: amina.t(key), exact: true }).click()

test('a second browser is told above the list, with its name; compared on both sides it reads what was said before', async () => {
  tablet = await another('tablet')
  await told(amina.page).getByText(amina.t('own.reads')).waitFor()
  await told(amina.page).getByText(/Palabre Web/).waitFor()
  await amina.shot('own-new')
  assert.deepEqual(await faults(amina.page), [])
  assert.equal(await told(tablet.page).count(), 0, 'who is new is told nothing of those that were there')
  await amina.write('to all that are trusted')
  await tablet.open(nadia.jid)
  await tablet.sees('to all that are trusted')
  assert.deepEqual(await tablet.texts(), ['to all that are trusted'])
  const devices = await tablet.tab()
  await devices.goto(`${tablet.origin}/devices`)
  const own = await devices.locator('.act.un', { hasText: tablet.t('dev.mine') }).locator('.print').textContent()
  await told(amina.page).getByRole('button', { name: amina.t('own.mine'), exact: true }).click()
  const question = amina.page.getByRole('alertdialog')
  assert.equal(await question.locator('.print').textContent(), own)
  await amina.shot('own-compare')
  assert.deepEqual(await faults(amina.page), [])
  await question.getByRole('button', { name: amina.t('own.same'), exact: true }).click()
  await told(amina.page).waitFor({ state: 'detached' })
  await devices.getByRole('button', { name: /^What to do with/ }).click()
  await devices.getByRole('menuitem', { name: tablet.t('dev.verify'), exact: true }).click()
  await tablet.sees('begin')
  assert.deepEqual(await tablet.texts(), ['begin', 'we have begun', 'to all that are trusted'])
  await devices.close()
  tablet.clean()
})

test('a third is told on both older ones, on a phone, too, and gets nothing until it is decided; revoked, it is out', async () => {
  const thief = await another('thief', [390, 844])
  for (const person of [amina, tablet]) await told(person.page).getByText(amina.t('own.waits')).waitFor()
  await tablet.page.setViewportSize({ width: 390, height: 844 })
  await tablet.page.goto(`${tablet.origin}/`)
  await told(tablet.page).waitFor()
  await tablet.shot('own-phone')
  await amina.write('not for it')
  await amina.state('not for it', 'read')
  await thief.page.goto(`${thief.origin}/`)
  const chat = thief.page.locator('.row', { hasText: 'nadia' })
  await chat.waitFor()
  assert.equal(await thief.page.getByText('not for it').count(), 0)
  // What was not decided is still there after a start.
  await amina.page.goto(`${amina.origin}/devices`)
  await told(amina.page).getByText(/Palabre Web/).waitFor()
  await amina.shot('own-devices')
  await told(amina.page).getByRole('button', { name: amina.t('own.revoke'), exact: true }).click()
  await amina.page.getByRole('alertdialog').getByRole('button', { name: amina.t('own.revoke'), exact: true }).click()
  await amina.page.locator('.toast', { hasText: amina.t('own.out') }).waitFor()
  await until('amina is where the password is changed', () => new URL(amina.page.url()).pathname === '/settings/account')
  await told(tablet.page).waitFor({ state: 'detached' }) // it heard so from the other
  await thief.page.getByText(thief.t('refused.password')).or(thief.page.locator('.net.bad')).first().waitFor()
  await amina.page.goto(`${amina.origin}/devices`)
  await amina.page.getByText(amina.t('dev.distrusted'), { exact: true }).waitFor()
  assert.equal(await told(amina.page).count(), 0)
  for (const person of [amina, tablet]) person.clean()
  await thief.end()
})
