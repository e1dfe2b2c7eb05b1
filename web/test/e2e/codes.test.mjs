// Codes as cameras see them, between two phones: a customer shows who they are, is asked, and pays; and a promise without network on both sides, which is kept over a new start, and paid once when both are
// back. Each phone is given a picture of what the other one shows.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { card, confirm, done, go, request, wallets, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const offlinePin = '731904'
let server, bad, chromium, atlas, karim

/** Both phones come through a network that can fail. */
before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  server = await Server.make({ port, open: bad.port, more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\noffline = 20000\n' })
  server.give('MAD', { 'karim@localhost': 50_000, 'atlas@localhost': 1_000 })
  await server.start()
  chromium = await browser()
  atlas = await Person.make(chromium, 'atlas', { lang: 'en', size: [1100, 900], deviceScaleFactor: 2 })
  karim = await Person.make(chromium, 'karim', { lang: 'fr', deviceScaleFactor: 2 })
  for (const who of [atlas, karim]) {
    await withoutPasskeys(who)
    await who.context.addInitScript(hears)
  }
  await Promise.all([atlas.join(server.invite(), { display: 'Poissonnerie Atlas' }), karim.join(server.invite())])
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

/** Counts the sounds of a page. */
function hears() {
  globalThis.sounds = 0
  globalThis.AudioContext = class extends AudioContext {
    constructor() { super(); globalThis.sounds++ }
  }
}

const sounds = (who) => who.page.evaluate(() => globalThis.sounds)

/** A picture of the code that a page shows, with some of what is around it. */
async function pictureOf(who) {
  await who.page.locator('.qr svg').waitFor()
  return who.page.locator('.qr').screenshot()
}

/** Opens the camera by a button, and has it look at a picture. */
async function looksAt(who, button, picture) {
  await who.button(button).click()
  await who.page.locator('.scan input[type=file]').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: picture })
  await who.page.locator('.scan').waitFor({ state: 'detached' })
}

/** Types an amount at the counter and what it is for, and has it show the code. */
async function sells(amount, what) {
  await atlas.page.locator('#till').fill(amount)
  await atlas.page.getByLabel(atlas.t('pm.for'), { exact: true }).fill(what)
  await atlas.button('pm.showCode').click()
}

test('a customer shows who they are, the shop asks, and the customer pays', async () => {
  await go(karim, '/pay/code')
  await karim.page.getByRole('radio', { name: karim.t('pm.codeShown'), exact: true }).check({ force: true })
  await karim.page.locator('.code').getByText(karim.t('pm.codeShownText')).waitFor()
  await well(karim, 'shown')
  const shown = await pictureOf(karim)
  await go(atlas, '/pay/scan')
  await looksAt(atlas, 'pm.scanCamera', shown)
  await atlas.page.getByText(karim.jid, { exact: true }).first().waitFor()
  assert.equal(new URL(atlas.page.url()).pathname, `/pay/request/${encodeURIComponent(karim.jid)}`)
  await well(atlas, 'asks')
  await atlas.page.locator('.amount.big input').fill('45')
  await atlas.page.getByLabel(atlas.t('pm.for'), { exact: true }).fill('Dorade')
  await atlas.page.locator('form.page .btn.p').click()
  await request(atlas, 'Dorade').waitFor()
  assert.deepEqual(wallets(server), { atlas: '10.00', karim: '500.00' }) // what was shown allows nothing
  await go(karim, '/')
  await karim.page.locator('.row', { hasText: 'Dorade' }).or(karim.page.locator('a[href="/requests"]')).first().waitFor()
  await go(karim, `/chat/${encodeURIComponent(atlas.jid)}`)
  await request(karim, 'Dorade').locator('.btn.p').click()
  await confirm(karim)
  await done(karim, 'Dorade').waitFor()
  await done(atlas, 'Dorade').waitFor()
  await request(atlas, 'Dorade').locator('.pill.ok').waitFor()
  assert.deepEqual(wallets(server), { atlas: '55.00', karim: '455.00' })
})

/** All that payments need without network is on a device. */
const keepsAll = (who) => until(`${who.name} has kept the pages`, () => who.page.evaluate(async (language) => {
  const { paying } = await (await fetch('/files.json')).json()
  const files = [...paying.files, ...paying.locales[language]]
  return (await Promise.all(files.map((file) => caches.match(`/${file}`)))).every(Boolean)
}, who.lang))

/** Karim promises what the shop's code asks for; gives the picture of the promise. */
async function promises(code) {
  await looksAt(karim, 'pm.scanCamera', code)
  const give = karim.page.locator('form.card')
  await until('the code has filled it in', async () => await give.getByLabel(karim.t('pm.toWhom'), { exact: true }).inputValue() === atlas.jid)
  await give.getByLabel(karim.t('pm.pinOffline'), { exact: true }).fill('٧٣١٩٠٤') // the same, with another keyboard
  await give.locator('.btn.p').click()
  await karim.page.getByText(karim.t('pm.promisedNot')).first().waitFor()
  return pictureOf(karim)
}

async function networkGoes() {
  await bad.tell('down')
  await bad.tell('reset')
  await atlas.page.getByText(atlas.t('pm.counterOffline')).waitFor({ timeout: 60_000 })
}

test('a promise is taken while both are without network, and each keeps it over a new start', async () => {
  await go(karim, '/pay/offline')
  await karim.page.locator('.amount input').fill('200')
  await karim.page.getByLabel(karim.t('pm.pinNew'), { exact: true }).fill(offlinePin)
  await karim.page.getByLabel(karim.t('pc.pinAgain'), { exact: true }).fill(offlinePin)
  await karim.button('pm.offlineSet').click()
  await confirm(karim)
  await karim.page.locator('.pocket .amount input').fill('80')
  await karim.button('pm.reserve').click()
  await confirm(karim)
  await karim.page.locator('.pocket .sum', { hasText: '80' }).waitFor()
  await go(atlas, '/pay/counter')
  await atlas.page.locator('.till .unit', { hasText: 'MAD' }).waitFor()
  for (const who of [atlas, karim]) await keepsAll(who)
  await networkGoes()
  await sells('30', 'Bream')
  const promise = await promises(await pictureOf(atlas))
  await looksAt(atlas, 'pm.scanPromise', promise)
  await atlas.page.locator('.sale.promised', { hasText: '30' }).waitFor()
  await well(atlas, 'promised')
  assert.equal(await sounds(atlas), 0)
  for (const who of [atlas, karim]) {
    await who.page.reload()
    await go(who, '/pay')
    await who.page.locator('section', { hasText: who.t('pay.pending') }).locator('b.num', { hasText: '30' }).waitFor()
    await well(who, 'pending')
  }
})

test('when both are back it is paid once, and both say that it is done', async () => {
  for (const who of [atlas, karim]) {
    await who.page.locator('section', { hasText: who.t('pay.pending') }).locator('a').click()
    await who.page.locator('.paying .pill.wait').waitFor()
  }
  await bad.tell('up')
  for (const who of [atlas, karim]) {
    await who.page.locator('.paying .pill.ok').waitFor({ timeout: 90_000 })
    await who.page.locator('.paying .checked').waitFor()
    await well(who, 'redeemed')
  }
  for (const [who, other] of [[atlas, karim], [karim, atlas]]) {
    await go(who, `/chat/${encodeURIComponent(other.jid)}`)
    await done(who, 'Bream').waitFor()
    assert.equal(await card(who, 'Bream').count(), 1)
    await go(who, '/pay')
    await who.page.locator('.pays > li').first().waitFor()
    assert.equal(await who.page.getByText(who.t('pay.pending'), { exact: true }).count(), 0)
  }
  assert.deepEqual(wallets(server), { atlas: '85.00', karim: '375.00' })
})

test('at the counter it sounds once, when the money is there', async () => {
  await go(atlas, '/pay/counter')
  await atlas.page.locator('.till .unit', { hasText: 'MAD' }).waitFor()
  await go(karim, '/pay/offline')
  await karim.page.locator('.pocket .sum', { hasText: '50' }).waitFor()
  await networkGoes()
  await sells('20', 'Squid')
  await looksAt(atlas, 'pm.scanPromise', await promises(await pictureOf(atlas)))
  await atlas.page.locator('.sale.promised', { hasText: '20' }).waitFor()
  assert.equal(await sounds(atlas), 0)
  await bad.tell('up')
  await atlas.page.locator('.sale.paid', { hasText: '20' }).waitFor({ timeout: 90_000 })
  await karim.page.locator('.paying', { hasText: karim.t('pm.paid') }).waitFor({ timeout: 90_000 })
  await well(atlas, 'counter-redeemed')
  assert.equal(await sounds(atlas), 1)
  assert.deepEqual(wallets(server), { atlas: '105.00', karim: '375.00' })
})

test('nothing was complained about', () => { for (const who of [atlas, karim]) who.clean() })
