// Payments in administration, with two administrators in real browsers: what one proposes the other one approves, and only then there is money.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
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
