// What there is to weigh before one confirms, with Karim, whom somebody wants to deceive: whom he never paid, more than ever, and a payee whose address looks like another's, in the client and on the page
// behind links; and a large payment, which is not made without the PIN anew, or the finger.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { faults, well } from './axe.mjs'
import { closed, confirm, done, finger, go, pin, types, wallets, withoutPasskeys } from './paying.mjs'
import { browser, patience, Person, until } from './person.mjs'
import { freePort, Server } from './server.mjs'

const password = 'Rien ne se perd'
const [nadia, double] = ['nadia@localhost', 'nad1a@localhost']
let server, chromium, port, karim, yasmine

/** From 300.00 on, the PIN anew. */
before(async () => {
  port = await freePort()
  server = await Server.make({ more: { listen: [`127.0.0.1:${port}`], rest: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\nstep_up = 30000\n' } })
  server.give('MAD', { 'karim@localhost': 200_000, 'yasmine@localhost': 50_000 })
  await server.start()
  for (const name of ['karim', 'nadia', 'nad1a']) execFileSync(process.env.PALABRE, ['account', 'add', '-config', server.config, name], { input: password + '\n', cwd: server.folder })
  chromium = await browser()
  karim = await Person.make(chromium, 'karim', { lang: 'en', size: [320, 640] })
  yasmine = await Person.make(chromium, 'yasmine', { lang: 'fr', size: [1280, 800] })
  await withoutPasskeys(karim)
  await karim.context.addInitScript(fallsSilent)
  await Promise.all([karim.signIn(server.origin, 'karim@localhost', password).then(() => karim.button('ob.later').click()), yasmine.join(server.invite())])
  await karim.page.locator('.row, .empty').first().waitFor()
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

/** Once a page is `losing`, it says nothing more from the moment in which it would hand in a payment. */
function fallsSilent() {
  globalThis.WebSocket = class extends WebSocket {
    send(data) {
      if (globalThis.losing && String(data).includes("<pay xmlns='urn:palabre:pay:0'")) globalThis.lost = true
      if (!globalThis.lost) super.send(data)
    }
  }
}

const sheetOf = (who) => who.page.locator('.sheet')

/** Fills in a payment, and goes on to the sheet that asks to confirm it. */
async function pays(who, payee, amount, what) {
  await go(who, `/pay/to/${encodeURIComponent(payee)}`)
  await types(who, amount, what)
}

/** What the open sheet warns of once it can be confirmed; with `says`, all of its words. */
async function warned(who, { says = false } = {}) {
  const sheet = sheetOf(who)
  await sheet.locator('input').or(sheet.locator('.btn.p svg')).first().waitFor()
  const alerts = sheet.getByRole('alert')
  return (says ? alerts : alerts.locator('b')).allTextContents()
}

test('whom one never paid is said before the first payment, and not again', async () => {
  await pays(karim, nadia, '100', 'Couscous')
  assert.deepEqual(await warned(karim), [karim.t('pc.warn-new-payee')])
  await well(karim, 'first-time')
  await confirm(karim)
  await done(karim, 'Couscous').waitFor()
  for (const what of ['Bread', 'Olives']) {
    await pays(karim, nadia, '100', what)
    assert.deepEqual(await warned(karim), [])
    await confirm(karim)
    await done(karim, what).waitFor()
  }
})

test('far more than ever is said, and so much is not paid without the PIN', async () => {
  await go(karim, '/pay/limits')
  await karim.page.getByText(karim.t('pm.stepup', { amount: '300.00\u00a0MAD' })).waitFor()
  await pays(karim, nadia, '301', 'A sheep')
  const [said] = await warned(karim, { says: true })
  assert.ok(said.includes(karim.t('pc.warn-unusual')) && said.includes(karim.t('pc.warnText-unusual')), said)
  await well(karim, 'unusual')
  const typed = sheetOf(karim).getByLabel(karim.t('pc.pin'), { exact: true })
  assert.equal(await typed.inputValue(), '', 'nothing is filled in')
  assert.ok(await sheetOf(karim).locator('.btn.p').isDisabled(), 'nothing is paid without the PIN')
  await typed.fill('271828')
  await sheetOf(karim).locator('.btn.p').click()
  await sheetOf(karim).getByText(karim.t('pc.wrongPin', { n: 4 })).waitFor()
  assert.equal(wallets(server).nadia, '300.00')
  await confirm(karim)
  await done(karim, 'A sheep').waitFor()
  assert.equal(wallets(server).nadia, '601.00')
})

test('a payee who looks like another one is told apart before one confirms', async () => {
  await pays(karim, double, '20', 'Couscous')
  assert.deepEqual(await warned(karim), [karim.t('pc.warn-new-payee'), karim.t('pc.warn-look-alike')])
  assert.ok((await warned(karim, { says: true }))[1].includes(karim.t('pc.warnLike', { name: nadia })))
  await sheetOf(karim).getByText(double).waitFor()
  await well(karim, 'look-alike')
  await sheetOf(karim).getByRole('button', { name: karim.t('cancel'), exact: true }).click()
  await closed(karim)
})

/** Karim is asked by somebody, and opens the link that his other app shows; gives what the page warns of. */
async function opensLink(payee, amount, what) {
  const body = execFileSync(process.env.ASKS, ['-server', `127.0.0.1:${port}`, '-ca', join(server.data, 'certificates/own/ca.crt'), '-password', password, payee, karim.jid, String(amount), 'MAD', what]).toString()
  const context = await chromium.newContext({ ignoreHTTPSErrors: true, viewport: { width: 320, height: 640 }, locale: 'en-GB' })
  const page = await context.newPage()
  page.setDefaultTimeout(patience)
  await page.goto(/https:\S+/.exec(body)[0])
  await page.getByRole('button', { name: /Pay/ }).waitFor()
  const warnings = await page.locator('.warn').allTextContents()
  assert.deepEqual(await faults(page), [], what)
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `weigh-${what}.png`) })
  await context.close()
  return warnings.map((text) => text.replace(/[\u2068\u2069]/g, ''))
}

test('the page behind a link says the same, beside what is to be paid', async () => {
  assert.deepEqual(await opensLink(nadia, 10_000, 'Dates'), [])
  assert.deepEqual(await opensLink(nadia, 90_600, 'Camel'), ['This is far more than you usually pay.'])
  const [first, like, ...more] = await opensLink(double, 2_000, 'Figs')
  assert.deepEqual([first, more], ['You have never paid them before.', []])
  assert.match(like, /nadia@localhost/)
})

test('what arrives too long after the PIN is refused, nothing is taken, and it is paid once the PIN was given anew', async () => {
  await pays(karim, nadia, '310', 'Another sheep')
  await karim.page.evaluate(() => { globalThis.losing = true })
  const sheet = sheetOf(karim)
  await sheet.getByLabel(karim.t('pc.pin'), { exact: true }).fill(pin)
  await sheet.locator('.btn.p').click()
  await karim.page.locator('.pay-card[data-pay=sent]', { hasText: 'Another sheep' }).waitFor()
  await server.stop()
  execFileSync('sqlite3', [join(server.data, 'palabre.db'), 'update pay_key set unlocked = 1'])
  await karim.page.evaluate(() => { globalThis.losing = globalThis.lost = false })
  await server.start()
  const refused = karim.page.locator('.pay-card[data-pay=refused]', { hasText: 'Another sheep' })
  await refused.getByText(karim.t('pc.why-step-up')).waitFor({ timeout: 90_000 })
  await well(karim, 'step-up')
  assert.equal(wallets(server).nadia, '601.00')
  await refused.locator('a').click()
  await karim.button('pm.again').click()
  await confirm(karim)
  await karim.page.locator('.paying .checked').waitFor()
  await well(karim, 'stepped-up')
  assert.equal(wallets(server).nadia, '911.00')
})

test('so much is not paid by another finger either', async () => {
  const knows = await finger(yasmine.page) // until axe looks, which takes the sensor away
  await pays(yasmine, nadia, '310', 'Tapis')
  await sheetOf(yasmine).getByRole('button', { name: yasmine.t('pc.makeKeyDo') }).click()
  await sheetOf(yasmine).locator('.btn.p svg').waitFor()
  assert.deepEqual(await warned(yasmine), [yasmine.t('pc.warn-new-payee')])
  await knows(false)
  await sheetOf(yasmine).locator('.btn.p').click()
  await sheetOf(yasmine).getByText(yasmine.t('pc.why-passkey')).waitFor()
  assert.equal(wallets(server).nadia, '911.00')
  await knows(true)
  await sheetOf(yasmine).locator('.btn.p').click()
  await done(yasmine, 'Tapis').waitFor()
  await until('it is there', () => wallets(server).nadia === '1221.00')
})

test('nothing was complained about', () => { for (const who of [karim, yasmine]) who.clean() })
