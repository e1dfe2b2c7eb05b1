// A fishmonger and a customer: a code on the counter, paid once, the same receipt on both phones; a promise without network that is handed in; money given back; the end of the day;
// disputes, of which the town hall decides one; limits of one's own; promises that are taken back.
// Codes are read as the scanner gives them: what the camera sees is put into the field that stands beside it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { well } from './axe.mjs'
import { confirm, done, go, types, wallets, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const offlinePin = '731904'
let server, bad, chromium, atlas, karim, hall, first, bill

/** Atlas stands at a desk; Karim's phone goes through a network that fails; the town hall administers the server. */
before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  server = await Server.make({ port, more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\noffline = 20000\n' })
  server.give('MAD', { 'karim@localhost': 50_000, 'atlas@localhost': 1_000 })
  await server.start()
  chromium = await browser()
  atlas = await Person.make(chromium, 'atlas', { lang: 'en', size: [1100, 900] })
  karim = await Person.make(chromium, 'karim', { lang: 'fr' })
  for (const who of [atlas, karim]) await withoutPasskeys(who)
  karim.allowed.push(/Content Security Policy/) // his page does not come from the address that the server tells
  hall = await Person.make(chromium, 'mairie', { lang: 'pt-BR', size: [1280, 800] })
  await Promise.all([atlas.join(server.invite(), { display: 'Poissonnerie Atlas' }), karim.join(server.invite().replace(`:${port}/`, `:${bad.port}/`)), hall.join(server.invite('-admin'))])
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

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

/** Pays what was scanned, once the page knows that there is a connection: before that it offers a promise. */
const paysIt = (who, amount) => who.page.locator('.paying .btn.p', { hasText: amount }).click()

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
  await paysIt(karim, '125')
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
  await paysIt(karim, '125')
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
  await karim.page.getByLabel(karim.t('pc.pinAgain'), { exact: true }).fill(offlinePin)
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
  await scans(atlas, code) // shown once more
  await atlas.button('pm.promiseKeep').click()
  await atlas.page.getByRole('alert').filter({ hasText: atlas.t('pm.promiseUsed') }).filter({ hasText: '30.00 MAD' }).waitFor()
  await well(atlas, 'promise-used')
  await atlas.button('pm.receipt').click()
  await atlas.page.locator('.paying .checked').waitFor()
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
    return atlas.page.locator('.facts', { hasText: atlas.t('pm.givenBack') }).waitFor({ timeout: 15_000 }).then(() => true, () => false)
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

const place = 'GPSLatitude=31.512'

/** A PNG with words about where it was taken in it, as cameras write them. */
function withPlace(png) {
  const chunk = Buffer.from(`tEXtComment\0${place}`)
  const framed = Buffer.alloc(chunk.length + 8)
  framed.writeUInt32BE(chunk.length - 4)
  chunk.copy(framed, 4)
  framed.writeUInt32BE(crc32(chunk), chunk.length + 4)
  return Buffer.concat([png.subarray(0, 33), framed, png.subarray(33)])
}

test('the operator upholds a dispute, both read why, and it ends when the money is given back', async () => {
  await go(karim, `/pay/dispute/new?of=${first}`)
  await karim.page.getByLabel(karim.t('pm.disputeText'), { exact: true }).fill('Toujours sans dorade.')
  await karim.button('pm.disputeDo').click()
  await karim.page.getByText('Toujours sans dorade.').waitFor()
  await go(atlas, '/pay/disputes')
  await atlas.page.locator('.page .card .act', { hasText: atlas.t('pm.d-open') }).click()
  await atlas.page.getByText('Toujours sans dorade.').waitFor()
  await atlas.page.getByLabel(atlas.t('pm.evidenceText'), { exact: true }).fill('It was on the scales.')
  await atlas.button('pm.evidenceAdd').click()
  await karim.page.locator('.said', { hasText: 'It was on the scales.' }).waitFor()
  await atlas.page.getByText(atlas.t('sh.who')).waitFor() // before the file leaves
  await atlas.page.locator('#evidence-file').setInputFiles({ name: 'ticket.png', mimeType: 'image/png', buffer: withPlace(await atlas.picture()) })
  await well(atlas, 'evidence-add')
  await atlas.button('pm.evidenceAdd').click()
  const elsewhere = karim.page.locator('.evidence', { hasText: 'ticket.webp' }) // his page comes through another address: nothing is fetched from where the file lies
  await elsewhere.getByText(karim.t('sh.elsewhere')).waitFor()
  assert.match(await elsewhere.locator('code').textContent(), /^aesgcm:\/\/localhost:\d+\/.*#[\da-f]{88}$/)
  assert.equal(await elsewhere.locator('button').count(), 0)
  await go(hall, '/admin/money')
  const found = hall.page.getByRole('article', { name: karim.jid })
  await found.getByText('Toujours sans dorade.').waitFor()
  await found.getByText(hall.t('pm.w-not-received')).waitFor()
  await found.locator('.pill', { hasText: hall.t('pm.d-open') }).waitFor()
  for (const who of [atlas, hall]) {
    await who.page.locator('.evidence button', { hasText: 'ticket.webp' }).click()
    const seen = who.page.locator('.evidence-picture img')
    await seen.waitFor()
    await until('the picture is there', () => seen.evaluate((img) => img.naturalWidth === 800))
    await well(who, 'evidence')
    const [saved] = await Promise.all([who.page.waitForEvent('download'), who.button('sh.save').click()])
    const bytes = readFileSync(await saved.path())
    assert.ok(bytes.length > 1000 && !bytes.includes(place), 'what the camera wrote into it did not leave')
    await who.page.keyboard.press('Escape')
    await who.page.locator('.evidence .good').waitFor()
  }
  await well(hall, 'cases')
  await found.getByRole('button', { name: hall.t('adm.uphold') }).click()
  await hall.page.getByRole('dialog').getByLabel(hall.t('adm.why')).fill('The scales show one bream less')
  await hall.page.getByRole('dialog').getByRole('button', { name: hall.t('adm.uphold') }).click()
  await found.locator('.pill', { hasText: hall.t('pm.d-upheld') }).waitFor() // it stays: atlas still owes it
  await found.getByText('The scales show one bream less').waitFor()
  assert.equal(await found.getByRole('button', { name: hall.t('adm.uphold') }).count(), 0)
  await well(hall, 'case-upheld')
  for (const who of [karim, atlas]) {
    await who.page.locator('.pill', { hasText: who.t('pm.d-upheld') }).waitFor()
    await who.page.getByText('The scales show one bream less').waitFor()
    assert.equal(await who.page.getByLabel(who.t('pm.evidenceText'), { exact: true }).count(), 0)
    await well(who, 'dispute-upheld')
  }
  await atlas.button('pm.refund').click()
  await atlas.page.locator('.facts').waitFor()
  await atlas.button('pm.refund').click()
  await atlas.page.locator('.dialog').getByRole('button', { name: atlas.t('pm.next') }).click()
  await confirm(atlas)
  await karim.page.locator('.pill', { hasText: karim.t('pm.d-refunded') }).waitFor()
  await well(karim, 'dispute-refunded')
  await go(hall, '/admin/money')
  await hall.page.getByText(hall.t('adm.noCases')).waitFor()
  await hall.page.getByRole('group', { name: hall.t('adm.cases') }).getByLabel(hall.t('adm.ended')).check()
  const over = hall.page.getByRole('article', { name: karim.jid }).filter({ hasText: 'Toujours sans dorade.' })
  await over.locator('.pill', { hasText: hall.t('pm.d-refunded') }).waitFor()
  await over.getByText(hall.t('adm.givenBack', { amount: '100,00 MAD' })).waitFor()
  await well(hall, 'cases-ended')
  await go(atlas, '/pay/disputes')
  await atlas.page.locator('.page .card .act', { hasText: atlas.t('pm.d-refunded') }).waitFor()
  await until('the receipt says that all was given back', async () => {
    await go(atlas, `/pay/receipt/${first}`)
    return atlas.page.locator('.facts', { hasText: '125.00' }).waitFor({ timeout: 15_000 }).then(() => true, () => false)
  })
  assert.deepEqual(wallets(server), { atlas: '40.00', karim: '420.00' })
})

test('a limit of one’s own is kept, holds at the service too, and is taken away again', async () => {
  await go(karim, '/pay/limits')
  const once = karim.page.getByLabel(`${karim.t('pm.perPayment')} (MAD)`, { exact: true })
  await once.fill('50')
  await well(karim, 'limits')
  await karim.button('pm.keep').click()
  await Promise.all([karim.page.locator('.toast', { hasText: karim.t('pm.limitsKept') }).waitFor(), confirm(karim)]) // it is said for a moment only
  await go(karim, `/pay/to/${encodeURIComponent(atlas.jid)}`)
  await karim.page.locator('.amount.big input').fill('51')
  await karim.page.locator('.wrong', { hasText: /50,00/ }).waitFor()
  assert.ok(await karim.button('pay.next').isDisabled())
  await go(atlas, '/pay/counter')
  await atlas.page.locator('.till .unit', { hasText: 'MAD' }).waitFor() // before, Enter asks for an amount of nothing
  await atlas.page.locator('#till').focus()
  await atlas.page.keyboard.type('60')
  await atlas.page.keyboard.press('Enter')
  const code = await codeOn(atlas)
  await scans(karim, code)
  await paysIt(karim, '60')
  await confirm(karim)
  await karim.page.getByText(karim.t('pm.nothingTaken')).waitFor()
  await well(karim, 'limit-refused')
  assert.equal(await atlas.page.locator('.sale.paid').count(), 0)
  await go(karim, '/pay/limits')
  await until('the limit is shown', async () => await once.inputValue() === '50')
  await once.fill('')
  await karim.button('pm.keep').click()
  await Promise.all([karim.page.locator('.toast', { hasText: karim.t('pm.limitsKept') }).waitFor(), confirm(karim)]) // it is said for a moment only
  await go(karim, `/pay/to/${encodeURIComponent(atlas.jid)}`)
  await types(karim, '60', 'Encore du poisson')
  await confirm(karim)
  await done(karim, 'Encore du poisson').waitFor()
  assert.deepEqual(wallets(server), { atlas: '100.00', karim: '360.00' })
})

/** What the shop asks for on top of an amount: chosen at the counter, for all its codes. */
async function asksFor(how, percent) {
  await go(atlas, '/pay/counter')
  await atlas.page.locator('.till .unit', { hasText: 'MAD' }).waitFor()
  await atlas.page.getByLabel(atlas.t('pm.tips'), { exact: true }).selectOption(how)
  if (percent) await atlas.page.getByLabel(atlas.t('pm.tipsHow'), { exact: true }).fill(percent)
}

/** The code of the counter for an amount. */
async function sells(amount) {
  await atlas.page.locator('#till').fill(amount)
  await atlas.button('pm.showCode').click()
  return codeOn(atlas)
}

test('a code that asks for a tip gets one, and a fee of the code is shown before it is paid', async () => {
  await asksFor('percent', '100')
  await atlas.page.getByText(atlas.t('pm.tipsWrong')).waitFor()
  await atlas.page.locator('#till').fill('40')
  assert.ok(await atlas.button('pm.showCode').isDisabled())
  await asksFor('percent', '5')
  await well(atlas, 'counter-percent')
  assert.match(await sells('40'), /540540\.0055020357015/)
  await atlas.page.locator('.sale .sum', { hasText: '42' }).waitFor()
  await well(atlas, 'counter-fee')
  await go(atlas, '/pay/code')
  await scans(karim, await codeOn(atlas))
  await karim.page.locator('.paying .amount input').fill('40')
  await karim.page.locator('.sums.parts', { hasText: '42,00' }).waitFor() // five in a hundred
  await karim.page.locator('.paying h2', { hasText: 'Poissonnerie Atlas' }).waitFor()
  await asksFor('ask')
  await well(atlas, 'counter-tip')
  await go(atlas, '/pay/code')
  await scans(karim, await codeOn(atlas))
  await karim.page.locator('.paying .amount input').fill('40')
  await karim.page.locator('.tips .chip', { hasText: '10' }).click()
  await karim.page.locator('.sums.parts', { hasText: '44,00' }).waitFor()
  await well(karim, 'tip')
  await karim.page.locator('.paying .btn.p').click()
  await confirm(karim)
  await karim.page.locator('.paying .checked').waitFor()
  await until('the tip is there too', async () => wallets(server).atlas === '144.00')
})

test('a code for one payment that is seen twice gives one tip, and what one has not is not asked to be confirmed', async () => {
  await go(atlas, '/pay/counter')
  const code = await sells('20') // it still asks for a tip
  for (const again of [false, true]) {
    await scans(karim, code)
    await karim.page.locator('.tips .chip', { hasText: '10' }).click()
    await paysIt(karim, '22')
    await Promise.all([again && karim.page.locator('.toast', { hasText: karim.t('pc.why-id-taken') }).waitFor(), confirm(karim)])
    await karim.page.locator('.paying .checked').waitFor()
    await until('there is one tip', () => wallets(server).atlas === '166.00')
  }
  await go(karim, '/pay/history')
  await karim.page.locator('.pays > li').first().waitFor()
  assert.equal(await karim.page.locator('.pays > li', { hasText: '2,00' }).filter({ hasText: karim.t('pm.kindTip') }).count(), 1)
  await go(atlas, '/pay/counter')
  await atlas.page.locator('.till .unit', { hasText: 'MAD' }).waitFor() // before, Enter asks for an amount of nothing
  await atlas.page.locator('#till').focus()
  await atlas.page.keyboard.type('900')
  await atlas.page.keyboard.press('Enter')
  await scans(karim, await codeOn(atlas))
  await paysIt(karim, '900')
  const sheet = karim.page.locator('.sheet')
  await sheet.getByText(karim.t('pc.why-insufficient')).waitFor()
  assert.equal(await sheet.locator('input').count(), 0)
  await well(karim, 'too-little')
  await sheet.getByRole('button', { name: karim.t('cancel') }).click()
  await sheet.waitFor({ state: 'detached' })
  assert.deepEqual(wallets(server).atlas, '166.00')
})

/** The id of a promise, as its code says it. */
const promiseId = (code) => /\nid=(\S+)\n/.exec(Buffer.from(code.slice('PALABREPAY0:'.length).split('.')[0], 'base64url').toString())[1]

/** Karim promises Atlas something, and puts the code away; gives the code. */
async function promises(amount) {
  const give = karim.page.locator('form.card')
  await give.getByLabel(karim.t('pm.toWhom'), { exact: true }).fill(atlas.jid)
  await give.locator('.amount input').fill(amount)
  await give.getByLabel(karim.t('pm.pinOffline'), { exact: true }).fill(offlinePin)
  await give.locator('.btn.p').click()
  const code = await codeOn(karim)
  await karim.button('pm.close').click()
  return code
}

/** What a receipt says of a promise that was taken back. */
async function takenBack(who, id) {
  await who.page.locator('.paying .pill', { hasText: who.t('pm.sRefused') }).waitFor()
  await who.page.locator('.paying').getByText(`${who.t('pm.nothingTaken')} ${who.t('pc.why-taken-back')}`).waitFor()
  assert.equal(await who.page.locator('.facts code').textContent(), id)
}

test('a promise is taken back: the shop that kept it, and one that scans it later, get nothing and are told why; the pocket has its money again', async () => {
  const before = wallets(server)
  await go(karim, '/pay/offline')
  await karim.page.locator('.pocket .sum', { hasText: '50' }).waitFor()
  await go(atlas, '/pay/scan')
  await bad.tell('down')
  await bad.tell('reset')
  await atlas.context.setOffline(true)
  const [kept, seen] = [await promises('40'), await promises('10')]
  await atlas.page.getByLabel(atlas.t('pm.pasteCode'), { exact: true }).fill(kept)
  await atlas.button('pm.read').click()
  await atlas.button('pm.promiseKeep').click()
  await atlas.page.getByText(atlas.t('pm.promiseKept')).waitFor()
  await atlas.button('pm.receipt').click()
  await atlas.page.locator('.paying .pill', { hasText: atlas.t('pm.promised') }).waitFor()
  const listed = karim.page.locator('.debts li')
  for (const amount of ['40,00', '10,00']) {
    const one = listed.filter({ hasText: amount })
    await one.getByRole('button', { name: karim.t('pm.takeBack') }).click()
    const sheet = karim.page.locator('.sheet')
    await sheet.getByText(karim.t('pm.takeBackText')).waitFor()
    await sheet.getByLabel(karim.t('pm.pinOffline'), { exact: true }).fill(offlinePin)
    if (amount === '40,00') await well(karim, 'take-back')
    await sheet.locator('.btn.p').click()
    await one.getByText(karim.t('pay.takingBack')).waitFor() // nobody has said that it is
    assert.equal(await one.getByRole('button').count(), 0, 'what is to be taken back is not shown again')
  }
  await well(karim, 'taking-back')
  await bad.tell('up')
  await listed.first().waitFor({ state: 'detached', timeout: 60_000 })
  await go(karim, `/pay/receipt/${promiseId(kept)}`)
  await takenBack(karim, promiseId(kept))
  await well(karim, 'taken-back')
  await atlas.page.locator('.paying .pill', { hasText: atlas.t('pm.promised') }).waitFor() // it has no network, and does not know
  await atlas.context.setOffline(false)
  await takenBack(atlas, promiseId(kept))
  await well(atlas, 'promise-taken-back')
  await scans(atlas, seen)
  await atlas.button('pm.promiseKeep').click()
  await atlas.button('pm.receipt').click()
  await takenBack(atlas, promiseId(seen))
  await go(karim, '/pay/offline')
  await karim.page.getByText(karim.t('pm.canPromise', { amount: '50,00 MAD' })).waitFor()
  await karim.page.locator('.pocket .amount input').fill('50')
  await karim.button('pm.release').click()
  await confirm(karim)
  await karim.page.locator('.pocket .sum', { hasText: /^0/ }).waitFor()
  assert.deepEqual(wallets(server), { ...before, karim: (Number(before.karim) + 50).toFixed(2) })
})

test('nothing was complained about', () => { for (const who of [atlas, karim, hall]) who.clean() })
