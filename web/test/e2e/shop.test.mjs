// A fishmonger and a customer: a code on the counter, paid once, the same receipt on both phones; a promise without network that is handed in; money given back; the end of the day.
// Codes are read as the scanner gives them: what the camera sees is put into the field that stands beside it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const pin = '428519'
const offlinePin = '731904'
let server, bad, chromium, atlas, karim, first, bill

/** Atlas stands at a desk; Karim's phone goes through a network that fails. */
before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  server = await Server.make({ port, more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\noffline = 20000\n' })
  server.give('MAD', { 'karim@localhost': 50_000, 'atlas@localhost': 1_000 })
  await server.start()
  chromium = await browser()
  atlas = await Person.make(chromium, 'atlas', { lang: 'en', size: [1100, 900] })
  karim = await Person.make(chromium, 'karim', { lang: 'fr' })
  for (const who of [atlas, karim]) await who.context.addInitScript(() => { delete globalThis.PublicKeyCredential }) // a device without passkeys: a PIN
  karim.allowed.push(/Content Security Policy/) // his page does not come from the address that the server tells
  await atlas.join(server.invite(), { display: 'Poissonnerie Atlas' })
  await karim.join(server.invite().replace(`:${port}/`, `:${bad.port}/`))
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

const go = (who, path) => who.page.goto(`${who.origin}${path}`)

/** Confirms what the sheet asks, making a key with the first payment. */
async function confirm(who) {
  const sheet = who.page.locator('.sheet')
  const fresh = sheet.getByLabel(who.t('pc.pinNew'), { exact: true })
  const known = sheet.getByLabel(who.t('pc.pin'), { exact: true })
  await fresh.or(known).first().waitFor()
  if (await fresh.count()) {
    await fresh.fill(pin)
    await sheet.getByLabel(who.t('pc.pinAgain'), { exact: true }).fill(pin)
    await well(who, 'pay-key')
    await sheet.getByRole('button', { name: who.t('pc.makeKeyDo') }).click()
  }
  await known.fill(pin)
  await sheet.locator('.btn.p').click()
}

/** The code that a page shows. */
async function codeOn(who) {
  const shown = who.page.locator('[data-code]')
  await shown.locator('.qr svg').waitFor()
  return shown.getAttribute('data-code')
}

/** Gives a code to the page that scans. */
async function scans(who, code) {
  await go(who, '/pay/scan')
  await who.page.getByLabel(who.t('pm.pasteCode'), { exact: true }).fill(code)
  await who.button('pm.read').click()
}

test('the counter works with the keyboard, the customer scans and pays, both see the same receipt', async () => {
  await go(atlas, '/pay/counter')
  await atlas.page.locator('.till .unit', { hasText: 'MAD' }).waitFor()
  await atlas.page.locator('#till').focus()
  await atlas.page.keyboard.type('125')
  await well(atlas, 'counter')
  await atlas.page.keyboard.press('Enter')
  const code = bill = await codeOn(atlas)
  assert.match(code, /5406125\.00/)
  await well(atlas, 'counter-code')
  await scans(karim, code)
  await karim.page.locator('.paying .sum', { hasText: '125' }).waitFor()
  await well(karim, 'scanned')
  await karim.page.locator('.paying .btn.p').click()
  await confirm(karim)
  await atlas.page.locator('.sale.paid', { hasText: '125' }).waitFor()
  await well(atlas, 'counter-paid')
  await karim.page.locator('.paying .checked').waitFor()
  await well(karim, 'receipt')
  await atlas.page.locator('.sale.paid').getByRole('button', { name: atlas.t('pm.receipt') }).click()
  await atlas.page.locator('.paying .checked').waitFor()
  const id = (who) => who.page.locator('.facts code').textContent()
  first = await id(karim)
  assert.equal(await id(atlas), first)
  assert.ok(code.includes(first), 'the payment has the id of the code')
})

test('the same code is not paid twice', async () => {
  await scans(karim, bill)
  await karim.page.locator('.paying .btn.p').click()
  await confirm(karim)
  await karim.page.locator('.facts').or(karim.page.locator('.sheet .wrong')).first().waitFor()
  await go(atlas, '/pay/history')
  await atlas.page.locator('.pays > li').first().waitFor()
  assert.equal(await atlas.page.locator('.pays > li').count(), 1)
  await well(atlas, 'history')
})

test('a forged code is refused in words', async () => {
  await go(atlas, '/pay/code')
  const code = await codeOn(atlas)
  await well(atlas, 'code')
  await scans(karim, code.replace('atlas@', 'atlat@'))
  await karim.page.getByText(karim.t('pm.codeChecksum')).waitFor()
  await scans(karim, code.slice(0, 40))
  await karim.page.getByText(karim.t('pm.codeBroken')).waitFor()
  await well(karim, 'code-wrong')
})

test('without network a promise is made and kept, and both say that nothing is paid', async () => {
  await go(karim, '/pay/offline')
  await karim.page.locator('.amount input').fill('200')
  await karim.page.getByLabel(karim.t('pm.pinNew'), { exact: true }).fill(offlinePin)
  await karim.page.getByLabel(karim.t('pm.pinAgain'), { exact: true }).fill(offlinePin)
  await well(karim, 'offline-setup')
  await karim.button('pm.offlineSet').click()
  await confirm(karim)
  await karim.page.locator('.pocket .amount input').fill('80')
  await karim.button('pm.reserve').click()
  await confirm(karim)
  await karim.page.locator('.pocket .sum', { hasText: '80' }).waitFor()
  await well(karim, 'pocket')
  await bad.tell('down')
  await bad.tell('reset')
  const give = karim.page.locator('form.card')
  await give.getByLabel(karim.t('pm.toWhom'), { exact: true }).fill(atlas.jid)
  await give.locator('.amount input').fill('30')
  await give.getByLabel(karim.t('pm.pinOffline'), { exact: true }).fill(offlinePin)
  await give.locator('.btn.p').click()
  const code = await codeOn(karim)
  await karim.page.getByText(karim.t('pm.promisedNot')).first().waitFor()
  await well(karim, 'promise')
  await scans(atlas, code)
  await atlas.page.locator('.paying.promised', { hasText: '30' }).waitFor()
  await atlas.page.getByText(atlas.t('pm.promisedShop')).waitFor()
  await well(atlas, 'promise-scanned')
  await atlas.button('pm.promiseKeep').click()
  await atlas.page.getByText(atlas.t('pm.promiseKept')).waitFor()
  await atlas.button('pm.receipt').click()
  await atlas.page.locator('.paying .checked').waitFor() // the merchant has a network: it was handed in at once
  await bad.tell('up')
  await karim.page.locator('.paying', { hasText: karim.t('pm.paid') }).waitFor({ timeout: 60_000 })
  await well(karim, 'promise-done')
})

test('money is given back from the receipt, and the day adds up', async () => {
  await go(atlas, `/pay/receipt/${first}`)
  await atlas.button('pm.refund').click()
  await atlas.page.locator('.dialog input').fill('25')
  await atlas.button('pm.next').click()
  await confirm(atlas)
  await atlas.page.locator('.sheet').waitFor({ state: 'detached' })
  await until('it is given back', async () => {
    await go(atlas, `/pay/receipt/${first}`)
    return atlas.page.locator('.facts', { hasText: atlas.t('pm.givenBack') }).waitFor({ timeout: 5000 }).then(() => true, () => false)
  })
  await go(atlas, '/pay/report')
  const sums = atlas.page.locator('.sums')
  await sums.waitFor()
  const said = (await sums.textContent()).replace(/\s/g, ' ')
  assert.match(said, /155\.00 MAD/)
  assert.match(said, /25\.00 MAD/)
  assert.match(said, /130\.00 MAD/)
  await well(atlas, 'report')
  const [file] = await Promise.all([atlas.page.waitForEvent('download'), atlas.button('pm.csv').click()])
  assert.match(file.suggestedFilename(), /\.csv$/)
})

test('a dispute is opened with words, and withdrawn', async () => {
  await go(karim, `/pay/dispute/new?of=${first}`)
  await karim.page.getByLabel(karim.t('pm.disputeText'), { exact: true }).fill('Il manquait une dorade.')
  await well(karim, 'dispute-new')
  await karim.button('pm.disputeDo').click()
  await karim.page.getByText('Il manquait une dorade.').waitFor()
  await karim.page.getByLabel(karim.t('pm.evidenceText'), { exact: true }).fill('Voici le ticket.')
  await karim.button('pm.evidenceAdd').click()
  await karim.page.locator('.said', { hasText: 'Voici le ticket.' }).waitFor()
  await well(karim, 'dispute')
  await go(atlas, '/pay/disputes')
  await atlas.page.locator('.page .card .act').waitFor()
  await well(atlas, 'disputes')
  await karim.button('pm.withdraw').click()
  await karim.page.locator('.dialog .btn.d').click()
  await karim.page.getByText(karim.t('pm.d-withdrawn')).waitFor()
})

test('limits are shown and lowered', async () => {
  await go(karim, '/pay/limits')
  await karim.page.locator('.top h1').waitFor()
  await well(karim, 'limits')
})

test('nothing was complained about', () => { for (const who of [atlas, karim]) who.clean() })
