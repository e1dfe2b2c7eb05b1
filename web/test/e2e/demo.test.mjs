// `palabre demo`, as the README says it: it fills a server of its own and prints where to go and as whom; a browser goes there, finds the scene, asks the bank, and pays the
// fishmonger, who sees it. When it ends nothing of it stays. axe looks at each screen.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { confirm, done, go, request, withoutPasskeys } from './paying.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort } from './server.mjs'

const folder = mkdtempSync(join(tmpdir(), 'palabre-e2e-'))
let child, chromium, karim, hassan
/** What it has printed. */
let said = ''

/** Runs it where nothing else is, at ports of its own, until it says that the scene is ready. */
before(async () => {
  const [web, apps] = [await freePort(), await freePort()]
  const scratch = join(folder, 'tmp')
  mkdirSync(scratch)
  child = spawn(process.env.PALABRE, ['demo'], { cwd: folder, env: { ...process.env, TMPDIR: scratch, PALABRE_HTTP_LISTEN: `127.0.0.1:${web}`, PALABRE_C2S_LISTEN: `127.0.0.1:${apps}` }, stdio: ['ignore', 'pipe', 'pipe'] })
  await new Promise((ready, failed) => {
    child.stdout.on('data', (data) => { said += data; if (said.includes('Ctrl-C')) ready() })
    child.stderr.on('data', (data) => { said += data })
    child.on('exit', (code) => failed(new Error(`it ended (${code}): ${said}`)))
  })
  chromium = await browser()
})

after(async () => {
  await chromium?.close()
  if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Somebody of the scene comes in with a browser, at the printed address and with the printed password. */
async function visits(name, options) {
  const who = await Person.make(chromium, name, options)
  await withoutPasskeys(who)
  const address = /https:\S+(?=\/signin)/.exec(said)?.[0]
  const [, jid, password] = new RegExp(`^ +(${name}@localhost) +(\\S+) `, 'm').exec(said) ?? []
  assert.ok(address && password, said)
  await who.signIn(address, jid, password)
  await who.button('ob.later').click()
  await who.page.locator('.row, .empty').first().waitFor()
  return who
}

const row = (who, text) => who.page.locator('.row', { hasText: text }).first()

test('Karim finds his friends, the group, the fishmonger and the bank', async () => {
  karim = await visits('karim', { lang: 'en' })
  for (const name of ['Nadia Haddad', 'Poissonnerie Hassan', 'Banque de la Place', 'Omar Benali', 'Friday dinner']) await row(karim, name).waitFor()
  await well(karim, 'demo-list')
  await karim.open('nadia@localhost')
  await karim.sees('Beautiful. Bring some of it home, and bread.')
  await done(karim, 'Bread and lemons').waitFor()
  await until('the picture of the harbour is there', () => karim.page.locator('.it[data-id] img').evaluateAll((all) => all.some((img) => img.naturalWidth > 100)))
  await well(karim, 'demo-nadia')
  await karim.open('friday@groups.localhost')
  await karim.sees('Count on me 🙌')
  const bill = karim.page.locator('.mon', { has: karim.page.locator('.mon-who') })
  await bill.locator('.cta .btn.p').waitFor()
  await until('three have paid', async () => (await bill.locator('.mon-head .pill .num').textContent()).replace(/\D+/g, '/') === '3/6')
  await well(karim, 'demo-group')
})

test('the town hall tells something in its channel', async () => {
  await go(karim, '/updates')
  await karim.page.getByText('Town Hall of Saint-Elme').first().waitFor()
  await go(karim, '/channels/saint-elme')
  for (const title of ['The market moves for a week', 'Water is back in rue des Tanneurs', 'Fête de la mer on Saturday']) await karim.page.locator('.ch-post', { hasText: title }).waitFor()
  await well(karim, 'demo-channel')
})

test('the bank answers in the conversation', async () => {
  await karim.open('banque@localhost')
  await karim.write('balance')
  await karim.page.locator('.it[data-id]', { hasText: /Your account \S+ has / }).waitFor()
  await well(karim, 'demo-bank')
})

test('Karim pays the fishmonger what he asks for, who sees it', async () => {
  hassan = await visits('hassan', { lang: 'fr', size: [1280, 800] })
  await hassan.page.goto(`${hassan.origin}/chat/karim%40localhost`)
  await done(hassan, 'sardines').waitFor()
  await go(karim, '/pay')
  await karim.page.locator('.balance', { hasText: '710' }).waitFor() // 800, less the sardines, and bread
  await karim.page.locator('.pays > li').nth(2).waitFor()
  await well(karim, 'demo-wallet')
  await karim.open('hassan@localhost')
  await done(karim, 'sardines').waitFor()
  await request(karim, 'crabs').locator('.cta .btn.p').click()
  await confirm(karim)
  await done(karim, 'crabs').waitFor()
  await request(karim, 'crabs').locator('.pill.ok').waitFor()
  await well(karim, 'demo-paid')
  await done(hassan, 'crabs').waitFor()
  await well(hassan, 'demo-shop')
  await go(karim, '/pay')
  await karim.page.locator('.balance', { hasText: '665' }).waitFor()
})

test('the town hall administers the money of the town', async () => {
  const hall = await visits('mairie', { lang: 'fr', size: [1280, 800] })
  await go(hall, '/admin/money')
  await hall.page.getByRole('heading', { name: hall.t('adm.circulation') }).waitFor()
  await hall.page.getByText(/5[\s\u202f]?600,00/).first().waitFor() // what seven have got
  await well(hall, 'demo-hall')
  hall.clean()
})

test('it ends in order, and leaves nothing', async () => {
  for (const who of [karim, hassan]) { who.clean(); await who.end() }
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGINT')
  assert.equal(await ended, 0, said)
  assert.deepEqual(readdirSync(join(folder, 'tmp')), [])
})
