// The crypto worker in a real browser, under the server's Content-Security-Policy: IndexedDB, Web Locks, two tabs, a tab that dies.
// Run with `npx vitest run --dir test/interop`; it needs Chromium.

import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types palabre"
const romeo = 'romeo@example.org'
const juliet = 'juliet@example.net'
let folder
let server
let browser

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crypto-page-'))
  const input = join(root, 'test/interop/worker-page.ts')
  await build({ root, configFile: false, logLevel: 'error', worker: { format: 'es' }, build: {
    target: 'es2022', outDir: folder, emptyOutDir: true, modulePreload: { polyfill: false }, rollupOptions: { input } } })
  const entry = readdirSync(join(folder, 'assets')).find((name) => name.startsWith('worker-page'))
  server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('Content-Type', path.endsWith('.js') ? 'text/javascript' : 'text/html')
    response.end(path.endsWith('.js') ? readFileSync(join(folder, path)) : `<!doctype html><title>t</title><script type="module" src="/assets/${entry}"></script>`)
  }).listen(0, 'localhost')
  await new Promise((resolve) => server.once('listening', resolve))
  browser = await chromium.launch({ executablePath: process.env.CHROME ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  server?.close()
  rmSync(folder, { recursive: true })
})

/** A browser of one person with what their accounts publish; `tab` opens another page in it. */
async function person() {
  const context = await browser.newContext()
  const kept = new Map()
  const problems = []
  await context.exposeFunction('server', (what, ...args) => {
    if (what === 'publish') kept.set(`bundle ${args[0]} ${args[1]} ${args[2]}`, args[3])
    else if (what === 'publishList') kept.set(`list ${args[0]} ${args[1]}`, args[2])
    else return kept.get(`${what} ${args.join(' ')}`) ?? (what === 'list' ? '[]' : 'null')
    return ''
  })
  const tab = async (...jids) => {
    const page = await context.newPage()
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()))
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(`http://localhost:${server.address().port}/`)
    await page.waitForFunction(() => 'page' in window)
    for (const jid of jids) await page.evaluate((jid) => window.page.start(jid), jid)
    return page
  }
  return { tab, problems, context }
}

const encrypt = (page, from, to, body) => page.evaluate((a) => window.page.encrypt(...a), [from, to, body])
const decrypt = (page, jid, from, key, message) => page.evaluate((a) => window.page.decrypt(...a), [jid, from, key, message])

test('a conversation through two workers; two tabs never fork a ratchet', async () => {
  const { tab, problems, context } = await person()
  const one = await tab(romeo, juliet)
  for (let i = 0; i < 5; i++) {
    expect(await decrypt(one, juliet, romeo, `a${i}`, await encrypt(one, romeo, juliet, `to juliet ${i}`))).toBe(`to juliet ${i}`)
    expect(await decrypt(one, romeo, juliet, `b${i}`, await encrypt(one, juliet, romeo, `to romeo ${i}`))).toBe(`to romeo ${i}`)
  }
  const two = await tab(romeo)
  const bodies = Array.from({ length: 30 }, (_, i) => `m${i}`)
  const sent = await Promise.all(bodies.map((body, i) => encrypt(i % 2 ? one : two, romeo, juliet, body)))
  expect(new Set(sent).size).toBe(30)
  for (const [i, message] of sent.entries()) expect(await decrypt(one, juliet, romeo, `c${i}`, message)).toBe(`m${i}`)
  for (const [i, message] of sent.entries()) expect(await decrypt(one, juliet, romeo, `d${i}`, message)).toBe('duplicate')
  expect(problems).toEqual([])
  await context.close()
}, 60_000)

test('what a tab decrypted before it died is there in the next; nothing can be read from the disk', async () => {
  const { tab, problems, context } = await person()
  const first = await tab(romeo, juliet)
  const message = await encrypt(first, romeo, juliet, 'a secret')
  const next = await encrypt(first, romeo, juliet, 'another secret')
  expect(await decrypt(first, juliet, romeo, 'k1', message)).toBe('a secret')
  await first.close()
  const second = await tab(juliet)
  expect(await second.evaluate((jid) => window.page.unstored(jid), juliet)).toEqual(['a secret'])
  expect(await decrypt(second, juliet, romeo, 'k1', message)).toBe('a secret')
  expect(await decrypt(second, juliet, romeo, 'k2', next)).toBe('another secret')
  expect(await second.evaluate((jid) => window.page.stolen(jid), juliet)).toEqual({ exported: 'InvalidAccessError', found: false })
  expect(problems).toEqual([])
  await context.close()
}, 60_000)
