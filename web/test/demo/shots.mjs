// Pictures of the screens of the demo build, under the headers of the real server, and axe on each: node test/demo/shots.mjs [name…]
import { createServer } from 'node:http'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { screens } from './screens.mjs'

const dist = process.env.OUT ?? '/tmp/palabre-demo'
const out = process.env.SHOTS ?? '/tmp/palabre-shots'
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.webmanifest': 'application/manifest+json', '.png': 'image/png' }
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types palabre"

export function serve() {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname)
    const deep = path.split('/').length > 2 && !path.startsWith('/assets/') && !path.startsWith('/icons/')
    const file = join(dist, extname(path) && !deep && existsSync(join(dist, path)) ? path : 'index.html')
    if (!deep && extname(path) && !existsSync(join(dist, path)) && path !== '/') { response.writeHead(404).end(); return }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/html', 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' })
    response.end(readFileSync(file))
  })
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)))
}

export async function browser() {
  return chromium.launch({ executablePath: process.env.CHROME ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required'] })
}

async function picture(chromium, origin, screen) {
  const { name, path, size = [390, 844], dark, lang = 'fr', zoom = 1, act, scale = 1, prefs = {} } = screen
  const context = await chromium.newContext({ viewport: { width: size[0], height: size[1] }, locale: { ar: 'ar-MA', en: 'en-GB', fr: 'fr-FR', hi: 'hi-IN' }[lang] ?? lang, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce',
    hasTouch: size[0] < 720, deviceScaleFactor: scale, permissions: ['microphone', 'camera'], bypassCSP: false })
  const page = await context.newPage()
  await page.addInitScript(([language, text, more]) => { localStorage.setItem('lang', language); if (text !== 1) localStorage.setItem('pref.textSize', String(text)); for (const [k, v] of Object.entries(more)) localStorage.setItem(`pref.${k}`, JSON.stringify(v)) }, [lang, zoom, prefs])
  const problems = []
  page.on('console', (m) => { if (['error', 'warning'].includes(m.type())) problems.push(m.text()) })
  page.on('pageerror', (e) => problems.push(String(e.stack ?? e)))
  await page.goto(origin + path)
  await page.waitForSelector('.pane')
  await page.waitForTimeout(500)
  try { if (act) await act(page) } catch (e) { problems.push(`act: ${e.message}`) }
  await page.waitForTimeout(250)
  await page.screenshot({ path: join(out, `${name}.png`) })
  const wider = await page.evaluate(() => [...document.querySelectorAll('.pane,.sheet,.dialog,.log')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className))
  if (wider.length) problems.push(`wider than its place: ${wider.join(', ')}`)
  const client = await context.newCDPSession(page)
  await client.send('Page.setBypassCSP', { enabled: true })
  const found = await page.evaluate(async (source) => { (0, eval)(source); const r = await globalThis.axe.run(document, { resultTypes: ['violations'] }); return r.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`) }, axe).catch((e) => [`axe did not run: ${e.message}`])
  await context.close()
  return { name, problems, found }
}

if (import.meta.url === `file://${process.argv[1]}`) {
  mkdirSync(out, { recursive: true })
  const wanted = process.argv.slice(2)
  const server = await serve()
  const chromium = await browser()
  let bad = 0
  for (const screen of screens.filter((s) => !wanted.length || wanted.some((w) => s.name.startsWith(w)))) {
    const { name, problems, found } = await picture(chromium, `http://127.0.0.1:${server.address().port}`, screen)
    bad += problems.length + found.length
    console.log(`${name}: ${problems.length + found.length ? '' : 'well'}`)
    for (const p of [...problems, ...found]) console.log(`  ${p}`)
  }
  await chromium.close()
  server.close()
  process.exitCode = bad ? 1 : 0
}
