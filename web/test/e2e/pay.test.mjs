// Paying in a conversation, with three people: Karim pays Nadia with his PIN; Yasmine asks Karim, who pays with one tap; the server is killed between confirming and the
// receipt, and once before the payment arrives, and both see what is true, then one payment; a second device of Karim's sees the same, and the same statement. axe looks at each
// screen on the way.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { card, confirm, done, finger, go, makeKey, pin, request, types, wallets, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

let server, bad, chromium, karim, nadia, yasmine, tablet

/** Karim comes through a network that can fail; Nadia reads Arabic, in the dark; Yasmine sits at a desk. */
before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  server = await Server.make({ port, more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n' })
  server.give('MAD', { 'karim@localhost': 100_000, 'nadia@localhost': 5_000, 'yasmine@localhost': 5_000 })
  await server.start()
  chromium = await browser()
  karim = await Person.make(chromium, 'karim', { lang: 'en' })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar', colorScheme: 'dark' })
  yasmine = await Person.make(chromium, 'yasmine', { lang: 'fr', size: [1280, 800] })
  for (const who of [karim, nadia]) await withoutPasskeys(who)
  await karim.context.addInitScript(loses)
  karim.allowed.push(/Content Security Policy/) // his page does not come from the address that the server tells
  await Promise.all([karim.join(server.invite().replace(`:${port}/`, `:${bad.port}/`)), nadia.join(server.invite()), yasmine.join(server.invite())])
  await karim.befriend(nadia)
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

/** Lets a page lose, from the moment in which it hands in a payment, what `losing` says: the `answer` and all that it is told, or the `payment` and all that it says. */
function loses() {
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args)
      this.addEventListener('message', (event) => { if (globalThis.lost) event.stopImmediatePropagation() })
    }

    send(data) {
      if (globalThis.losing && String(data).includes("<pay xmlns='urn:palabre:pay:0'")) globalThis.lost = globalThis.losing
      if (globalThis.lost !== 'payment') super.send(data)
    }
  }
}

/** Opens the page to pay somebody, as the chat's menu leads there. */
async function toPay(who, jid) {
  await who.open(jid)
  await until('the service of payments is known', async () => {
    await who.page.locator('.comp').getByRole('button', { name: who.t('attach'), exact: true }).click()
    const tile = who.page.locator('.attach button', { hasText: who.t('attach.pay') })
    await who.page.locator('.attach button').first().waitFor()
    if (await tile.count()) { await tile.click(); return true }
    await who.page.keyboard.press('Escape')
    await who.page.locator('.attach').waitFor({ state: 'detached' })
    return false
  }, 60_000)
  await who.page.locator('.amount.big input').waitFor()
}

test('Karim pays Nadia in their conversation, and both have the receipt', async () => {
  await toPay(karim, nadia.jid)
  await karim.page.locator('.amount.big input').fill('99999')
  await karim.page.locator('.wrong', { hasText: '1,000.00' }).waitFor()
  assert.ok(await karim.button('pay.next').isDisabled(), 'more than there is cannot be paid')
  await types(karim, '125', 'Sardines')
  await confirm(karim, { look: well })
  await done(karim, 'Sardines').waitFor()
  await well(karim, 'paid')
  await nadia.open(karim.jid)
  await done(nadia, 'Sardines').waitFor()
  await well(nadia, 'got')
  const number = await done(karim, 'Sardines').locator('a').textContent()
  await done(karim, 'Sardines').locator('a').click()
  await karim.page.locator('.checked').waitFor()
  await well(karim, 'pay-receipt')
  assert.match(number, /\d/)
  await go(nadia, '/pay')
  await nadia.page.locator('.balance', { hasText: /175|١٧٥/ }).waitFor()
  await well(nadia, 'wallet')
})

test('the list of chats has no conversation with the service', async () => {
  await go(nadia, '/')
  await nadia.page.locator('.row').first().waitFor()
  assert.equal(await nadia.page.locator('.row', { hasText: 'pay.' }).count(), 0)
  await nadia.page.locator('.row', { hasText: 'Sardines' }).waitFor()
})

test('what Yasmine asks for is paid with one tap', async () => {
  await go(yasmine, `/pay/request/${encodeURIComponent(karim.jid)}`)
  await yasmine.page.locator('.amount.big input').fill('40')
  await yasmine.page.getByLabel(yasmine.t('pm.for'), { exact: true }).fill('Taxi')
  await yasmine.page.locator('form.page .btn.p').click()
  await yasmine.page.locator('.mon', { hasText: 'Taxi' }).waitFor()
  await go(karim, '/')
  await karim.page.locator('.row', { hasText: 'Taxi' }).or(karim.page.locator('a[href="/requests"]')).first().waitFor()
  await go(karim, `/chat/${encodeURIComponent(yasmine.jid)}`)
  const asked = request(karim, 'Taxi')
  await asked.waitFor()
  await well(karim, 'asked')
  await asked.locator('.btn.p').click()
  await confirm(karim)
  await done(karim, 'Taxi').waitFor()
  await asked.locator('.pill.ok').waitFor()
  await done(yasmine, 'Taxi').waitFor()
  await yasmine.page.locator('.mon:not(.pay-card) .pill.ok').waitFor()
  await well(yasmine, 'asked-paid')
})

/** Karim confirms a payment to Nadia, of which the answer, or the payment itself, is lost; gives its bubble, which says that it was sent and no more is known. */
async function losesOne(amount, what, losing) {
  await types(karim, amount, what)
  const sheet = karim.page.locator('.sheet')
  await sheet.getByLabel(karim.t('pc.pin'), { exact: true }).fill(pin)
  await karim.page.evaluate((what) => { globalThis.losing = what }, losing)
  await nadia.open(karim.jid)
  await sheet.locator('.btn.p').click()
  const sent = karim.page.locator('.pay-card[data-pay=sent]', { hasText: what })
  await sent.waitFor()
  return sent
}

/** The server comes back, and there is one payment, on both sides; Nadia has as much. */
async function paidOnce(what, has) {
  await server.start()
  await done(karim, what).waitFor({ timeout: 90_000 })
  await nadia.open(karim.jid)
  await done(nadia, what).waitFor({ timeout: 60_000 })
  assert.equal(await card(karim, what).count(), 1)
  assert.equal(await card(nadia, what).count(), 1)
  assert.equal(wallets(server).nadia, has)
}

test('the server is killed between confirming and the receipt: the truth is shown, and there is one payment', async () => {
  await toPay(karim, nadia.jid)
  const sent = await losesOne('60', 'Harira', 'answer')
  await done(nadia, 'Harira').waitFor()
  await server.stop()
  await well(karim, 'sent')
  await karim.page.reload()
  await sent.waitFor()
  await well(karim, 'sent-again')
  await paidOnce('Harira', '235.00')
  await go(nadia, '/pay')
  await nadia.page.locator('.balance', { hasText: /235|٢٣٥/ }).waitFor()
})

test('the server is killed before the payment arrives: the same is shown, nothing was taken, and then there is one payment', async () => {
  await go(karim, `/pay/to/${encodeURIComponent(nadia.jid)}`)
  const sent = await losesOne('9', 'Msemen', 'payment')
  assert.equal(wallets(server).nadia, '235.00')
  await server.stop()
  await karim.page.reload()
  await sent.waitFor()
  assert.equal(await card(nadia, 'Msemen').count(), 0)
  await paidOnce('Msemen', '244.00')
})

test('a second device sees the same', async () => {
  tablet = await Person.make(chromium, 'karim-tablet', { lang: 'en', size: [1280, 800] })
  await withoutPasskeys(tablet)
  await tablet.signIn(server.origin, karim.jid, karim.password)
  await tablet.button('ob.later').click()
  await tablet.page.locator('.row').first().waitFor()
  await go(tablet, `/chat/${encodeURIComponent(nadia.jid)}`)
  for (const what of ['Sardines', 'Harira', 'Msemen']) {
    await done(tablet, what).waitFor({ timeout: 60_000 })
    assert.equal(await card(tablet, what).count(), 1)
  }
  await go(tablet, `/chat/${encodeURIComponent(yasmine.jid)}`)
  await request(tablet, 'Taxi').locator('.pill.ok').waitFor()
  assert.equal(await request(tablet, 'Taxi').locator('.cta').count(), 0, 'what was paid on one device is not asked for on the other')
  await go(tablet, '/pay/keys')
  await tablet.page.locator('.key-row').waitFor()
  await well(tablet, 'keys')
})

test('a frozen wallet pays nothing until it is opened again', async () => {
  await go(karim, '/pay')
  await karim.page.locator('.balance', { hasText: '766' }).waitFor()
  await well(karim, 'wallet')
  await karim.button('pay.freeze').click()
  await karim.page.locator('.dialog .btn.d').click()
  await karim.page.getByText(karim.t('pay.frozen')).waitFor()
  await go(tablet, '/pay')
  await tablet.page.getByText(tablet.t('pay.frozen')).waitFor()
  await go(karim, `/pay/to/${encodeURIComponent(nadia.jid)}`)
  await karim.page.getByText(karim.t('pay.frozen')).waitFor()
  await karim.page.locator('.amount.big input').fill('1')
  assert.ok(await karim.button('pay.next').isDisabled())
  await go(karim, '/pay')
  await karim.button('pay.unfreeze').click()
  await confirm(karim)
  await karim.button('pay.freeze').waitFor()
})

test('a further device waits until another one allows it, and pays then', async () => {
  await go(tablet, '/pay/keys')
  await tablet.page.getByRole('button', { name: tablet.t('pay.setUpDo'), exact: true }).click()
  await makeKey(tablet, { code: '161803' })
  await tablet.page.getByText(tablet.t('pay.hereWaits')).waitFor()
  await well(tablet, 'key-waits')
  await go(karim, '/pay/keys')
  await karim.button('pay.allow').click()
  await confirm(karim)
  await karim.button('pay.allow').waitFor({ state: 'detached' })
  await tablet.page.getByText(tablet.t('pay.hereWaits')).waitFor({ state: 'detached' })
  await go(tablet, `/pay/to/${encodeURIComponent(nadia.jid)}`)
  await types(tablet, '5', 'Café "noir", deux')
  await confirm(tablet, { code: '161803' })
  await done(tablet, 'Café').waitFor()
  await go(karim, `/chat/${encodeURIComponent(nadia.jid)}`)
  await done(karim, 'Café').waitFor()
})

test('a finger signs, also while the server is away; what was signed leaves when it is back', async () => {
  await finger(yasmine.page) // until axe looks, which takes the sensor away
  await go(yasmine, `/pay/to/${encodeURIComponent(karim.jid)}`)
  await types(yasmine, '7', 'Thé')
  const sheet = yasmine.page.locator('.sheet')
  await sheet.getByRole('button', { name: yasmine.t('pc.makeKeyDo') }).click()
  await sheet.locator('.btn.p svg').waitFor()
  await yasmine.shot('finger')
  await sheet.locator('.btn.p').click()
  await done(yasmine, 'Thé').waitFor()
  await go(yasmine, `/pay/to/${encodeURIComponent(karim.jid)}`)
  await yasmine.page.locator('.amount.big input').fill('8')
  await yasmine.page.getByLabel(yasmine.t('pay.for'), { exact: true }).fill('Menthe')
  await server.stop()
  await yasmine.page.getByText(yasmine.t('pay.offlineSigns')).waitFor({ timeout: 60_000 })
  await yasmine.shot('offline')
  await yasmine.button('pay.next').click()
  await sheet.locator('.btn.p svg').waitFor({ timeout: 60_000 })
  await sheet.locator('.btn.p').click()
  await yasmine.page.locator('.pay-card[data-pay=signed]', { hasText: 'Menthe' }).waitFor()
  await well(yasmine, 'signed')
  await server.start()
  await done(yasmine, 'Menthe').waitFor({ timeout: 90_000 })
  await go(karim, `/chat/${encodeURIComponent(yasmine.jid)}`)
  await done(karim, 'Menthe').waitFor({ timeout: 60_000 })
})

/** What the statement of a person shows: the payments, the newest first, and what came and went this month. */
async function statement(who) {
  await go(who, '/pay/history')
  const rows = who.page.locator('.pays > li')
  const month = who.page.locator('.chart table tbody tr').last()
  await until(`${who.name} has the whole statement`, async () => await rows.count() === 7 && await month.count() === 1)
  return { rows: await rows.locator('small.cut, .end b').allTextContents(), month: await month.locator('td').allTextContents() }
}

/** The rows of a file that a page saves, by the names of their columns. */
async function saved(who) {
  const [file] = await Promise.all([who.page.waitForEvent('download'), who.button('pm.csv').click()])
  const text = readFileSync(await file.path(), 'utf8')
  assert.ok(text.startsWith('\ufeff'), 'spreadsheets read it as UTF-8')
  const [names, ...rows] = text.slice(1).trimEnd().split('\r\n').map((line) => [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain))
  return rows.map((row) => Object.fromEntries(row.map((value, i) => [names[i], value])))
}

test('the statement adds up, on both devices: what is listed, the month, and the file', async () => {
  const shown = await statement(karim)
  assert.deepEqual(shown.month.map((text) => text.replace(/[^\d.]/g, '')), ['15.00', '239.00'])
  await well(karim, 'statement')
  assert.deepEqual(await statement(tablet), shown)
  await well(tablet, 'statement')
  const rows = await saved(karim)
  assert.deepEqual(rows.map((row) => [row.for, row.direction, row.amount, row.unit, row.state, row.payer, row.payee]), [
    ['Menthe', 'in', '8.00', yasmine.jid, karim.jid], ['Thé', 'in', '7.00', yasmine.jid, karim.jid], ['Café "noir", deux', 'out', '5.00', karim.jid, nadia.jid], ['Msemen', 'out', '9.00', karim.jid, nadia.jid],
    ['Harira', 'out', '60.00', karim.jid, nadia.jid], ['Taxi', 'out', '40.00', karim.jid, yasmine.jid], ['Sardines', 'out', '125.00', karim.jid, nadia.jid],
  ].map(([what, direction, amount, payer, payee]) => [what, direction, amount, 'MAD', 'done', payer, payee]))
  for (const { time, id, number, fee, refunded } of rows) {
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 3_600_000, time)
    assert.match(id, /^[\w-]{16,40}$/)
    assert.match(number, /^\d+$/)
    assert.deepEqual([fee, refunded], ['0', '0'])
  }
  assert.ok(rows.find((row) => row.for === 'Taxi').of, 'it names the request that it has paid')
  await karim.page.getByLabel(karim.t('pm.searchPays'), { exact: true }).fill('harira')
  await until('one is found', async () => await karim.page.locator('.pays > li').count() === 1)
  await karim.page.locator('.pays > li', { hasText: 'Harira' }).waitFor()
  assert.deepEqual((await saved(karim)).map((row) => row.for), ['Harira'])
})

test('nothing was complained about', () => { for (const who of [karim, nadia, yasmine, tablet]) who.clean() })
