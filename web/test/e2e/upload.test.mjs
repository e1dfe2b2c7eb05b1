// A file on its way when the tab is closed goes on by itself, from where it was; what a person stopped stays stopped; what is given up leaves nothing.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia
const minute = 60_000
const total = 6_000_000

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] }, nadia: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')
const item = (person, name) => person.page.locator('.it', { hasText: name })

/** How far the transfer of a file is shown to be, 0 to 1. */
const progress = (name) => item(amina, name).locator('.ring .dial circle').last().evaluate((c) => Number(c.getAttribute('stroke-dasharray').split(' ')[0]) / (2 * Math.PI * 16))

/** Sends a file so slowly that there is time to break things, and waits until a good part of it has left. */
async function begin(name) {
  const buffer = randomBytes(total)
  const cdp = await amina.context.newCDPSession(amina.page)
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 1_000_000 })
  await amina.page.locator('.comp').getByRole('button', { name: amina.t('attach'), exact: true }).click()
  const choosing = amina.page.waitForEvent('filechooser')
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('attach.file') }).click()
  await (await choosing).setFiles({ name, mimeType: 'application/octet-stream', buffer })
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
  await until('a good part has left', async () => await item(amina, name).locator('.ring').count() && await progress(name) > 0.25, minute)
  return { buffer, cdp }
}

/** Closes the tab without a word and opens another; notes which pieces that one sends. */
async function reopen() {
  await amina.page.close({ runBeforeUnload: false })
  amina.page = await amina.tab()
  const pieces = []
  amina.page.on('request', (request) => { if (request.method() === 'PUT') pieces.push(request.headers()['content-range'] ?? 'whole') })
  await amina.open(nadia.jid)
  return pieces
}

/** The bytes of a file as somebody saves them. */
async function save(person, name) {
  const doc = item(person, name)
  await doc.waitFor({ timeout: minute })
  const saving = person.page.waitForEvent('download', { timeout: minute })
  const click = () => doc.locator('button.doc').click({ timeout: 2000 }).catch(() => undefined)
  let saved
  saving.then((got) => { saved = got }, () => undefined)
  await until('it is saved', async () => { if (!saved) await click(); return saved }, minute)
  const parts = []
  for await (const part of await saved.createReadStream()) parts.push(part)
  return Buffer.concat(parts)
}

test('the tab is closed in the middle and nothing passes: the file waits with its true progress, and goes on from there', { timeout: 4 * minute }, async () => {
  const { buffer } = await begin('journey.bin')
  await town.bad.tell('stall')
  const pieces = await reopen()
  // Offline, before anything could be asked: how far it had come is known, and that it waits.
  await until('the progress is back', async () => await item(amina, 'journey.bin').locator('.ring').count() && await progress('journey.bin') > 0.2)
  assert.ok(await progress('journey.bin') < 1)
  await item(amina, 'journey.bin').locator('.st.waiting').waitFor({ state: 'attached' })
  await amina.shot('upload-waits')
  await town.bad.tell('reset')
  await town.bad.tell('flow')
  await item(amina, 'journey.bin').locator('.st.read').waitFor({ state: 'attached', timeout: minute })
  const from = pieces.map((range) => Number(/^bytes (\d+)-/.exec(range)?.[1]))
  assert.ok(from.length >= 1 && from.every((at) => at > total * 0.1), `went on at ${pieces.join(', ')}`)
  assert.equal(await item(amina, 'journey.bin').count(), 1)
  assert.equal(hash(await save(nadia, 'journey.bin')), hash(buffer))
})

test('what was paused is paused after a reload, and goes on when it is told to', { timeout: 3 * minute }, async () => {
  const { buffer } = await begin('paused.bin')
  await item(amina, 'paused.bin').locator('.ring').click()
  const before = await progress('paused.bin')
  const pieces = await reopen()
  await item(amina, 'paused.bin').locator('.ring').waitFor()
  await amina.write('after the pause') // overtakes it: the connection is there
  await amina.state('after the pause', 'read')
  assert.equal(await progress('paused.bin'), before)
  assert.deepEqual(pieces, [])
  await amina.shot('upload-paused')
  await item(amina, 'paused.bin').locator('.ring').click()
  await item(amina, 'paused.bin').locator('.st.read').waitFor({ state: 'attached', timeout: minute })
  assert.match(pieces[0], /^bytes [1-9]\d*-/)
  assert.equal(hash(await save(nadia, 'paused.bin')), hash(buffer))
})

test('given up after a reload: nothing of it is left, on either side', { timeout: 3 * minute }, async () => {
  await begin('given-up.bin')
  await town.bad.tell('stall')
  await reopen()
  const message = item(amina, 'given-up.bin')
  await message.locator('.ring').waitFor()
  await message.locator('.m').click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('transfer.cancel'), exact: true }).click()
  await message.waitFor({ state: 'detached' })
  const kept = await amina.page.evaluate(onlyHere)
  await town.bad.tell('reset')
  await town.bad.tell('flow')
  assert.deepEqual(kept, [])
  await amina.write('given up')
  await amina.state('given up', 'read', minute)
  assert.equal(await item(nadia, 'given-up.bin').count(), 0)
  await amina.page.reload()
  await amina.sees('given up')
  assert.equal(await message.count(), 0)
})

/** The files that are nowhere but on this device, and the outbox. Runs in the page. */
async function onlyHere() {
  const { name } = (await indexedDB.databases()).find((d) => d.name === 'palabre:amina@localhost')
  const db = await new Promise((done, failed) => { const opening = indexedDB.open(name); opening.onsuccess = () => done(opening.result); opening.onerror = () => failed(opening.error) })
  const all = (store) => new Promise((done, failed) => { const asked = db.transaction(store).objectStore(store).getAll(); asked.onsuccess = () => done(asked.result); asked.onerror = () => failed(asked.error) })
  const left = [...(await all('files')).filter((f) => f.only).map((f) => f.key), ...(await all('outbox')).map((e) => e.task.what)]
  db.close()
  return left
}

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
