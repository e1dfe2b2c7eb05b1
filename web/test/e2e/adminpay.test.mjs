// Payments in administration, with two administrators in real browsers: what one proposes the other one approves, and only then there is money.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { go, makeKey, withoutPasskeys } from './paying.mjs'
import { browser, Person } from './person.mjs'
import { Server } from './server.mjs'

let chromium, server, nadia, amina

before(async () => {
  chromium = await browser()
  server = await Server.make({ more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "LEAF"\nclosed = true\n[[ledger.units]]\ncode = "LEAF"\nexponent = 2\nname = "Leaf"\n' })
  await server.start()
  nadia = await Person.make(chromium, 'nadia')
  amina = await Person.make(chromium, 'amina', { lang: 'ar', colorScheme: 'dark', size: [1280, 800] })
  writeFileSync(join(server.folder, 'password'), 'a good password\n')
  server.run('account', 'add', 'karim', '-password-file', 'password')
  await nadia.join(server.invite('-admin'))
  await amina.join(server.invite('-admin'))
})
after(async () => {
  await chromium?.close()
  await server?.end()
})

const money = async (who) => {
  await who.page.goto(`${server.origin}/admin/money`)
  await who.page.getByRole('heading', { name: who.t('adm.circulation') }).waitFor()
}

test('what one administrator proposes another one approves', async () => {
  await money(nadia)
  await nadia.page.getByText(nadia.t('adm.noProposals')).waitFor()
  await nadia.page.getByRole('button', { name: nadia.t('adm.propose') }).click()
  const sheet = nadia.page.getByRole('dialog')
  await sheet.getByLabel(nadia.t('adm.account')).fill('amina2')
  await sheet.getByLabel(new RegExp(nadia.t('adm.amount'))).fill('125.50')
  await sheet.getByLabel(nadia.t('adm.why')).fill('The fair')
  await sheet.getByRole('button', { name: nadia.t('adm.propose') }).click()
  await nadia.page.getByText(nadia.t('adm.gone')).first().waitFor() // nobody has that name
  await sheet.getByLabel(nadia.t('adm.account')).fill('nadia')
  await sheet.getByRole('button', { name: nadia.t('adm.propose') }).click()
  await nadia.page.getByText(nadia.t('adm.notYou')).first().waitFor() // nobody gives money to themselves
  await sheet.getByLabel(nadia.t('adm.account')).fill('karim')
  await sheet.getByRole('button', { name: nadia.t('adm.propose') }).click()
  const waits = nadia.page.getByRole('article', { name: /karim@localhost/ })
  await waits.waitFor()
  assert.equal(await waits.getByRole('button', { name: nadia.t('adm.approve') }).count(), 0)
  await well(nadia, 'money-proposed')

  await money(amina)
  const asked = amina.page.getByRole('article', { name: /karim@localhost/ })
  await asked.getByRole('button', { name: amina.t('adm.approve') }).click()
  await amina.page.getByRole('alertdialog').getByRole('button', { name: amina.t('adm.approve') }).click()
  await amina.page.getByText(amina.t('adm.noProposals')).waitFor()
  await amina.page.getByText(/approve-issue/).waitFor()
  await amina.page.getByLabel(amina.t('adm.account'), { exact: true }).fill('karim')
  await amina.page.getByRole('button', { name: amina.t('adm.show') }).click()
  await amina.page.getByRole('article', { name: 'karim@localhost' }).waitFor()
  await well(amina, 'money-approved')
})

test('a PIN that somebody does not know is among what to look at', async () => {
  await amina.page.getByText(amina.t('adm.noSuspicions')).waitFor()
  const karim = await Person.make(chromium, 'karim', { lang: 'en' })
  await withoutPasskeys(karim)
  await karim.signIn(server.origin, 'karim@localhost', 'a good password')
  await karim.button('ob.later').click()
  await karim.page.locator('.row, .empty').first().waitFor()
  await go(karim, '/pay/limits')
  await karim.page.getByLabel(`${karim.t('pm.perPayment')} (LEAF)`, { exact: true }).fill('50')
  const sheet = karim.page.locator('.sheet')
  for (const n of [4, 3, 2]) {
    await karim.button('pm.keep').click()
    if (n === 4) await makeKey(karim)
    await sheet.getByLabel(karim.t('pc.pin'), { exact: true }).fill('000000')
    await sheet.locator('.btn.p').click()
    await karim.page.locator('.toast', { hasText: karim.t('pc.wrongPin', { n }) }).waitFor()
  }
  karim.clean()
  await karim.end()
  await money(amina)
  const section = amina.page.locator('section', { has: amina.page.getByRole('heading', { name: amina.t('adm.suspicions') }) })
  const row = section.locator('p', { hasText: 'karim@localhost' })
  await row.getByText(amina.t('adm.susPins')).waitFor()
  assert.match(await row.textContent(), /3/)
  assert.equal(await section.getByText(amina.t('adm.noSuspicions')).count(), 0)
  await well(amina, 'money-suspicions')
})

test('a PIN is forgotten: two administrators say that no key stays', async () => {
  await money(nadia)
  await nadia.page.getByLabel(nadia.t('adm.account'), { exact: true }).fill('karim')
  await nadia.page.getByRole('button', { name: nadia.t('adm.show') }).click()
  const theirs = nadia.page.getByRole('article', { name: 'karim@localhost', exact: true })
  await theirs.getByRole('button', { name: nadia.t('adm.keys') }).click()
  const sheet = nadia.page.getByRole('dialog')
  const stays = sheet.getByRole('checkbox')
  await stays.focus()
  await sheet.getByText(nadia.t('adm.keysNone')).waitFor()
  await nadia.page.keyboard.press('Space')
  await sheet.getByText(nadia.t('adm.keysNone')).waitFor({ state: 'detached' })
  await nadia.page.keyboard.press('Space')
  await sheet.getByText(nadia.t('adm.keysNone')).waitFor()
  await well(nadia, 'money-keys')
  await sheet.getByLabel(nadia.t('adm.why')).fill('Their papers were seen')
  await sheet.getByLabel(nadia.t('adm.why')).press('Enter')
  await sheet.waitFor({ state: 'detached' })
  const waits = nadia.page.getByRole('article', { name: `${nadia.t('adm.keys')}: karim@localhost` })
  await waits.getByText('Their papers were seen').waitFor()
  assert.equal(await waits.getByRole('button', { name: nadia.t('adm.approve') }).count(), 0)

  await money(amina)
  const asked = amina.page.getByRole('article', { name: `${amina.t('adm.keys')}: karim@localhost` })
  await asked.getByText(amina.t('adm.keysNone')).waitFor()
  await asked.getByRole('button', { name: amina.t('adm.approve') }).click()
  const dialog = amina.page.getByRole('alertdialog')
  await dialog.getByText(amina.t('adm.keysGo')).waitFor()
  await dialog.getByText(amina.t('pay.keyPin')).waitFor() // the key that goes
  await well(amina, 'money-keys-approve')
  await dialog.getByRole('button', { name: amina.t('adm.approve') }).click()
  await amina.page.getByText(amina.t('adm.noProposals')).waitFor()
  await amina.page.getByText(/approve-keys/).waitFor()
  await amina.page.getByLabel(amina.t('adm.account'), { exact: true }).fill('karim')
  await amina.page.getByRole('button', { name: amina.t('adm.show') }).click()
  await amina.page.getByRole('button', { name: amina.t('adm.keys') }).click()
  await amina.page.getByRole('dialog').getByText(amina.t('adm.noKeys')).waitFor()
  await amina.page.keyboard.press('Escape')
})

test('a wallet is stopped, and the book is exported', async () => {
  const wallet = amina.page.getByRole('article', { name: 'karim@localhost' })
  await wallet.getByRole('button', { name: amina.t('adm.stop') }).click()
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('adm.why')).fill('by a court')
  await sheet.getByRole('button', { name: amina.t('adm.stop') }).click()
  await wallet.getByText(amina.t('adm.stopped'), { exact: true }).waitFor()
  const saved = amina.page.waitForEvent('download')
  await amina.page.getByRole('button', { name: amina.t('adm.save') }).click()
  const path = await (await saved).path()
  assert.match(readFileSync(path, 'utf8'), /proposed by nadia@localhost, approved by amina@localhost: The fair/)
})
