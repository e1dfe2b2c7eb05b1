// The administrator's pages in a real browser with the real server: figures, an invitation that works, an account that is suspended; nobody else
// gets in.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { browser, Person } from './person.mjs'
import { Server } from './server.mjs'

let chromium, server, nadia, karim

before(async () => {
  chromium = await browser()
  server = await Server.make()
  await server.start()
})
after(async () => {
  await chromium?.close()
  await server?.end()
})

test('an administrator sees how the server is', async () => {
  nadia = await Person.make(chromium, 'nadia')
  await nadia.join(server.invite('-admin'))
  await nadia.page.goto(`${server.origin}/admin`)
  await nadia.page.locator('.fig').nth(9).waitFor()
  assert.equal(await nadia.page.locator('.fig').count(), 10)
  await nadia.page.getByText(nadia.t('adm.noBackup')).waitFor()
  await nadia.page.locator('.numbers-of summary').first().click()
  await nadia.page.locator('.numbers-of table').first().waitFor()
  await nadia.shot('health')
})

/** Waits until the list of settings is there, and says whether it leads to administration. */
async function line(person, there) {
  await person.page.goto(`${server.origin}/settings`)
  const entry = person.page.locator('nav a[href="/admin"]')
  if (there) await entry.waitFor()
  else {
    await person.page.locator('a[href="/settings/about"]').waitFor()
    await person.page.waitForFunction(() => document.querySelector('a[href="/settings/about"]') && !document.querySelector('nav a[href="/admin"]'))
  }
}

test('the settings of an administrator lead there, also without network', async () => {
  await line(nadia, true)
  await nadia.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  await nadia.context.setOffline(true)
  await nadia.page.reload()
  await nadia.page.locator('nav a[href="/admin"]').waitFor()
  await nadia.context.setOffline(false)
})

test('an invitation made there lets somebody in, who is no administrator', async () => {
  await nadia.page.goto(`${server.origin}/admin`)
  await nadia.page.getByRole('link', { name: nadia.t('adm.invitations') }).click()
  await nadia.button('adm.invite').click()
  await nadia.button('adm.make').click()
  const link = await nadia.page.locator('.linkbox code').textContent()
  await nadia.shot('invitation')
  karim = await Person.make(chromium, 'karim')
  await karim.join(link)
  await line(karim, false)
  await karim.page.goto(`${server.origin}/admin/accounts`)
  await karim.page.getByText(karim.t('adm.forbidden')).waitFor()
})

test('an account is found, looked at and suspended by keyboard', async () => {
  const { page } = nadia
  await page.goto(`${server.origin}/admin/accounts`)
  await page.getByRole('searchbox').fill('KAR')
  await page.getByRole('status').filter({ hasText: '1' }).waitFor()
  await page.getByRole('button', { name: 'karim' }).focus()
  await page.keyboard.press('Enter')
  const sheet = page.getByRole('dialog')
  await sheet.getByText('Palabre').first().waitFor()
  await nadia.shot('account')
  await sheet.getByRole('button', { name: nadia.t('adm.disable') }).press('Enter')
  await page.getByRole('alertdialog').getByRole('button', { name: nadia.t('adm.disable') }).press('Enter')
  await sheet.getByRole('button', { name: nadia.t('adm.enable') }).waitFor()
  assert.match(server.run('account', 'list', '-config', server.config), /karim.*disabled/)
  assert.deepEqual(nadia.problems, [])
})

test('what is kept and what is allowed', async () => {
  await nadia.page.goto(`${server.origin}/admin/storage`)
  await nadia.page.getByText('SQLite').waitFor()
  await nadia.page.getByText(nadia.t('adm.limQuota')).waitFor()
  await nadia.shot('storage')
})
