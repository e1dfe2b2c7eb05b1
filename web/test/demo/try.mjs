// Goes through the demo as a person would, by keys and by pointer, and says what did not hold: node test/demo/try.mjs
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { browser, serve } from './shots.mjs'

const server = await serve()
const origin = `http://127.0.0.1:${server.address().port}`
const chromium = await browser()
const chat = (name) => `/chat/${encodeURIComponent(`${name}@palabre.example`)}`
let failures = 0

async function trial(name, path, act, { size = [1440, 900], lang = 'en' } = {}) {
  const context = await chromium.newContext({ viewport: { width: size[0], height: size[1] }, locale: lang, hasTouch: size[0] < 720, permissions: ['microphone'] })
  const page = await context.newPage()
  page.setDefaultTimeout(6000)
  const errors = []
  page.on('pageerror', (e) => errors.push(String(e)))
  page.on('console', (m) => { if (m.type() === 'error') errors.push(m.text()) })
  try {
    await page.goto(origin + path)
    await page.waitForSelector('.row, .log')
    await act(page)
    assert.deepEqual(errors, [])
    console.log(`  ok  ${name}`)
  } catch (error) {
    failures++
    console.log(`FAIL  ${name}\n      ${String(error.message).split('\n').slice(0, 6).join('\n      ')}`)
  }
  await context.close()
}

const field = '.comp textarea'
const last = (page) => page.locator('.it[data-id]').last()

await trial('a message is written, sent, delivered and read', chat('aicha'), async (page) => {
  await page.fill(field, 'Bonjour *toi*')
  await page.press(field, 'Enter')
  await page.waitForFunction(() => [...document.querySelectorAll('.it')].at(-1)?.textContent.includes('Bonjour toi'))
  assert.equal(await page.inputValue(field), '')
  await last(page).locator('.st.read').waitFor()
  assert.match(await last(page).getAttribute('aria-label'), /^You, Bonjour \*toi\*, Read, /)
  assert.equal(await last(page).locator('strong').textContent(), 'toi')
})

await trial('a line break is not a send, and Up edits the last message', chat('aicha'), async (page) => {
  await page.fill(field, 'one')
  await page.press(field, 'Shift+Enter')
  await page.locator(field).pressSequentially('two')
  assert.equal(await page.inputValue(field), 'one\ntwo')
  await page.press(field, 'Enter')
  await page.waitForFunction(() => [...document.querySelectorAll('.it')].at(-1)?.textContent.includes('two'))
  await page.press(field, 'ArrowUp')
  assert.equal(await page.inputValue(field), 'one\ntwo')
  await page.fill(field, 'three')
  await page.press(field, 'Enter')
  await page.waitForFunction(() => [...document.querySelectorAll('.it')].at(-1)?.textContent.includes('edited'))
})

await trial('each message of others is said once', chat('aicha'), async (page) => {
  await page.evaluate(() => { globalThis.said = []; new MutationObserver(() => { const t = document.querySelector('#said').textContent; if (t) globalThis.said.push(t) }).observe(document.querySelector('#said'), { childList: true, characterData: true, subtree: true }) })
  await page.evaluate(() => globalThis.demo.receive('aicha@palabre.example', 'Hello you'))
  await page.waitForFunction(() => globalThis.said.length > 0)
  await page.waitForTimeout(400)
  const said = await page.evaluate(() => globalThis.said)
  assert.equal(said.length, 1)
  assert.match(said[0], /^Aïcha Diallo, Hello you, /)
})

await trial('who reads above is not moved by what comes below', `${chat('long')}?many=1000`, async (page) => {
  const log = page.locator('.log')
  await log.evaluate((e) => { e.scrollTop -= 1500 })
  await page.waitForTimeout(500)
  const see = () => page.evaluate(() => { const box = document.querySelector('.log').getBoundingClientRect(); const item = [...document.querySelectorAll('.it')].find((i) => i.getBoundingClientRect().top > box.top + 50); return [item.dataset.id, Math.round(item.getBoundingClientRect().top)] })
  const before = await see()
  await page.evaluate(() => globalThis.demo.receive('long@palabre.example', 'Below'))
  await page.waitForSelector('.to-end .badge')
  assert.deepEqual(await see(), before)
  await page.locator('.to-end').click()
  await page.waitForFunction(() => { const l = document.querySelector('.log'); return l.scrollHeight - l.scrollTop - l.clientHeight < 5 })
  assert.equal(await page.locator('.to-end').count(), 0)
})

await trial('scrolling up through a long chat keeps its place and its size', `${chat('long')}?many=3000`, async (page) => {
  const seen = new Set()
  for (let i = 0; i < 60; i++) {
    const now = await page.evaluate(() => { const l = document.querySelector('.log'); l.scrollTop -= 500; return [...document.querySelectorAll('.it')].map((e) => Number(/ (\d+)$/.exec(e.querySelector('.txt').textContent)[1])) })
    for (let j = 1; j < now.length; j++) assert.equal(now[j], now[j - 1] + 1, 'the window has no hole')
    assert.ok(now.length <= 200)
    for (const n of now) seen.add(n)
    await page.waitForTimeout(30)
  }
  assert.ok(seen.size > 400, `only ${seen.size} seen`)
})

await trial('a quotation leads to what it quotes, a reaction is given and taken back', chat('aicha'), async (page) => {
  await page.locator('.it .m').nth(2).click({ button: 'right' })
  await page.getByRole('menuitemradio').first().click()
  await page.locator('.rx').first().waitFor()
  await page.locator('.rx').first().click()
  await page.getByRole('dialog').getByRole('button', { name: /Take back/ }).click()
  await page.locator('.rx').first().waitFor({ state: 'detached' })
})

await trial('Back closes the menu and then leaves the conversation', '/', async (page) => {
  await page.locator('.row').nth(2).click()
  await page.waitForSelector('.hd')
  await page.locator('.it .m').first().click({ button: 'right' })
  await page.waitForSelector('.menu')
  await page.goBack()
  await page.waitForSelector('.menu', { state: 'detached' })
  assert.equal(await page.locator('.hd').count(), 1)
  await page.goBack()
  await page.waitForSelector('.hd', { state: 'detached' })
  assert.equal(new URL(page.url()).pathname, '/')
}, { size: [390, 844] })

await trial('what is being written waits in the list, and comes back', '/', async (page) => {
  await page.locator('.row').nth(3).click()
  await page.fill(field, 'half a thought')
  await page.waitForTimeout(900)
  await page.getByRole('button', { name: 'Back' }).click()
  await page.locator('.row', { hasText: 'half a thought' }).waitFor()
  await page.locator('.row', { hasText: 'half a thought' }).click()
  await page.waitForSelector(field)
  assert.equal(await page.inputValue(field), 'half a thought')
}, { size: [390, 844] })

await trial('everything by keys: search, open, read, answer, react', '/', async (page) => {
  await page.keyboard.press('/')
  await page.keyboard.type('famille')
  assert.equal(await page.locator('.row').count(), 1)
  await page.keyboard.press('Tab'); await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.log')
  await page.locator('.it[data-id]').last().focus()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('r')
  assert.ok(await page.locator(field).evaluate((e) => e === document.activeElement))
  await page.keyboard.type('by keys')
  await page.keyboard.press('Enter')
  await last(page).locator('.quote').waitFor()
  await last(page).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menu').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('menu').waitFor({ state: 'detached' })
  assert.ok(await last(page).evaluate((e) => e === document.activeElement), 'the focus is back on the message')
})

await trial('several are chosen and archived, and that is undone', '/', async (page) => {
  const before = await page.locator('.row').count()
  await page.locator('.row').nth(2).click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Select' }).click()
  await page.locator('.row').nth(3).click()
  await page.getByText('2 selected').waitFor()
  await page.getByRole('button', { name: 'Archive' }).click()
  await page.locator('.toast button').click()
  await page.waitForFunction((n) => document.querySelectorAll('.row').length === n, before)
})

await trial('a voice note is recorded by keys, heard and sent', chat('aicha'), async (page) => {
  await page.locator('.send').focus()
  await page.keyboard.press('Enter')
  await page.waitForSelector('.rec-bar [role=timer]')
  await page.waitForTimeout(1300)
  await page.getByRole('button', { name: 'Stop and listen' }).click()
  await page.getByText('Ready to send').waitFor()
  await page.getByRole('button', { name: 'Send the voice message' }).click()
  await last(page).locator('.voice').waitFor()
})

/** A finger, as the browser hears it. */
async function finger(page, points, holdMs = 0) {
  const client = await page.context().newCDPSession(page)
  const [first, ...rest] = points
  await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: first[0], y: first[1] }] })
  for (const [x, y] of rest) { await client.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y }] }); await page.waitForTimeout(16) }
  if (holdMs) await page.waitForTimeout(holdMs)
  await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
}
const middle = async (locator) => { const b = await locator.boundingBox(); return [b.x + b.width / 2, b.y + b.height / 2] }
const line = ([x, y], dx, dy) => Array.from({ length: 12 }, (_, i) => [x + (dx * i) / 11, y + (dy * i) / 11])
const phone = { size: [390, 844] }

await trial('a finger: a row swiped away is archived, a long press opens the menu and no chat', '/', async (page) => {
  await finger(page, line(await middle(page.locator('.row').nth(4)), -160, 2))
  await page.locator('.toast').waitFor()
  await finger(page, [await middle(page.locator('.row').nth(2))], 700)
  await page.getByRole('menu').waitFor()
  assert.equal(await page.locator('.hd').count(), 0)
}, phone)

await trial('a finger: a message swiped is answered, a long press opens its menu', chat('aicha'), async (page) => {
  await finger(page, line(await middle(page.locator('.it .m').nth(1)), 120, 1))
  await page.locator('.above').waitFor()
  await finger(page, [await middle(page.locator('.it .m').nth(1))], 700)
  await page.getByRole('menu').waitFor()
}, phone)

await trial('a finger: held to record and let go to send; slid aside to throw away; slid up to go on', chat('aicha'), async (page) => {
  const before = await page.locator('.it .voice').count()
  const button = await middle(page.locator('.send'))
  await finger(page, [button], 1500)
  await page.waitForFunction((n) => document.querySelectorAll('.it .voice').length === n + 1, before)
  await finger(page, [button, ...line(button, 0, 0), ...line(button, -140, 0)], 100)
  await page.waitForSelector('.rec-bar', { state: 'detached' })
  assert.equal(await page.locator('.it .voice').count(), before + 1)
  await finger(page, [button, ...line(button, 0, -120)], 600)
  await page.getByRole('button', { name: 'Send the voice message' }).waitFor()
  await page.waitForTimeout(900)
  await page.getByRole('button', { name: 'Send the voice message' }).click()
  await page.waitForFunction((n) => document.querySelectorAll('.it .voice').length === n + 2, before)
}, phone)

await trial('a photo is offered, captioned and sent', chat('aicha'), async (page) => {
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Attach' }).click()
  await page.getByRole('button', { name: 'Photo or video' }).click()
  await (await chooser).setFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') })
  await page.getByLabel('Add a caption').fill('Look')
  await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click()
  await last(page).locator('.pic img').waitFor()
})

await trial('the language of the browser is spoken', '/', async (page) => {
  assert.equal(await page.locator('h1').first().textContent(), 'Discussions')
}, { lang: 'fr-FR' })

await trial('it opens without network, and a newer version waits until somebody agrees', '/', async (page) => {
  await page.evaluate(async () => { await navigator.serviceWorker.ready; for (let i = 0; i < 100; i++) { const names = await caches.keys(); const kept = await Promise.all(names.map(async (n) => (await (await caches.open(n)).keys()).map((r) => r.url))); if (kept.flat().some((u) => /assets\/en-/.test(u))) return; await new Promise((go) => setTimeout(go, 50)) } throw new Error('not kept') })
  await page.context().setOffline(true)
  await page.reload()
  await page.waitForSelector('.row')
  await page.locator('.fab').click()
  await page.getByRole('heading', { name: 'New chat' }).waitFor()
  await page.goBack()
  await page.locator('.row').nth(2).click()
  await page.waitForSelector('.log li[data-id]')
  await page.context().setOffline(false)
  const worker = join(process.env.OUT ?? '/tmp/palabre-demo', 'sw.js')
  const before = readFileSync(worker, 'utf8')
  try {
    writeFileSync(worker, before.replace(/(["`']?version["`']?:\s*["`'])/, '$1x'))
    await page.goto(`${origin}/`)
    await page.evaluate(async () => { await (await navigator.serviceWorker.ready).update() })
    await page.getByText('A new version is ready').waitFor()
    const loaded = page.waitForEvent('load')
    await page.getByRole('button', { name: 'Update' }).click()
    await loaded
    await page.waitForSelector('.row')
    assert.ok((await page.evaluate(() => caches.keys())).some((n) => n.startsWith('palabre-x')))
  } finally { writeFileSync(worker, before) }
})

await trial('a wake-up is shown in the language of the person, and none while somebody looks', '/', async (page) => {
  await page.context().grantPermissions(['notifications'])
  await page.evaluate(() => navigator.serviceWorker.ready)
  const client = await page.context().newCDPSession(page)
  const registrations = []
  client.on('ServiceWorker.workerRegistrationUpdated', (e) => registrations.push(...e.registrations))
  await client.send('ServiceWorker.enable')
  await page.waitForTimeout(500)
  const { registrationId } = registrations.at(-1)
  const shown = () => page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => [n.title, n.body]))
  const push = (data) => client.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data: JSON.stringify(data) })
  await push({ v: 1, count: 2, chat: 'x' })
  await page.waitForTimeout(600)
  assert.deepEqual(await shown(), [])
  await push({ v: 1, test: true })
  let seen = []
  for (let i = 0; i < 60 && !seen.length; i++) { seen = await shown(); await page.waitForTimeout(50) }
  assert.deepEqual(seen, [['Palabre', 'Les notifications fonctionnent. C’était un essai.']])
}, { lang: 'fr-FR' })

await chromium.close()
server.close()
process.exitCode = failures ? 1 : 0
