// The statement of a month, or between two days: the list, the chart and the file have what was paid then, however long ago it is and whatever came later.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { confirm, done, go, types, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

const nadia = 'nadia@localhost'
let server, chromium, karim

/** The tenth of the month that was so many months ago, at noon. */
const monthsAgo = (n) => { const now = new Date(); return new Date(now.getFullYear(), now.getMonth() - n, 10, 12) }
const dayOf = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`

/** What Karim has paid, and how many months ago; what was just paid is of this month. Times of receipts are signed, and stay: questions follow those of the list, which are moved. */
const paid = [{ what: 'Wheat', amount: '11', ago: 14 }, { what: 'Olives', amount: '22', ago: 2 }, { what: 'Mint', amount: '33', ago: 0 }]

before(async () => {
  server = await Server.make({ more: '[pay]\nfirst_key = "0s"\n[[pay.units]]\ncode = "MAD"\n' })
  server.give('MAD', { 'karim@localhost': 50_000 })
  await server.start()
  execFileSync(process.env.PALABRE, ['account', 'add', '-config', server.config, 'nadia'], { input: 'Rien ne se perd\n', cwd: server.folder })
  chromium = await browser()
  karim = await Person.make(chromium, 'karim', { lang: 'en', size: [320, 640] })
  await withoutPasskeys(karim)
  await karim.join(server.invite())
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

/** What the page shows, once so many payments are there: what for, and of each month of the chart what has gone. */
async function shows(...whats) {
  await until(`${whats.join(', ')} is there`, async () => (await karim.page.locator('.pays > li small.cut').allTextContents()).join() === whats.join())
  const gone = karim.page.locator('.chart tbody tr td:last-child')
  await until('the chart is there', async () => await gone.count() > 0 === whats.length > 0)
  return (await gone.allTextContents()).map((text) => text.replace(/[^\d.]/g, ''))
}

/** What for, in the file that the page saves, and its name. */
async function saved() {
  const [file] = await Promise.all([karim.page.waitForEvent('download'), karim.button('pm.csv').click()])
  const [names, ...rows] = readFileSync(await file.path(), 'utf8').trimEnd().split('\r\n').map((line) => line.split(','))
  return { whats: rows.map((row) => row[names.indexOf('for')]), name: file.suggestedFilename() }
}

const when = () => karim.page.getByLabel(karim.t('pm.period'), { exact: true })

/** Chooses the days from one to another. */
async function between(from, to) {
  await when().selectOption('days')
  await karim.page.getByLabel(karim.t('pm.fromDay'), { exact: true }).fill(dayOf(from))
  await karim.page.getByLabel(karim.t('pm.toDay'), { exact: true }).fill(dayOf(to))
}

test('three payments, of which two are made older', async () => {
  for (const { what, amount } of paid) {
    await go(karim, `/pay/to/${encodeURIComponent(nadia)}`)
    await types(karim, amount, what)
    await confirm(karim)
    await done(karim, what).waitFor()
  }
  await server.stop()
  const moves = paid.filter(({ ago }) => ago).flatMap(({ what, ago }) => ['pay_line', 'pay_payment'].map((table) => `update ${table} set time = ${monthsAgo(ago).getTime() * 1000} where id in (select id from pay_payment where about = '${what}');`))
  execFileSync('sqlite3', [join(server.data, 'palabre.db'), moves.join('\n')])
  await server.start()
})

test('at first there is all, and a chart of six months', async () => {
  await go(karim, '/pay/history')
  assert.equal((await shows('Mint', 'Olives', 'Wheat')).length, 6)
  assert.deepEqual((await saved()).whats, ['Mint', 'Olives', 'Wheat'])
})

test('a month is chosen by its name, and all follows', async () => {
  const month = dayOf(monthsAgo(2)).slice(0, 7)
  await when().selectOption({ label: new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' }).format(monthsAgo(2)) })
  assert.deepEqual(await shows('Olives'), ['22.00'])
  const { whats, name } = await saved()
  assert.deepEqual(whats, ['Olives'])
  assert.ok(name.includes(month), name)
  await well(karim, 'month')
  await karim.page.getByLabel(karim.t('pm.searchPays'), { exact: true }).fill('mint')
  await karim.page.getByText(karim.t('pm.noPaysFound')).waitFor()
  await karim.page.getByLabel(karim.t('pm.searchPays'), { exact: true }).fill('')
  await shows('Olives')
})

test('where nothing was, that is said', async () => {
  await when().selectOption(dayOf(monthsAgo(1)).slice(0, 7))
  await karim.page.getByText(karim.t('pm.noPaysThen')).waitFor()
  assert.deepEqual(await shows(), [])
  await well(karim, 'month-empty')
})

test('days of one’s own begin with this month, and go back as far as one likes', async () => {
  await when().selectOption('days')
  assert.deepEqual(await shows('Mint'), ['33.00'])
  await between(monthsAgo(14), monthsAgo(14))
  assert.deepEqual(await shows('Wheat'), ['11.00'])
  assert.deepEqual((await saved()).whats, ['Wheat'])
  await between(monthsAgo(2), monthsAgo(14)) // in either order
  const gone = await shows('Olives', 'Wheat')
  assert.deepEqual([gone.length, gone.at(-1)], [12, '22.00'])
  await well(karim, 'days')
  await when().selectOption('')
  await shows('Mint', 'Olives', 'Wheat')
})

test('nothing was complained about', () => karim.clean())
