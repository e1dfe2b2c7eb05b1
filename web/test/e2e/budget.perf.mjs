// The budgets that need the real client and the real server: times at a processor four times as slow. Of five runs the median counts for the
// start, and the best for what is shorter than a slice of a busy machine's time; both are told.
import assert from 'node:assert/strict'
import { loadavg } from 'node:os'
import { after, before, test } from 'node:test'
import { Town } from './town.mjs'

const slow = 4
const runs = 5
let town, amina, nadia, client

before(async () => {
  town = await Town.found()
  ;({ amina, nadia } = town)
  await amina.page.evaluate(() => navigator.serviceWorker.ready)
  for (let i = 1; i <= 40; i++) await amina.write(`message number ${i} with a few words more`)
  await amina.state('message number 40 with a few words more', 'read', 60_000)
  await amina.page.goto(`${amina.origin}/`)
  await amina.page.locator('.row').first().waitFor()
  client = await amina.context.newCDPSession(amina.page)
})

after(() => town?.end())

const best = (all) => Math.min(...all)
const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)]

/** Says what was measured, and fails when it is too much. */
function within(what, all, most, { unit = 'ms', pick = median } = {}) {
  const found = Math.round(pick(all))
  console.log(`measured: ${what}: ${found} ${unit} (at most ${most}; ${all.map((x) => Math.round(x)).join(' ')}; load ${loadavg()[0].toFixed(1)})`)
  assert.ok(found <= most, `${what}: ${found} ${unit}, at most ${most}`)
}

test('reopened offline, the list is there within 500 ms at 4x', async () => {
  await client.send('Emulation.setCPUThrottlingRate', { rate: slow })
  await amina.context.setOffline(true)
  await amina.page.addInitScript(() => {
    const look = () => { if (document.querySelector('.row')) { globalThis.listAt ??= performance.now(); watch.disconnect() } }
    const watch = new MutationObserver(look)
    watch.observe(document, { subtree: true, childList: true })
  })
  const all = []
  for (let i = 0; i < runs; i++) {
    await amina.page.goto(`${amina.origin}/`)
    await amina.page.waitForFunction(() => globalThis.listAt !== undefined)
    all.push(await amina.page.evaluate(() => globalThis.listAt))
  }
  await amina.context.setOffline(false)
  within('reopen offline to the list', all, 500)
})

test('a chat of 40 messages opens within 200 ms at 4x', async () => {
  const all = []
  await amina.page.goto(`${amina.origin}/`)
  for (let i = 0; i < runs; i++) {
    await amina.page.locator('.row').first().waitFor()
    all.push(await amina.page.evaluate(() => new Promise((done) => {
      const begin = performance.now()
      const watch = new MutationObserver(() => {
        if (document.querySelectorAll('.it[data-id]').length < 40) return
        watch.disconnect()
        requestAnimationFrame(() => done(performance.now() - begin))
      })
      watch.observe(document, { subtree: true, childList: true })
      document.querySelector('.row').click()
    })))
    await amina.page.goBack()
  }
  within('open a chat of 40 messages', all, 200, { pick: best })
})

test('from the tap to the bubble within 50 ms at 4x, and it is kept by then', async () => {
  await amina.page.locator('.row').first().click()
  await amina.page.locator('.comp textarea').waitFor()
  const all = []
  for (let i = 0; i < runs; i++) {
    await amina.page.locator('.comp textarea').fill(`tap ${i}`)
    all.push(await amina.page.evaluate((text) => new Promise((done) => {
      const begin = performance.now()
      const watch = new MutationObserver(() => {
        if (![...document.querySelectorAll('.it .txt')].some((e) => e.textContent.trim() === text)) return
        watch.disconnect()
        done(performance.now() - begin)
      })
      watch.observe(document, { subtree: true, childList: true })
      document.querySelector('.comp .send').click()
    }), `tap ${i}`))
  }
  within('tap to bubble', all, 50, { pick: best })
})

/** Puts messages and chats into the client's own database, as if they had come long ago. Runs in the page. */
async function fill([mine, hers, messages, chats]) {
  const name = `palabre:${mine}`
  const db = await new Promise((done, failed) => { const asked = indexedDB.open(name); asked.onsuccess = () => done(asked.result); asked.onerror = () => failed(asked.error) })
  const tx = db.transaction(['messages', 'chats', 'kv'], 'readwrite')
  const words = 'On se retrouve demain devant la grande mosquée, apporte les photos et le pain si tu passes par le marché'.split(' ')
  const begin = Date.now() * 1000 - 40 * 86_400e6
  for (let i = 0; i < messages; i++) {
    const own = i % 3 === 0, time = begin + i * 180e6
    tx.objectStore('messages').put({ id: `old ${i}`, chat: hers, order: time, time, from: own ? mine : hers, own, content: { type: 'text', text: `${words.slice(0, 2 + (i * 7) % words.length).join(' ')} ${i}` },
      names: [`old ${i}`], shelves: [], protection: 'omemo', ...(own ? { state: 'read' } : {}) })
  }
  for (let i = 0; i < chats; i++) tx.objectStore('chats').put({ jid: `c${i}@localhost`, kind: 'person', name: `Contact ${i}`, time: begin + i, unread: 0, protection: 'omemo', last: { id: `x${i}`, from: `c${i}@localhost`, own: false, text: 'À bientôt !', content: 'text' } })
  tx.objectStore('kv').put('', `older ${hers}`)
  await new Promise((done, failed) => { tx.oncomplete = done; tx.onabort = () => failed(tx.error) })
  db.close()
}

test('10,000 messages scroll with frames of at most 33 ms (p95) at 4x', { timeout: 180_000 }, async () => {
  await client.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  await amina.page.evaluate(fill, [amina.jid, nadia.jid, 10_000, 1_000])
  await amina.page.goto(`${amina.origin}/`)
  await amina.page.locator('.row', { hasText: 'Contact' }).first().waitFor()
  await amina.page.locator('.row').first().click()
  await amina.page.locator('.it[data-id]').first().waitFor()
  await client.send('Emulation.setCPUThrottlingRate', { rate: slow })
  const all = []
  for (let i = 0; i < 3; i++) {
    const frames = await amina.page.evaluate(() => new Promise((done) => {
      const log = document.querySelector('.log')
      const times = []
      let last = performance.now()
      const begun = last
      const step = (now) => {
        times.push(now - last)
        last = now
        log.scrollTop -= 60
        if (now - begun < 8000) requestAnimationFrame(step)
        else done(times.slice(2))
      }
      requestAnimationFrame(step)
    }))
    frames.sort((a, b) => a - b)
    all.push(frames[Math.floor(frames.length * 0.95)])
    console.log(`measured: frames while scrolling: median ${frames[frames.length >> 1].toFixed(1)} ms, p95 ${all.at(-1).toFixed(1)}, worst ${frames.at(-1).toFixed(0)}, ${frames.length} frames`)
  }
  const bubbles = await amina.page.locator('.it[data-id]').count()
  assert.ok(bubbles <= 200, `${bubbles} bubbles in the page`)
  within('frames while scrolling through 10,000 messages, p95', all, 33, { pick: best })
})

test('the heap stays below 40 MB with 1,000 chats and one open', async () => {
  await client.send('HeapProfiler.enable')
  await client.send('HeapProfiler.collectGarbage')
  const { usedSize } = await client.send('Runtime.getHeapUsage')
  within('heap with one open chat', [usedSize / 1e6], 40, { unit: 'MB' })
})
