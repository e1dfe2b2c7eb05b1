// Direct debits and reservations between a shop and a customer: asked for, signed once, taken in parts, ended with one tap; and what is set aside is shown as that. And what is asked for each week,
// which the customer pays each time.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { confirm, go, pin, request, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

let server, chromium, fish, karim

before(async () => {
  server = await Server.make({ more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n' })
  server.give('MAD', { 'karim@localhost': 50_000, 'fish@localhost': 1_000 })
  await server.start()
  chromium = await browser()
  fish = await Person.make(chromium, 'fish', { lang: 'en', size: [1100, 900] })
  karim = await Person.make(chromium, 'karim', { lang: process.env.KARIM ?? 'fr' })
  for (const who of [fish, karim]) await withoutPasskeys(who)
  await fish.join(server.invite(), { display: 'Fish & Co' })
  await karim.join(server.invite())
  await fish.befriend(karim)
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

const terms = (who, kind) => who.page.locator(`.mon[data-terms=${kind}]`)

/** Confirms with the PIN what is asked without an amount. */
async function proves(who) {
  await who.page.locator('.sheet').getByLabel(who.t('pc.pin'), { exact: true }).fill(pin)
  await who.page.locator('.sheet .btn.p').click()
}

test('a shop asks for a direct debit, and the customer sees its limits before signing', async () => {
  await go(fish, '/pay/debits')
  await fish.page.getByText(fish.t('pd.none'), { exact: true }).waitFor()
  await well(fish, 'debits-none')
  await fish.button('pd.ask').click()
  await fish.page.locator('.act.peer', { hasText: 'karim' }).click()
  await fish.page.locator('.amount.big input').fill('50')
  await fish.page.getByLabel(`${fish.t('pd.most')} (MAD)`, { exact: true }).fill('30')
  await fish.page.getByText(fish.t('pd.mostLow')).waitFor() // less in a month than each time
  await fish.page.getByLabel(`${fish.t('pd.most')} (MAD)`, { exact: true }).fill('80')
  await fish.page.getByLabel(fish.t('pm.for'), { exact: true }).fill('Fish box')
  await well(fish, 'debit-ask')
  await fish.button('pd.askDo').click()
  await terms(fish, 'mandate').waitFor()
  await karim.open(fish.jid)
  const asked = terms(karim, 'mandate')
  await asked.getByText(karim.t('pc.total-month', { amount: '80,00 MAD' })).waitFor()
  await well(karim, 'debit-asked')
  await asked.getByRole('button', { name: karim.t('pc.allowDo'), exact: true }).click()
  await confirm(karim, { look: well })
  await asked.locator('.pill', { hasText: karim.t('pc.inForce') }).waitFor()
  await well(karim, 'debit-in-force')
  await terms(fish, 'mandate').locator('.pill', { hasText: fish.t('pc.inForce') }).waitFor()
})

test('the shop takes within the limits, and the customer sees each time', async () => {
  await terms(fish, 'mandate').getByRole('link').click()
  await fish.page.getByText(fish.t('pd.left', { amount: '50.00 MAD' })).waitFor()
  await fish.button('pd.take').click()
  const how = fish.page.getByLabel(fish.t('pd.takeHow', { amount: '50.00 MAD' }), { exact: true })
  await how.fill('51')
  assert.ok(await fish.page.locator('.dialog .btn.p, [role=dialog] .btn.p').first().isDisabled(), 'more than the mandate allows')
  await how.fill('45')
  await fish.page.locator('[role=dialog] .btn.p').click()
  await confirm(fish, { look: well })
  await fish.page.getByText(fish.t('pd.left', { amount: '35.00 MAD' })).waitFor()
  await fish.page.locator('.pays > li', { hasText: '45' }).waitFor()
  await well(fish, 'debit-taken')
  const capture = karim.page.locator('.pay-card', { hasText: karim.t('pay.capture') })
  await capture.getByText('45', { exact: true }).waitFor()
  await well(karim, 'debit-captured')
  await go(karim, '/pay/history')
  await karim.page.locator('.pays > li', { hasText: '−45,00' }).waitFor()
  const given = karim.page.locator('.pays > li', { hasText: karim.t('pm.kindMandate') })
  assert.doesNotMatch(await given.locator('b.num').textContent(), /[−+]/, 'what is allowed is not what was paid')
})

test('the customer ends it with one tap and the PIN, and nothing is taken any more', async () => {
  await go(karim, '/pay/debits')
  await karim.page.locator('.act.peer', { hasText: 'Fish' }).click()
  await karim.page.getByText(karim.t('pd.takenOf', { amount: '45,00 MAD', all: '80,00 MAD' })).first().waitFor()
  await well(karim, 'debit')
  await karim.button('pd.revoke').click()
  await proves(karim)
  await karim.page.locator('.card .pill', { hasText: karim.t('pc.revoked') }).waitFor()
  await well(karim, 'debit-ended')
  await fish.page.locator('.card .pill', { hasText: fish.t('pc.revoked') }).waitFor()
  assert.equal(await fish.button('pd.take').count(), 0)
})

test('an amount is set aside, counted as that, taken in part, and the rest is free', async () => {
  await go(fish, `/pay/allow/${encodeURIComponent(karim.jid)}`)
  await fish.page.getByLabel(fish.t('pd.kindHold'), { exact: true }).check()
  await fish.page.locator('.amount.big input').fill('100')
  await fish.page.getByLabel(fish.t('pm.for'), { exact: true }).fill('Deposit')
  await well(fish, 'hold-ask')
  await fish.button('pd.askDo').click()
  await karim.open(fish.jid)
  await terms(karim, 'hold').getByRole('button', { name: karim.t('pc.holdDo', { amount: '100,00 MAD' }) }).click()
  await confirm(karim, { look: well })
  await karim.page.locator('.pay-card[data-pay=held]', { hasText: '100' }).waitFor()
  await well(karim, 'hold')
  await go(karim, '/pay')
  await karim.page.locator('.balance', { hasText: '355,00' }).getByText(karim.t('pay.heldSum', { amount: '100,00 MAD' })).waitFor()
  await well(karim, 'wallet-held')
  await go(karim, '/pay/debits')
  await karim.page.locator('section', { hasText: karim.t('pd.held') }).locator('.act.peer', { hasText: 'Deposit' }).waitFor()
  await well(karim, 'debits')
  await go(fish, '/pay/debits')
  await fish.page.locator('.act.peer', { hasText: 'Deposit' }).click()
  await fish.button('pm.take').click()
  await fish.page.getByLabel(fish.t('pm.takeHow', { amount: '100.00 MAD' }), { exact: true }).fill('60')
  await fish.page.locator('[role=dialog] .btn.p').click()
  await confirm(fish)
  await fish.page.locator('.pill', { hasText: fish.t('pm.sEnded') }).waitFor()
  await well(fish, 'hold-taken')
  await go(karim, '/pay')
  await karim.page.locator('.balance', { hasText: '395,00' }).waitFor()
  assert.equal(await karim.page.locator('.balance').getByText(karim.t('pay.heldSum', { amount: '' }).trim()).count(), 0)
})

/** What the card says of a request that comes each week, now the `n`th time of two. */
async function eachWeek(who, n) {
  const begun = Number(execFileSync('sqlite3', [join(server.data, 'palabre.db'), 'select begun from pay_series'])) / 1000
  const when = await who.page.evaluate((last) => new Intl.DateTimeFormat(navigator.language, { dateStyle: 'medium' }).format(last), begun + 7 * 86_400_000)
  return who.t('pc.again-week', { n, all: 2, when })
}

/** A week goes by for what comes again, while the server is away. */
async function aWeekLater() {
  await server.stop('SIGTERM')
  execFileSync('sqlite3', [join(server.data, 'palabre.db'), 'update pay_series set next = 1 where next > 0'])
  await server.start()
}

test('what the shop asks for each week comes again as often as it was said, and each time is paid by itself', async () => {
  await go(fish, `/pay/request/${encodeURIComponent(karim.jid)}`)
  await fish.page.locator('.amount.big input').fill('12')
  await fish.page.getByLabel(fish.t('pm.for'), { exact: true }).fill('Fish of the week')
  await fish.page.getByLabel(fish.t('pm.every'), { exact: true }).selectOption('week')
  await fish.page.getByLabel(fish.t('pm.times'), { exact: true }).fill('2')
  await well(fish, 'again-ask')
  await fish.button('pm.ask').click()
  await request(fish, 'Fish of the week').waitFor()
  await karim.open(fish.jid)
  const asked = request(karim, 'Fish of the week')
  await asked.getByText(await eachWeek(karim, 1), { exact: true }).waitFor()
  await request(fish, 'Fish of the week').getByText(await eachWeek(fish, 1), { exact: true }).waitFor()
  await well(karim, 'again-first')
  await asked.getByRole('button', { name: karim.t('pc.pay', { amount: '12,00 MAD' }), exact: true }).click()
  await confirm(karim)
  await asked.locator('.pill.ok').waitFor()
  await aWeekLater()
  await until('it has come again', async () => await asked.count() === 2)
  const again = asked.nth(1)
  await again.getByText(await eachWeek(karim, 2), { exact: true }).waitFor()
  await well(karim, 'again-asked')
  await again.getByRole('button', { name: karim.t('pc.pay', { amount: '12,00 MAD' }), exact: true }).click()
  await confirm(karim)
  await again.locator('.pill.ok').waitFor()
  await until('the shop sees both paid', async () => await request(fish, 'Fish of the week').locator('.pill.ok').count() === 2)
  await aWeekLater()
  await go(karim, '/pay')
  await karim.page.locator('.balance', { hasText: '371,00' }).waitFor() // paid twice, and asked for no third time
  await karim.open(fish.jid)
  await request(karim, 'Fish of the week').nth(1).waitFor()
  assert.equal(await request(karim, 'Fish of the week').count(), 2)
  await well(karim, 'again-over')
})

test('nobody saw anything wrong', () => {
  for (const who of [fish, karim]) assert.deepEqual(who.problems, [], who.name)
})
