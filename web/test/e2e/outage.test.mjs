// What must hold when things break: nothing that was written is lost or comes twice, the order stays, and the state that is shown is true.
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia
/** All that amina and nadia have said so far, in order. */
const said = ['begin', 'we have begun']
/** How many of the last are compared: the page holds no more than a window. */
const window = 40
const minute = 60_000

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** After each trial both see all that was ever said, once and in order, after a reload as well. */
afterEach(async () => {
  for (const person of [amina, nadia]) {
    for (const reload of [false, true]) {
      if (reload) await person.page.reload()
      await person.sees(said.at(-1), minute)
      const seen = async () => (await person.texts()).slice(-window)
      await until('everything is there', async () => same(await seen(), said.slice(-window)), 10_000).catch(() => undefined)
      assert.deepEqual(await seen(), said.slice(-window), `${person.name}${reload ? ' after a reload' : ''}`)
    }
  }
})

const same = (a, b) => a.length === b.length && a.every((text, i) => text === b[i])
const order = ['waiting', 'sent', 'delivered', 'read']

/** The states of a message only ever went forward, and never said "failed". */
async function onlyForward(texts) {
  for (const text of texts) {
    const states = await amina.states(text)
    assert.deepEqual(states, order.filter((s) => states.includes(s)), `states of ${text}`)
    assert.ok(states.length > 0, `${text} was seen`)
  }
}

async function writeAll(texts) {
  for (const text of texts) {
    said.push(text)
    await amina.write(text)
  }
}

test('the server is killed with 20 messages on their way, and comes back', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `killed ${i + 1}`)
  await amina.watchStates()
  await writeAll(texts.slice(0, 6))
  await town.server.stop('SIGKILL')
  await writeAll(texts.slice(6))
  await amina.state('killed 20', 'waiting')
  await town.server.start()
  await amina.state('killed 20', 'read', minute)
  for (const text of texts) await amina.state(text, 'read', minute)
  await onlyForward(texts)
})

test('everything on its way is lost with the connection', async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `reset ${i + 1}`)
  await amina.watchStates()
  await town.bad.tell('stall')
  await writeAll(texts)
  for (const text of texts) await amina.state(text, 'waiting')
  await town.bad.tell('reset')
  await town.bad.tell('flow')
  for (const text of texts) await amina.state(text, 'read', minute)
  await onlyForward(texts)
})

test('nothing passes for 60 s, and then all at once', { timeout: 4 * minute }, async () => {
  const texts = ['stalled 1', 'stalled 2', 'stalled 3']
  await amina.watchStates()
  const begin = Date.now()
  await town.bad.tell('stall')
  await writeAll(texts)
  await amina.page.locator('.net, .pill.wait, .pill.bad').first().waitFor({ timeout: 45_000 })
  await amina.shot('stalled')
  await until('a minute is over', () => Date.now() - begin > minute, 2 * minute)
  for (const text of texts) await amina.state(text, 'waiting')
  await town.bad.tell('flow')
  for (const text of texts) await amina.state(text, 'read', minute)
  await onlyForward(texts)
})

test('connections are cut again and again while both write', async () => {
  const texts = Array.from({ length: 12 }, (_, i) => `cut ${i + 1}`)
  await amina.watchStates()
  for (const [i, text] of texts.entries()) {
    await writeAll([text])
    if (i % 3 === 1) await town.bad.tell(i % 2 ? 'cut' : 'reset')
  }
  for (const text of texts) await amina.state(text, 'read', minute)
  await onlyForward(texts)
})

test('a slow network: everything takes 700 ms each way', async () => {
  await town.bad.tell('delay 700ms')
  const texts = ['slow 1', 'slow 2', 'slow 3']
  await amina.watchStates()
  await writeAll(texts)
  for (const text of texts) await amina.state(text, 'read', minute)
  await onlyForward(texts)
  await town.bad.tell('delay 0s')
})

test('the tab is killed between the writing and the sending', async () => {
  await town.bad.tell('stall')
  await writeAll(['tab killed'])
  await amina.state('tab killed', 'waiting')
  await amina.page.close({ runBeforeUnload: false })
  amina.page = await amina.tab()
  await amina.open(nadia.jid)
  await amina.state('tab killed', 'waiting')
  await town.bad.tell('reset')
  await town.bad.tell('flow')
  await amina.state('tab killed', 'read', minute)
})

test('the tab is killed at the click: the message is kept, or its text is still being written', async () => {
  for (let i = 1; i <= 5; i++) {
    const text = `at the click ${i}`
    await amina.page.locator('.comp textarea').fill(text)
    await amina.page.locator('.row .draft').waitFor() // it is kept, the list says
    await amina.page.evaluate(() => { document.querySelector('.comp .send').click() })
    await amina.page.close({ runBeforeUnload: false })
    amina.page = await amina.tab()
    await amina.open(nadia.jid)
    const kept = await until('it is somewhere', async () => await amina.message(text).count() ? 'message' : await amina.page.locator('.comp textarea').inputValue() === text ? 'draft' : false)
    if (kept === 'draft') await amina.page.locator('.comp .send').click()
    said.push(text)
    await amina.state(text, 'read', minute)
  }
})

test('two tabs write and show the same; the one that leads is closed', async () => {
  const first = amina.page
  const second = await amina.tab()
  await second.goto(first.url())
  await second.locator('.comp textarea').waitFor()
  for (const [text, page] of [['first tab 1', first], ['second tab 1', second], ['first tab 2', first], ['second tab 2', second]]) {
    said.push(text)
    await amina.write(text, page)
    await nadia.sees(text)
  }
  for (const page of [first, second]) assert.deepEqual((await amina.texts(page)).slice(-window), said.slice(-window))
  await first.close()
  amina.page = second
  await writeAll(['the other is gone'])
  await amina.state('the other is gone', 'read', minute)
})

/** Keeps a little in a database of its own; whether that was refused. Runs in the page. */
function tryToKeep() {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('end-to-end')
    opening.onupgradeneeded = () => opening.result.createObjectStore('some')
    opening.onerror = () => done(opening.error.name === 'QuotaExceededError')
    opening.onsuccess = () => {
      const tx = opening.result.transaction('some', 'readwrite', { durability: 'strict' })
      tx.objectStore('some').put('x'.repeat(1000), 1)
      tx.oncomplete = () => { opening.result.close(); done(false) }
      tx.onabort = () => { opening.result.close(); if (tx.error?.name === 'QuotaExceededError') done(true); else failed(tx.error) }
    }
  })
}

test('storage is full: nothing is sent that is not kept, and what comes is not lost', async () => {
  const cdp = await amina.context.newCDPSession(amina.page)
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: amina.origin, quotaSize: 1 })
  await until('the browser refuses to keep more', () => amina.page.evaluate(tryToKeep), minute) // it notices after a while only
  await amina.page.locator('.comp textarea').fill('no room')
  await amina.page.locator('.comp .send').click()
  await amina.page.locator('.toast', { hasText: amina.t('notKept') }).waitFor()
  assert.equal(await amina.page.locator('.comp textarea').inputValue(), 'no room')
  await amina.shot('full')
  said.push('came while full')
  await nadia.write('came while full')
  await nadia.state('came while full', 'sent')
  await amina.page.getByText(amina.t('net.fullTitle')).first().waitFor()
  await amina.shot('full-told')
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: amina.origin })
  await until('there is room again', async () => !await amina.page.evaluate(tryToKeep), minute)
  await amina.sees('came while full', minute)
  await amina.page.getByText(amina.t('net.fullTitle')).first().waitFor({ state: 'detached' })
  said.push('no room')
  await amina.page.locator('.comp .send').click()
  await amina.state('no room', 'read', minute)
})
