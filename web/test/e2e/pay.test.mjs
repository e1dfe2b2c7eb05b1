// Paying in a conversation, with three people: Karim pays Nadia with his PIN; Yasmine asks Karim, who pays with one tap; the server is killed between confirming and the
// receipt, and both see what is true, then one payment; a second device of Karim's sees the same. axe looks at each screen on the way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const pin = '271828'
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
  for (const who of [karim, nadia]) await who.context.addInitScript(() => { delete globalThis.PublicKeyCredential }) // devices without passkeys: a PIN
  await karim.context.addInitScript(deaf)
  karim.allowed.push(/Content Security Policy/) // his page does not come from the address that the server tells
  await karim.join(server.invite().replace(`:${port}/`, `:${bad.port}/`))
  await nadia.join(server.invite())
  await yasmine.join(server.invite())
  await karim.befriend(nadia)
})

after(async () => {
  await chromium?.close()
  bad?.end()
  await server?.end()
})

/** Lets a page hear nothing any more from the moment in which it hands in a payment, when `deafAfterPaying` says so. */
function deaf() {
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args)
      this.addEventListener('message', (event) => { if (globalThis.isDeaf) event.stopImmediatePropagation() })
    }

    send(data) {
      super.send(data)
      if (globalThis.deafAfterPaying && String(data).includes("<pay xmlns='urn:palabre:pay:0'")) globalThis.isDeaf = true
    }
  }
}

/** Gives a person's device a sensor that always knows their finger. */
async function finger(who) {
  const device = await who.context.newCDPSession(who.page)
  await device.send('WebAuthn.enable')
  await device.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
}

const card = (who, what) => who.page.locator('.pay-card', { hasText: what })
const done = (who, what) => who.page.locator('.pay-card[data-pay=done]', { hasText: what })

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

/** Types what and how much, and goes on to the sheet. */
async function types(who, amount, what) {
  await who.page.locator('.amount.big input').fill(amount)
  await who.page.getByLabel(who.t('pay.for'), { exact: true }).fill(what)
  await who.button('pay.next').click()
}

/** Confirms with the PIN; makes the key of the device the first time. */
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
  await well(who, 'pay-sheet')
  await sheet.locator('.btn.p').click()
}

test('Karim pays Nadia in their conversation, and both have the receipt', async () => {
  await toPay(karim, nadia.jid)
  await karim.page.locator('.amount.big input').fill('99999')
  await karim.page.locator('.wrong', { hasText: '1,000.00' }).waitFor()
  assert.ok(await karim.button('pay.next').isDisabled(), 'more than there is cannot be paid')
  await types(karim, '125', 'Sardines')
  await confirm(karim)
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
  await nadia.page.goto(`${nadia.origin}/pay`)
  await nadia.page.locator('.balance', { hasText: /175|١٧٥/ }).waitFor()
  await well(nadia, 'wallet')
})

test('the list of chats has no conversation with the service', async () => {
  await nadia.page.goto(`${nadia.origin}/`)
  await nadia.page.locator('.row').first().waitFor()
  assert.equal(await nadia.page.locator('.row', { hasText: 'pay.' }).count(), 0)
  await nadia.page.locator('.row', { hasText: 'Sardines' }).waitFor()
})

test('what Yasmine asks for is paid with one tap', async () => {
  await yasmine.page.goto(`${yasmine.origin}/pay/request/${encodeURIComponent(karim.jid)}`)
  await yasmine.page.locator('.amount.big input').fill('40')
  await yasmine.page.getByLabel(yasmine.t('pm.for'), { exact: true }).fill('Taxi')
  await yasmine.page.locator('form.page .btn.p').click()
  await yasmine.page.locator('.mon', { hasText: 'Taxi' }).waitFor()
  await karim.page.goto(`${karim.origin}/`)
  await karim.page.locator('.row', { hasText: 'Taxi' }).or(karim.page.locator('a[href="/requests"]')).first().waitFor()
  await karim.page.goto(`${karim.origin}/chat/${encodeURIComponent(yasmine.jid)}`)
  const request = karim.page.locator('.mon:not(.pay-card)', { hasText: 'Taxi' })
  await request.waitFor()
  await well(karim, 'asked')
  await request.locator('.btn.p').click()
  await confirm(karim)
  await done(karim, 'Taxi').waitFor()
  await request.locator('.pill.ok').waitFor()
  await done(yasmine, 'Taxi').waitFor()
  await yasmine.page.locator('.mon:not(.pay-card) .pill.ok').waitFor()
  await well(yasmine, 'asked-paid')
})

test('the server is killed between confirming and the receipt: the truth is shown, and there is one payment', async () => {
  await toPay(karim, nadia.jid)
  await types(karim, '60', 'Harira')
  const sheet = karim.page.locator('.sheet')
  await sheet.getByLabel(karim.t('pc.pin'), { exact: true }).fill(pin)
  // What he confirms arrives and is done; what the service answers is lost.
  await karim.page.evaluate(() => { globalThis.deafAfterPaying = true })
  await nadia.open(karim.jid)
  await sheet.locator('.btn.p').click()
  const sent = karim.page.locator('.pay-card[data-pay=sent]', { hasText: 'Harira' })
  await sent.waitFor()
  await done(nadia, 'Harira').waitFor()
  await server.stop()
  await well(karim, 'sent')
  await karim.page.reload()
  await sent.waitFor()
  await well(karim, 'sent-again')
  await server.start()
  await done(karim, 'Harira').waitFor({ timeout: 90_000 })
  await nadia.open(karim.jid)
  await done(nadia, 'Harira').waitFor({ timeout: 60_000 })
  assert.equal(await card(karim, 'Harira').count(), 1)
  assert.equal(await card(nadia, 'Harira').count(), 1)
  await nadia.page.goto(`${nadia.origin}/pay`)
  await nadia.page.locator('.balance', { hasText: /235|٢٣٥/ }).waitFor()
})

test('a second device sees the same', async () => {
  tablet = await Person.make(chromium, 'karim-tablet', { lang: 'en', size: [1280, 800] })
  await tablet.context.addInitScript(() => { delete globalThis.PublicKeyCredential })
  await tablet.signIn(server.origin, karim.jid, karim.password)
  await tablet.button('ob.later').click()
  await tablet.page.locator('.row').first().waitFor()
  await tablet.page.goto(`${server.origin}/chat/${encodeURIComponent(nadia.jid)}`)
  for (const what of ['Sardines', 'Harira']) {
    await done(tablet, what).waitFor({ timeout: 60_000 })
    assert.equal(await card(tablet, what).count(), 1)
  }
  await tablet.page.goto(`${server.origin}/pay/keys`)
  await tablet.page.locator('.key-row').waitFor()
  await well(tablet, 'keys')
})

test('a frozen wallet pays nothing until it is opened again', async () => {
  await karim.page.goto(`${karim.origin}/pay`)
  await karim.page.locator('.balance', { hasText: '775' }).waitFor()
  await well(karim, 'wallet')
  await karim.button('pay.freeze').click()
  await karim.page.locator('.dialog .btn.d').click()
  await karim.page.getByText(karim.t('pay.frozen')).waitFor()
  await tablet.page.goto(`${server.origin}/pay`)
  await tablet.page.getByText(tablet.t('pay.frozen')).waitFor()
  await karim.page.goto(`${karim.origin}/pay/to/${encodeURIComponent(nadia.jid)}`)
  await karim.page.getByText(karim.t('pay.frozen')).waitFor()
  await karim.page.locator('.amount.big input').fill('1')
  assert.ok(await karim.button('pay.next').isDisabled())
  await karim.page.goto(`${karim.origin}/pay`)
  await karim.button('pay.unfreeze').click()
  await confirm(karim)
  await karim.button('pay.freeze').waitFor()
})

test('a further device waits until another one allows it, and pays then', async () => {
  await tablet.page.goto(`${server.origin}/pay/keys`)
  await tablet.page.getByRole('button', { name: tablet.t('pay.setUpDo'), exact: true }).click()
  const sheet = tablet.page.locator('.sheet')
  await sheet.getByLabel(tablet.t('pc.pinNew'), { exact: true }).fill('161803')
  await sheet.getByLabel(tablet.t('pc.pinAgain'), { exact: true }).fill('161803')
  await sheet.getByRole('button', { name: tablet.t('pc.makeKeyDo') }).click()
  await tablet.page.getByText(tablet.t('pay.hereWaits')).waitFor()
  await well(tablet, 'key-waits')
  await karim.page.goto(`${karim.origin}/pay/keys`)
  await karim.button('pay.allow').click()
  await confirm(karim)
  await karim.button('pay.allow').waitFor({ state: 'detached' })
  await tablet.page.getByText(tablet.t('pay.hereWaits')).waitFor({ state: 'detached' })
  await tablet.page.goto(`${server.origin}/pay/to/${encodeURIComponent(nadia.jid)}`)
  await types(tablet, '5', 'Café')
  await tablet.page.locator('.sheet').getByLabel(tablet.t('pc.pin'), { exact: true }).fill('161803')
  await tablet.page.locator('.sheet .btn.p').click()
  await done(tablet, 'Café').waitFor()
  await karim.page.goto(`${karim.origin}/chat/${encodeURIComponent(nadia.jid)}`)
  await done(karim, 'Café').waitFor()
})

test('a finger signs, also while the server is away; what was signed leaves when it is back', async () => {
  await finger(yasmine) // until axe looks, which takes the sensor away
  await yasmine.page.goto(`${yasmine.origin}/pay/to/${encodeURIComponent(karim.jid)}`)
  await types(yasmine, '7', 'Thé')
  const sheet = yasmine.page.locator('.sheet')
  await sheet.getByRole('button', { name: yasmine.t('pc.makeKeyDo') }).click()
  await sheet.locator('.btn.p svg').waitFor()
  await yasmine.shot('finger')
  await sheet.locator('.btn.p').click()
  await done(yasmine, 'Thé').waitFor()
  await yasmine.page.goto(`${yasmine.origin}/pay/to/${encodeURIComponent(karim.jid)}`)
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
  await karim.page.goto(`${karim.origin}/chat/${encodeURIComponent(yasmine.jid)}`)
  await done(karim, 'Menthe').waitFor({ timeout: 60_000 })
})

test('nothing was complained about', () => { for (const who of [karim, nadia, yasmine, tablet]) who.clean() })
