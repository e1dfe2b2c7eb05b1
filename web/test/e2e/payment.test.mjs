// The page behind links in notices: Karim, whose app knows nothing of payments, is asked for money, opens the link on a phone, makes a PIN, and pays. He is asked again, mistypes the PIN, and the
// server is killed while he pays: the page says what is known, and then there is one payment. Salma pays by the lock of her phone. axe looks at each screen.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { finger, wallets } from './paying.mjs'
import { browser, patience } from './person.mjs'
import { freePort, Server } from './server.mjs'

const password = 'Rien ne se perd'
const pin = '271828'
let server, chromium, port

before(async () => {
  port = await freePort()
  const web = await freePort()
  server = await Server.make({ port: web, more: { listen: [`127.0.0.1:${port}`], rest: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n' } })
  server.give('MAD', { 'karim@localhost': 100_000, 'salma@localhost': 5_000 })
  await server.start()
  for (const name of ['karim', 'nadia', 'salma']) execFileSync(process.env.PALABRE, ['account', 'add', '-config', server.config, name], { input: password + '\n', cwd: server.folder })
  chromium = await browser()
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

/** Nadia asks somebody, with more arguments of its command where there are some; the link that their app shows. */
function asks(amount, what, payer = 'karim', ...more) {
  const body = execFileSync(process.env.ASKS, ['-server', `127.0.0.1:${port}`, '-ca', join(server.data, 'certificates/own/ca.crt'), '-password', password, ...more, 'nadia@localhost', `${payer}@localhost`, String(amount), 'MAD', what]).toString()
  assert.match(body, new RegExp(`nadia .*MAD.*${what}.*${payer}|nadia .*${payer}.*MAD.*${what}`)) // in their language, which a link that was opened has told
  return /https:\S+/.exec(body)[0].replace('https://localhost/', server.origin + '/')
}

/** A phone, in a language; it has no lock, or else it is given a sensor for fingers. */
async function phone(locale, { lock = false, ...more } = {}) {
  const context = await chromium.newContext({ ignoreHTTPSErrors: true, viewport: { width: 320, height: 640 }, locale, ...more })
  if (!lock) await context.addInitScript(() => { delete globalThis.PublicKeyCredential })
  const page = await context.newPage()
  page.setDefaultTimeout(patience)
  page.errors = []
  page.on('console', (message) => { if (message.type() === 'error') page.errors.push(message.text()) })
  page.on('pageerror', (error) => page.errors.push(String(error)))
  return page
}

/** A screen is taken as a picture, is not wider than the phone, and axe finds nothing on it. */
async function well(page, what) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `payment-${what}.png`), fullPage: true })
  assert.deepEqual(await faults(page), [], what)
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} is too wide`)
}

let karim

test('a request is paid from the link alone', async () => {
  karim = await phone('en')
  const link = asks(12_500, 'Sardines')
  await karim.goto(link)
  await karim.getByRole('heading', { name: /nadia.* asks you for/ }).waitFor()
  assert.ok(!karim.url().includes('#'), 'the token does not stay in the address')
  await karim.getByText('125.00 MAD').first().waitFor()
  await karim.getByText('nadia@localhost').waitFor()
  await well(karim, 'asked')
  await karim.getByRole('button', { name: /Pay/ }).click()
  await karim.getByRole('heading', { name: 'Choose a PIN for this browser' }).waitFor()
  await well(karim, 'choose')
  await karim.getByLabel('PIN', { exact: true }).fill('123')
  await karim.getByRole('button', { name: 'Continue' }).click()
  await karim.getByRole('alert').waitFor()
  await karim.getByLabel('PIN', { exact: true }).fill(pin)
  await karim.getByLabel('PIN once more').fill(pin)
  await karim.getByRole('button', { name: 'Continue' }).click()
  await karim.getByRole('heading', { name: /Pay/ }).waitFor({ timeout: 60_000 })
  await well(karim, 'pin')
  await karim.getByLabel('PIN', { exact: true }).fill('999999')
  await karim.getByRole('button', { name: /Pay/ }).click()
  await karim.getByRole('alert').filter({ hasText: '3' }).waitFor({ timeout: 60_000 })
  await karim.getByLabel('PIN', { exact: true }).fill(pin)
  await karim.getByRole('button', { name: /Pay/ }).click()
  await karim.getByRole('heading', { name: /You have paid/ }).waitFor({ timeout: 60_000 })
  await karim.getByText('The receipt is signed by the service.').waitFor()
  await well(karim, 'paid')
  await karim.goto(link)
  await karim.getByText('Paid', { exact: true }).waitFor()
  assert.deepEqual(karim.errors, [])
})

test('what comes again says so, and is declined for good', async () => {
  await karim.goto('about:blank')
  await karim.goto(asks(9_000, 'Rent', 'karim', '-every', 'month'))
  await karim.getByText(/^Comes every month until .*: .?1.? of .?4.?$/).waitFor()
  await well(karim, 'again')
  await karim.getByRole('button', { name: 'Decline' }).click()
  await karim.getByText(/Nothing was taken/).waitFor()
})

test('what has no answer is said so, and paid once, also where the clock is fast', async () => {
  await karim.clock.setFixedTime(Date.now() + 20 * 60_000)
  await karim.goto('about:blank')
  await karim.goto(asks(700, 'Bread'))
  await karim.getByRole('button', { name: /Pay/ }).click()
  await karim.getByLabel('PIN', { exact: true }).fill('٢٧١٨٢٨') // with another keyboard
  await karim.route('**/ask', async (route) => { // the payment arrives, and its answer does not
    if (!route.request().postData().includes('"pay"')) return route.continue()
    await route.fetch()
    await server.stop('SIGKILL')
    await route.abort()
  })
  await karim.getByRole('button', { name: /Pay/ }).click()
  await karim.getByRole('heading', { name: 'It is not known yet whether this was paid.' }).waitFor({ timeout: 60_000 })
  await well(karim, 'unknown')
  await karim.unroute('**/ask')
  await server.start()
  await karim.getByRole('button', { name: 'Ask again' }).click()
  await karim.getByRole('heading', { name: /You have paid/ }).waitFor({ timeout: 60_000 })
  assert.equal(wallets(server).nadia, '132.00')
})

test('the lock of the phone signs, also where the clock is slow, and signs nothing for another finger', async () => {
  const salma = await phone('fr', { lock: true })
  await salma.clock.setFixedTime(Date.now() - 20 * 60_000)
  const knows = await finger(salma)
  await salma.goto(asks(2_000, 'Mint', 'salma'))
  await salma.getByRole('button', { name: /Payer/ }).click()
  await salma.getByRole('button', { name: 'Utiliser le verrou de cet appareil' }).click()
  await salma.getByRole('heading', { name: /Vous avez payé/ }).waitFor()
  await salma.getByText('Le reçu est signé par le service.').waitFor()
  await salma.goto('about:blank')
  await salma.goto(asks(1_000, 'Olives', 'salma'))
  await knows(false)
  await salma.getByRole('button', { name: /Payer/ }).click()
  await salma.getByRole('alert').filter({ hasText: /n’a pas confirmé/ }).waitFor()
  assert.deepEqual(wallets(server), { karim: '868.00', nadia: '152.00', salma: '30.00' })
  await knows(true)
  await salma.getByRole('button', { name: 'Continuer' }).click()
  await salma.getByRole('heading', { name: /Vous avez payé/ }).waitFor()
  assert.equal(await salma.getByLabel('Code PIN').count(), 0)
  await well(salma, 'passkey')
  assert.deepEqual(wallets(server), { karim: '868.00', nadia: '162.00', salma: '20.00' })
  assert.deepEqual(salma.errors, [])
})

test('Arabic, dark, and a link that is not good', async () => {
  const other = await phone('ar', { colorScheme: 'dark' })
  await other.goto(asks(100, 'Bread'))
  await other.locator('.sum').waitFor()
  assert.equal(await other.evaluate(() => document.documentElement.dir), 'rtl')
  await well(other, 'arabic')
  await other.getByRole('button').nth(1).click()
  await other.getByRole('heading', { name: 'رُفض. لم يؤخذ شيء.' }).waitFor()
  await other.goto('about:blank')
  await other.goto(server.origin + '/payment/#bm9ib2R5.wallet.zzzzzz.AAAA')
  await other.getByRole('heading', { name: 'لم يعد هذا الرابط صالحا' }).waitFor()
  await well(other, 'void')
})
