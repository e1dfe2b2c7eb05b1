// Six friends share a dinner in their group: each sees their part and pays it with one tap, the organiser sees who has not, reminds, and the group settles up.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

const pin = '428519'
const names = ['amina', 'nadia', 'karim', 'youssef', 'salma', 'omar']
const languages = { amina: 'en', nadia: 'ar', karim: 'fr', youssef: 'es', salma: 'pt-BR', omar: 'sw' }
let server, chromium, group
const all = {}

before(async () => {
  server = await Server.make({ more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n' })
  server.give('MAD', Object.fromEntries(names.map((name) => [`${name}@localhost`, 30_000])))
  await server.start()
  chromium = await browser()
  for (const name of names) {
    const who = all[name] = await Person.make(chromium, name, { lang: languages[name], ...(name === 'amina' ? { size: [1280, 900] } : name === 'nadia' ? { colorScheme: 'dark' } : {}) })
    await who.context.addInitScript(() => { delete globalThis.PublicKeyCredential }) // a device without passkeys: a PIN
    await who.join(server.invite())
    if (name !== 'amina') await all.amina.befriend(who)
  }
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

/** Confirms what the sheet asks, making a key with the first payment. */
async function confirm(who) {
  const sheet = who.page.locator('.sheet')
  const fresh = sheet.getByLabel(who.t('pc.pinNew'), { exact: true })
  const known = sheet.getByLabel(who.t('pc.pin'), { exact: true })
  await fresh.or(known).first().waitFor()
  if (await fresh.count()) {
    await fresh.fill(pin)
    await sheet.getByLabel(who.t('pc.pinAgain'), { exact: true }).fill(pin)
    await sheet.getByRole('button', { name: who.t('pc.makeKeyDo') }).click()
  }
  await known.fill(pin)
  await sheet.locator('.btn.p').click()
  await sheet.waitFor({ state: 'detached' })
}

const card = (who) => who.page.locator('.mon', { has: who.page.locator('.mon-who') })
const enter = async (who) => { await who.page.goto(`${who.origin}/chat/${encodeURIComponent(group)}`); await who.page.locator('.comp').first().waitFor() }
/** How many have paid, as a card says it. */
const paid = async (who) => (await card(who).locator('.mon-head .pill .num').textContent()).replace(/\D+/g, '/')

test('a group of six is made', async () => {
  const { amina } = all
  await amina.page.goto(`${amina.origin}/groups/new`)
  const field = amina.page.getByLabel(amina.t('gr.find'))
  for (const name of names.slice(1)) {
    await field.fill(`${name}@localhost`)
    await field.press('Enter')
    await amina.page.locator('.chosen .chip', { hasText: name }).waitFor()
  }
  await amina.page.locator('.bottom .btn').click()
  await amina.page.getByLabel(amina.t('gr.name')).fill('Dinner')
  await amina.button('gr.make').click()
  await amina.page.locator('.comp textarea').waitFor()
  group = decodeURIComponent(new URL(amina.page.url()).pathname.split('/')[2])
  for (const name of names.slice(1)) {
    const { page, origin } = all[name]
    await page.goto(`${origin}/`)
    await page.locator('.row', { hasText: 'Dinner' }).first().click()
    await page.locator('.comp, .request').first().waitFor()
    const answer = page.locator('.request .btn.p') // to stay in it
    if (await answer.count()) await answer.click()
    await page.locator('.comp textarea').waitFor()
  }
})

test('the organiser divides a bill in four ways, and asks everybody', async () => {
  const { amina } = all
  const { page } = amina
  await page.goto(`${amina.origin}/pay/split/${encodeURIComponent(group)}`)
  await page.locator('.shares li').nth(5).waitFor()
  await page.locator('.amount input').fill('720')
  const share = (name) => page.locator('.shares li', { hasText: name }).locator('.num').last()
  const says = (name, text) => until(`${name} has ${text}`, async () => (await share(name).textContent()).includes(text))
  await says('nadia', '120.00')
  await page.getByRole('radio', { name: amina.t('pm.shares') }).check({ force: true })
  await page.locator('.shares li', { hasText: 'karim' }).getByRole('button', { name: amina.t('pm.more') }).click()
  await says('karim', '205.71')
  await well(amina, 'split-shares')
  await page.getByRole('radio', { name: amina.t('pm.exact') }).check({ force: true })
  assert.ok(await amina.button('pm.splitDo').isDisabled(), 'exact parts must add up')
  await page.getByRole('radio', { name: amina.t('pm.items') }).check({ force: true })
  await page.getByLabel(amina.t('pm.itemName')).fill('Tagine')
  await page.getByLabel(amina.t('pm.itemPrice')).fill('600')
  await says('nadia', '120.00')
  await well(amina, 'split-items')
  await page.getByRole('radio', { name: amina.t('pm.equal') }).check({ force: true })
  await page.getByLabel(amina.t('pm.forBill')).fill('Chez Omar')
  await well(amina, 'split')
  await amina.button('pm.splitDo').click()
  await card(amina).waitFor()
  assert.equal(await paid(amina), '1/6')
  await well(amina, 'split-card')
})

test('each sees their part and pays it with one tap', async () => {
  for (const name of ['nadia', 'karim', 'youssef', 'salma']) {
    const who = all[name]
    await enter(who)
    await card(who).locator('.cta .btn.p').click()
    await well(who, 'split-pay')
    await confirm(who)
    await card(who).locator('.cta').waitFor({ state: 'detached' })
    await until(`${name} sees it`, async () => Number((await paid(who)).split('/')[0]) >= 2)
  }
  await well(all.nadia, 'split-paid')
})

test('the organiser sees who has not, and reminds', async () => {
  const { amina, omar } = all
  await until('five have paid', async () => await paid(amina) === '5/6')
  const row = card(amina).locator('.mon-who li', { hasText: 'omar' })
  assert.match(await row.textContent(), new RegExp(amina.t('pc.open')))
  await card(amina).locator('.cta .btn').click()
  await amina.page.getByText(amina.t('pc.reminded')).first().waitFor()
  await well(amina, 'split-five')
  await omar.page.goto(`${omar.origin}/pay/settle/${encodeURIComponent(group)}`)
  await omar.page.locator('.debts li').waitFor()
  await well(omar, 'settle')
  await enter(omar)
  await card(omar).locator('.cta .btn.p').click()
  await confirm(omar)
  for (const who of [amina, omar, all.nadia]) await until('all have paid', async () => await paid(who) === '6/6')
  await well(amina, 'split-done')
  await amina.page.goto(`${amina.origin}/pay/settle/${encodeURIComponent(group)}`)
  await amina.page.getByText(amina.t('pm.settled')).waitFor()
})

test('the books agree: nobody paid twice', async () => {
  const { amina, omar } = all
  await amina.page.goto(`${amina.origin}/pay/history`)
  await until('five payments came', async () => await amina.page.locator('.pays > li').count() === 5)
  await well(amina, 'split-history')
  await omar.page.goto(`${omar.origin}/pay/history`)
  await until('one went', async () => await omar.page.locator('.pays > li').count() === 1)
})

test('one asks another for money, who pays a part, and then the rest', async () => {
  const { amina, karim } = all
  await amina.page.goto(`${amina.origin}/pay/request/${encodeURIComponent(karim.jid)}`)
  await amina.page.locator('.amount input').fill('50')
  await amina.page.getByLabel(amina.t('pm.for'), { exact: true }).fill('Taxi')
  await amina.page.getByRole('switch', { name: amina.t('pm.partial') }).click()
  await well(amina, 'request')
  await amina.button('pm.ask').click()
  await karim.page.goto(`${karim.origin}/chat/${encodeURIComponent(amina.jid)}`)
  const asked = karim.page.locator('.mon:not(.pay-card)', { hasText: 'Taxi' })
  await asked.waitFor()
  await well(karim, 'request-card')
  await asked.getByRole('button', { name: karim.t('pc.payPart') }).click()
  await karim.page.locator('.dialog input').fill('20')
  await karim.page.locator('.dialog .btn.p').click()
  await confirm(karim)
  await asked.locator('progress').waitFor()
  await well(karim, 'request-part')
  await asked.locator('.cta .btn.p').click()
  await confirm(karim)
  await asked.locator('.pill.ok').waitFor()
  await well(karim, 'request-paid')
})

test('nothing was complained about', () => { for (const who of Object.values(all)) who.clean() })
