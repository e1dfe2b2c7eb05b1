// Six friends share a dinner in their group: each sees their part and pays it with one tap, the organiser sees who has not, and reminds. Then three of them settle up: what hangs
// together is one transfer once they agree. Karim's second device sees all of it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { confirm, go, request, wallets, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

const names = ['amina', 'nadia', 'karim', 'youssef', 'salma', 'omar']
const languages = { amina: 'en', nadia: 'ar', karim: 'fr', youssef: 'es', salma: 'pt-BR', omar: 'sw' }
let server, chromium, group, laptop
const all = {}

before(async () => {
  server = await Server.make({ more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n' })
  server.give('MAD', Object.fromEntries(names.map((name) => [`${name}@localhost`, 30_000])))
  await server.start()
  chromium = await browser()
  for (const name of names) {
    const who = all[name] = await Person.make(chromium, name, { lang: languages[name], ...(name === 'amina' ? { size: [1280, 900] } : name === 'nadia' ? { colorScheme: 'dark' } : {}) })
    await withoutPasskeys(who)
  }
  for (let i = 0; i < names.length; i += 2) await Promise.all(names.slice(i, i + 2).map((name) => all[name].join(server.invite())))
  for (const name of names.slice(1)) await all.amina.befriend(all[name])
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

const card = (who) => who.page.locator('.mon', { has: who.page.locator('.mon-who') })
const enter = async (who) => { await go(who, `/chat/${encodeURIComponent(group)}`); await who.page.locator('.comp').first().waitFor() }
/** How many have paid, as a card says it. */
const paid = async (who) => (await card(who).locator('.mon-head .pill .num').textContent()).replace(/\D+/g, '/')

test('a group of six is made', async () => {
  const { amina } = all
  await go(amina, '/groups/new')
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

test('Karim has a second device', async () => {
  laptop = all.laptop = await Person.make(chromium, 'karim-laptop', { lang: 'it', size: [1280, 800] })
  await laptop.signIn(server.origin, all.karim.jid, all.karim.password)
  await laptop.button('ob.later').click()
  await laptop.page.locator('.row', { hasText: 'Dinner' }).waitFor()
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
  await enter(laptop)
  await card(laptop).locator('.cta .btn.p').waitFor()
  assert.equal(await paid(laptop), '1/6')
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
  await card(laptop).locator('.cta').waitFor({ state: 'detached' }) // paid on the other device
  await until('both devices say the same', async () => await paid(laptop) === await paid(all.karim))
  await well(laptop, 'split-laptop')
})

test('the organiser sees who has not, and reminds', async () => {
  const { amina, omar } = all
  await until('five have paid', async () => await paid(amina) === '5/6')
  const row = card(amina).locator('.mon-who li', { hasText: 'omar' })
  assert.match(await row.textContent(), new RegExp(amina.t('pc.open')))
  await card(amina).locator('.cta .btn').click()
  await amina.page.getByText(amina.t('pc.reminded')).first().waitFor()
  await well(amina, 'split-five')
  await go(omar, `/pay/settle/${encodeURIComponent(group)}`)
  await omar.page.locator('.debts li').waitFor()
  await well(omar, 'settle')
  await enter(omar)
  await card(omar).locator('.cta .btn.p').click()
  await confirm(omar)
  for (const who of [amina, omar, all.nadia, laptop]) await until(`${who.name} sees that all have paid`, async () => await paid(who) === '6/6')
  await well(amina, 'split-done')
  await go(amina, `/pay/settle/${encodeURIComponent(group)}`)
  await amina.page.getByText(amina.t('pm.settled')).waitFor()
})

test('the books agree: nobody paid twice', async () => {
  const { amina, omar } = all
  await go(amina, '/pay/history')
  await until('five payments came', async () => await amina.page.locator('.pays > li').count() === 5)
  await well(amina, 'split-history')
  await go(omar, '/pay/history')
  await until('one went', async () => await omar.page.locator('.pays > li').count() === 1)
})

test('one asks another for money, who pays a part, and then the rest', async () => {
  const { amina, karim } = all
  await go(amina, `/pay/request/${encodeURIComponent(karim.jid)}`)
  await amina.page.locator('.amount input').fill('50')
  await amina.page.getByLabel(amina.t('pm.for'), { exact: true }).fill('Taxi')
  await amina.page.getByRole('switch', { name: amina.t('pm.partial') }).click()
  await well(amina, 'request')
  await amina.button('pm.ask').click()
  await go(karim, `/chat/${encodeURIComponent(amina.jid)}`)
  const asked = request(karim, 'Taxi')
  await asked.waitFor()
  await well(karim, 'request-card')
  await go(laptop, `/chat/${encodeURIComponent(amina.jid)}`)
  const same = request(laptop, 'Taxi')
  await same.locator('.cta').waitFor()
  await asked.getByRole('button', { name: karim.t('pc.payPart') }).click()
  await karim.page.locator('.dialog input').fill('20')
  await karim.page.locator('.dialog .btn.p').click()
  await confirm(karim)
  await asked.locator('progress').waitFor()
  await same.locator('progress').waitFor()
  await well(karim, 'request-part')
  await asked.locator('.cta .btn.p').click()
  await confirm(karim)
  await asked.locator('.pill.ok').waitFor()
  await well(karim, 'request-paid')
  await same.locator('.pill.ok').waitFor()
  await same.locator('.cta').waitFor({ state: 'detached' })
})

/** Somebody lays out a bill for themselves and one other. */
async function bill(who, other, amount, what) {
  const { page } = who
  await go(who, `/pay/split/${encodeURIComponent(group)}`)
  await page.locator('.shares li').nth(5).waitFor()
  await page.locator('.amount input').fill(amount)
  await page.getByLabel(who.t('pm.forBill')).fill(what)
  for (const name of names) if (name !== who.name && name !== other.name) await page.locator('.shares li', { hasText: name }).locator('input').uncheck()
  await who.button('pm.splitDo').click()
  await page.locator('.mon', { hasText: what }).waitFor()
}

/** What the page of debts says, as `payer→payee amount`, once it says `wanted`. */
async function debts(who, wanted) {
  const rows = who.page.locator('.debts li')
  const read = () => rows.evaluateAll((all) => all.map((li) => `${[...li.querySelectorAll('b')].map((b) => b.textContent).join('→')} ${li.querySelector('.pill').textContent.replace(/[^\d]/g, '')}`))
  const name = (one) => one === who.name ? who.t('pm.you') : one
  const said = wanted.map(([from, to, amount]) => `${name(from)}→${name(to)} ${amount}`).sort().join()
  await until(`${who.name} sees ${said}`, async () => (await read()).sort().join() === said)
}

test('three settle up: a chain of debts is one transfer once those in it agree, and nobody’s share is touched before', async () => {
  const { amina, karim, salma } = all
  await bill(amina, karim, '40', 'Museum')
  await bill(karim, salma, '40', 'Gelato')
  const settle = async (who) => go(who, `/pay/settle/${encodeURIComponent(group)}`)
  for (const who of [amina, karim, salma]) await settle(who)
  await debts(amina, [['karim', 'amina', 2000]])
  await debts(karim, [['karim', 'amina', 2000], ['salma', 'karim', 2000]])
  await debts(salma, [['salma', 'karim', 2000]])
  assert.equal(await amina.button('pm.agree').count(), 0, 'who owes nothing has nothing to agree to')
  await well(karim, 'settle-agree')
  await karim.button('pm.agree').click()
  await confirm(karim)
  await karim.button('pm.agree').waitFor({ state: 'detached' })
  await debts(karim, [['karim', 'amina', 2000], ['salma', 'karim', 2000]])
  await salma.button('pm.agree').click()
  await confirm(salma)
  await debts(salma, [['salma', 'amina', 2000]])
  await well(salma, 'settle-agreed')
  await settle(karim)
  await debts(karim, [['salma', 'amina', 2000]])
  await salma.page.locator('.debts').getByRole('button', { name: salma.t('pm.payIt'), exact: true }).click()
  await confirm(salma)
  await salma.page.locator('.comp').first().waitFor()
  await enter(laptop)
  for (const what of ['Museum', 'Gelato']) await laptop.page.locator('.mon', { hasText: what }).locator('.mon-head .pill.ok').waitFor()
  for (const who of [amina, karim, salma, laptop]) {
    await settle(who)
    await who.page.getByText(who.t('pm.settled'), { exact: true }).waitFor()
  }
  await well(amina, 'settled')
  assert.deepEqual(wallets(server), { amina: '970.00', nadia: '180.00', karim: '130.00', youssef: '180.00', salma: '160.00', omar: '180.00' })
})

test('nothing was complained about', () => { for (const who of Object.values(all)) who.clean() })
