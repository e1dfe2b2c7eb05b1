// Networks outside in administration, with two administrators in real browsers: a transfer of which nobody knows is seen, asked about, and decided by both; what came in is sent back by both; a day is
// compared with the network's list.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { Network, yesterday } from './network.mjs'
import { go, wallets } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

let chromium, server, network, karim, nadia, amina

before(async () => {
  network = await Network.make('scripted')
  chromium = await browser()
  server = await Server.make({ more: `[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n[pay.rail.try]\ntitle = "Dirham Mobile"\n[pay.rail.try.sandbox]\nurl = "${network.url}"\nsecret = "scripted"\nunits = ["MAD"]\n` })
  await server.start()
  karim = await Person.make(chromium, 'karim', { lang: 'en' })
  nadia = await Person.make(chromium, 'nadia', { lang: 'fr' })
  amina = await Person.make(chromium, 'amina', { lang: 'ar', colorScheme: 'dark', size: [1280, 800] })
  await Promise.all([karim.join(server.invite()), nadia.join(server.invite('-admin')), amina.join(server.invite('-admin'))])
})
after(async () => {
  await chromium?.close()
  network?.end()
  await server?.end()
})

/** Karim asks for money by the network, and sees that `key`. */
async function brings(amount, address, key) {
  await go(karim, '/pay/add')
  await karim.page.locator('.amount.big input').fill(amount)
  await karim.page.getByLabel(karim.t('pr.account'), { exact: true }).fill(address)
  await karim.button('pay.next').click()
  await karim.page.locator('.way-now .pill', { hasText: karim.t(key, { name: 'Dirham Mobile' }) }).waitFor()
}

const rails = async (who) => {
  await go(who, '/admin/rails')
  await who.page.getByRole('heading', { name: who.t('adm.notKnown') }).waitFor()
}
const article = (who, name) => who.page.getByRole('article', { name })
/** A button that can be pressed by its name, in a place. */
const press = (who, where, key) => where.getByRole('button', { name: who.t(key), exact: true }).click()

test('a transfer of which nobody knows is decided by two', async () => {
  await brings('30', 'lost-1', 'pr.is-unknown')
  const [{ id }] = network.at('lost-1')
  await rails(nadia)
  await article(nadia, 'Dirham Mobile').getByText(nadia.t('adm.down')).waitFor()
  const unknown = article(nadia, new RegExp(id)).first() // it is among all transfers, too
  await unknown.waitFor()
  await well(nadia, 'rails')
  const asked = network.at('lost-1')[0].asked
  await press(nadia, unknown, 'adm.askNow')
  await until('the network was asked', () => network.at('lost-1')[0].asked > asked)
  const mine = article(nadia, new RegExp(`${nadia.t('adm.verSettled')}.*${id}`))
  const says = async () => {
    await press(nadia, unknown, 'adm.say')
    const sheet = nadia.page.getByRole('dialog')
    await sheet.getByLabel(new RegExp(`^${nadia.t('adm.amount')}`)).fill('20') // a part of the 30
    await sheet.getByLabel(nadia.t('adm.why')).fill('Vu dans leurs pages : S1')
    await well(nadia, 'rails-say')
    await press(nadia, sheet, 'adm.propose')
    await mine.waitFor()
  }
  await says()
  assert.equal(await mine.getByRole('button', { name: nadia.t('adm.agree') }).count(), 0)
  await press(nadia, mine, 'adm.withdraw') // on second thoughts
  await mine.waitFor({ state: 'detached' })
  await says()

  await rails(amina)
  const theirs = article(amina, new RegExp(`${amina.t('adm.verSettled')}.*${id}`))
  await press(amina, theirs, 'adm.decline') // who has not found it there yet
  await theirs.waitFor({ state: 'detached' })
  await amina.page.getByRole('radio', { name: amina.t('adm.decided'), exact: true }).check({ force: true })
  await until('both that ended are told', async () => await theirs.getByText(amina.t('adm.stateDeclined'), { exact: true }).count() === 2)
  await well(amina, 'rails-declined')
  await rails(nadia)
  await says()
  await rails(amina)
  await press(amina, theirs, 'adm.details')
  const details = amina.page.getByRole('dialog')
  await details.getByText('karim@localhost').waitFor()
  await details.getByText('lost-1').waitFor()
  await well(amina, 'rails-details')
  await press(amina, details, 'close')
  await press(amina, theirs, 'adm.agree')
  const sees = amina.page.getByRole('alertdialog')
  await sees.locator('b', { hasText: /20.*30/ }).waitFor() // a part of what was asked for
  for (const said of [amina.t('adm.wayIn'), 'try', 'karim@localhost', 'lost-1', id, 'Vu dans leurs pages : S1', 'nadia@localhost']) await sees.getByText(said, { exact: true }).waitFor()
  await well(amina, 'rails-agree')
  await press(amina, sees, 'adm.agree')
  await amina.page.getByText(amina.t('adm.allKnown')).waitFor()
  await well(amina, 'rails-decided')
  await karim.page.locator('.way-now .pill', { hasText: karim.t('pr.is-done-in') }).waitFor() // he is told
  assert.equal(wallets(server).karim, '20.00')
})

test('what came in is sent back when two say so', async () => {
  await brings('80', 'ok-1', 'pr.is-done-in')
  const [{ id }] = network.at('ok-1')
  await rails(nadia)
  await press(nadia, article(nadia, new RegExp(`80.*${id}`)), 'adm.details')
  const details = nadia.page.getByRole('dialog')
  await press(nadia, details, 'adm.sendBack')
  const sheet = nadia.page.getByRole('dialog', { name: nadia.t('adm.sendBack') })
  await sheet.getByLabel(new RegExp(`^${nadia.t('adm.amount')}`)).fill('90')
  await sheet.getByText(nadia.t('adm.amountWrong')).waitFor()
  await sheet.getByLabel(new RegExp(`^${nadia.t('adm.amount')}`)).fill('50')
  await sheet.getByLabel(nadia.t('adm.why')).fill('Carte volée')
  await well(nadia, 'rails-send-back')
  await press(nadia, sheet, 'adm.propose')
  await sheet.waitFor({ state: 'detached' })
  await rails(nadia)
  await press(nadia, article(nadia, new RegExp(`80.*${id}`)), 'adm.details')
  await press(nadia, nadia.page.getByRole('dialog'), 'adm.sendBack') // what is proposed is not left
  await sheet.getByText(nadia.t('adm.backWaits', { amount: '50,00 MAD' })).waitFor()
  await sheet.getByText(nadia.t('adm.allOf', { amount: '30,00 MAD' })).waitFor()
  await sheet.getByLabel(new RegExp(`^${nadia.t('adm.amount')}`)).fill('31')
  await sheet.getByText(nadia.t('adm.amountWrong')).waitFor()
  await well(nadia, 'rails-send-back-again')
  await go(nadia, '/admin/money')
  const waits = article(nadia, new RegExp(nadia.t('adm.kindRefund')))
  await waits.waitFor()
  assert.equal(await waits.getByRole('button', { name: nadia.t('adm.approve') }).count(), 0)
  await go(amina, '/admin/money')
  const wanted = article(amina, new RegExp(amina.t('adm.kindRefund')))
  await wanted.getByText(id, { exact: true }).waitFor()
  await press(amina, wanted, 'adm.approve')
  for (const said of ['try', 'karim@localhost', 'ok-1', id, 'Carte volée', 'nadia@localhost']) await amina.page.getByRole('alertdialog').getByText(said, { exact: true }).waitFor()
  await well(amina, 'rails-approve')
  await press(amina, amina.page.getByRole('alertdialog'), 'adm.approve')
  await until('it went back', () => network.at('ok-1').filter((one) => one.kind === 'refund').length === 1)
  await until('the book says so', () => wallets(server).karim === '50.00')
})

test('a day that is over is compared with the network’s list', async () => {
  await brings('20', 'past-1', 'pr.is-done-in')
  await rails(amina)
  const day = yesterday(), typed = amina.page.getByLabel(amina.t('adm.compareDay'))
  await typed.fill(new Date().toISOString().slice(0, 10))
  await amina.page.getByText(amina.t('adm.dayNotOver', { day })).waitFor()
  assert.equal(await amina.button('adm.compareNow').isDisabled(), true)
  await typed.fill(day)
  await amina.button('adm.compareNow').click()
  const found = article(amina, day)
  await press(amina, found, 'adm.showDifferences') // this network's list is empty
  await found.getByText(amina.t('adm.dfThere')).first().waitFor()
  await well(amina, 'rails-compared')
  for (const who of [karim, nadia, amina]) assert.deepEqual(who.problems, [])
})
