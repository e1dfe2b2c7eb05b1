// Money in and out by a network outside that does as it is told: at once, late, refused, and with its answer lost. What is shown is true at each step, also on a second device, after a reload and
// without network. Without a network it is said plainly how money gets in. axe looks at each screen.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { Network } from './network.mjs'
import { confirm, go, wallets, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0' // webhooks go to the server's own certificate
const secret = 'scripted'
let server, closed, network, chromium, karim, desk, nadia

before(async () => {
  network = await Network.make(secret)
  server = await Server.make({ more: `[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n[[pay.units.fees]]\nkind = "cashout"\nfixed = 200\n[pay.rail.try]\ntitle = "Dirham Mobile"\n[pay.rail.try.sandbox]\nurl = "${network.url}"\nsecret = "${secret}"\nunits = ["MAD"]\n` })
  server.give('MAD', { 'karim@localhost': 50_000 })
  await server.start()
  chromium = await browser()
  karim = await Person.make(chromium, 'karim', { lang: 'en' })
  desk = await Person.make(chromium, 'karim-desk', { lang: 'ar', colorScheme: 'dark', size: [1280, 800] })
  await withoutPasskeys(karim)
  await karim.join(server.invite())
})

after(async () => {
  await chromium?.close()
  network?.end()
  await server?.end()
  await closed?.end()
})

const now = (who, key) => who.page.locator('.way-now .pill', { hasText: who.t(key, { name: 'Dirham Mobile', amount: '{amount}' }).split('{amount}')[0] }).waitFor()
const webhook = () => `${server.origin}/pay/rail/try`

/** Fills in the page that brings money in or takes it out, and goes on. */
async function begins(who, page, amount, address) {
  await go(who, `/pay/${page}`)
  await who.page.locator('.amount.big input').fill(amount)
  await who.page.getByLabel(who.t('pr.account'), { exact: true }).fill(address)
  await who.button('pay.next').click()
}

test('money comes in at once, late with a code, and after a page', async () => {
  await go(karim, '/pay')
  await karim.button('pr.add').click()
  await karim.page.getByRole('heading', { name: 'Dirham Mobile' }).waitFor()
  await karim.page.getByText(karim.t('pr.in-sandbox')).waitFor()
  await well(karim, 'add')
  await begins(karim, 'add', '50', 'ok')
  await now(karim, 'pr.is-done-in')
  await well(karim, 'add-done')
  await begins(karim, 'add', '20', 'code')
  await now(karim, 'pr.is-accepted-in')
  await karim.page.getByText(/^000201/).waitFor()
  await karim.page.locator('.qr svg').waitFor()
  await well(karim, 'add-code')
  await karim.page.reload()
  await karim.page.getByText(/^000201/).waitFor()
  await network.decide('code', { state: 'settled' }, webhook())
  await now(karim, 'pr.is-done-in') // told by a notice
  await begins(karim, 'add', '10', 'page')
  const link = karim.page.getByRole('link', { name: karim.t('pr.goTo', { name: 'Dirham Mobile' }) })
  await link.waitFor()
  assert.equal(await link.getAttribute('href'), 'https://network.example/pay/1')
  assert.match(await link.getAttribute('rel'), /noopener/)
  await well(karim, 'add-page')
  await begins(karim, 'add', '70', 'refuse')
  await now(karim, 'pr.is-refused-in')
  await well(karim, 'add-refused')
  assert.equal(wallets(server).karim, '570.00')
})

test('money goes out with a PIN, and the fee is shown before', async () => {
  await go(karim, '/pay/out')
  await karim.page.getByLabel(karim.t('pr.account'), { exact: true }).fill('ok')
  await karim.page.locator('.amount.big input').fill('900')
  await karim.page.getByText(karim.t('pay.tooMuch', { amount: '570.00\u00a0MAD' })).waitFor()
  await karim.page.locator('.amount.big input').fill('100')
  await karim.page.getByText(karim.t('pc.fee', { fee: '2.00\u00a0MAD', all: '102.00\u00a0MAD' })).waitFor()
  await well(karim, 'out')
  await karim.button('pay.next').click()
  await confirm(karim, { look: well })
  await now(karim, 'pr.is-done-out')
  await well(karim, 'out-done')
  assert.equal(wallets(server).karim, '468.00')
  assert.equal(network.at('ok').filter((one) => one.kind === 'out').length, 1)
})

test('what the network has but has not done is held; refused, it is in the wallet again; given back, it says so', async () => {
  await begins(karim, 'out', '30', 'wait-1')
  await confirm(karim)
  await now(karim, 'pr.is-accepted-out')
  await well(karim, 'out-accepted')
  await network.decide('wait-1', { state: 'rejected' }, webhook())
  await now(karim, 'pr.is-refused-out')
  await well(karim, 'out-refused')
  assert.equal(wallets(server).karim, '468.00')
  await begins(karim, 'out', '40', 'wait-2')
  await confirm(karim)
  await now(karim, 'pr.is-accepted-out')
  await network.decide('wait-2', { state: 'settled' }, webhook())
  await now(karim, 'pr.is-done-out')
  assert.equal(wallets(server).karim, '426.00')
  await network.decide('wait-2', { state: 'settled', returned: 4000 }, webhook())
  await now(karim, 'pr.is-back-out')
  await well(karim, 'out-back')
  await until('it is in the wallet again', () => wallets(server).karim !== '426.00')
})

test('when the network does not say, nobody pretends to know: not here, not on another device, not without network', async () => {
  const before = wallets(server).karim
  await begins(karim, 'out', '25', 'lost-1')
  await confirm(karim)
  await now(karim, 'pr.is-unknown')
  await karim.page.getByText(karim.t('pr.say-unknown')).waitFor()
  await well(karim, 'out-unknown')
  await karim.page.reload()
  await now(karim, 'pr.is-unknown')

  await karim.context.setOffline(true)
  await karim.page.getByText(karim.t('pr.lastKnown')).waitFor()
  await now(karim, 'pr.is-unknown')
  await well(karim, 'out-unknown-offline')
  await go(karim, '/pay/add') // kept by the worker of pages
  await karim.page.locator('.amount.big input').fill('5')
  await karim.page.getByLabel(karim.t('pr.account'), { exact: true }).fill('ok-later')
  await well(karim, 'add-offline')
  await karim.button('pay.next').click()
  await now(karim, 'pr.is-kept')
  await well(karim, 'add-kept')
  await karim.context.setOffline(false)
  await now(karim, 'pr.is-done-in')
  assert.equal(network.at('ok-later').length, 1)

  await desk.signIn(server.origin, karim.jid, karim.password)
  await desk.page.locator('.gate').waitFor({ state: 'detached' }).catch(() => undefined)
  await go(desk, '/pay')
  const row = desk.page.getByRole('link', { name: new RegExp(desk.t('pr.is-unknown', { name: 'Dirham Mobile' })) })
  await row.waitFor()
  await well(desk, 'wallet-under-way')
  await row.click()
  await now(desk, 'pr.is-unknown')
  await well(desk, 'unknown')
  assert.equal(network.at('lost-1').length, 1)
  await network.decide('lost-1', { state: 'settled' }, webhook())
  await now(desk, 'pr.is-done-out')
  await go(karim, '/pay/history')
  await karim.page.getByRole('link', { name: /Withdrawal/ }).first().click()
  await now(karim, 'pr.is-done-out')
  assert.equal(network.at('lost-1').length, 1)
  assert.equal(wallets(server).karim, (Number(before) + 5 - 27).toFixed(2))
})

test('where no network is, it is said how money gets in', async () => {
  closed = await Server.make({ more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "LEAF"\nclosed = true\n[[ledger.units]]\ncode = "LEAF"\nexponent = 2\nname = "Leaf"\n' })
  await closed.start()
  nadia = await Person.make(chromium, 'nadia', { lang: 'fr' })
  await nadia.join(closed.invite())
  await go(nadia, '/pay/add')
  await nadia.page.getByText(nadia.t('pr.noneInClosed', { units: 'Leaf' })).waitFor()
  await well(nadia, 'none-in')
  await go(nadia, '/pay/out')
  await nadia.page.getByText(nadia.t('pr.noneOutClosed', { units: 'Leaf' })).waitFor()
  await well(nadia, 'none-out')
  for (const who of [karim, desk, nadia]) assert.deepEqual(who.problems, [])
})
