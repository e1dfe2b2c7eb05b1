// Times of the screens of the demo build at a quarter of the speed of this machine (WEB.md §4): list, opening a chat, scrolling through 10,000
// messages, sending. The least of five rounds counts for times, so that a busy machine does not decide.
import { browser, serve } from './shots.mjs'

const rounds = 5
const long = '/chat/long%40palabre.example?many=10000'
const server = await serve()
const origin = `http://127.0.0.1:${server.address().port}`
const chromium = await browser()

async function fresh(path) {
  const context = await chromium.newContext({ viewport: { width: 390, height: 844 }, locale: 'fr-FR' })
  const page = await context.newPage()
  const client = await context.newCDPSession(page)
  await client.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await page.goto(origin + path)
  return { context, page, client }
}

async function open() {
  const { context, page } = await fresh('/?many=10000')
  await page.waitForSelector('.row')
  await page.waitForTimeout(2500)
  const ms = await page.evaluate(() => new Promise((done) => {
    const row = [...document.querySelectorAll('.row')].find((r) => r.textContent.includes('Famille'))
    const begun = performance.now()
    const look = () => (document.querySelectorAll('.log li[data-id]').length > 8 ? requestAnimationFrame(() => done(performance.now() - begun)) : requestAnimationFrame(look))
    row.click()
    look()
  }))
  await context.close()
  return ms
}

async function list() {
  const { context, page } = await fresh('/')
  await page.waitForSelector('.row')
  const ms = await page.evaluate(() => performance.now())
  await context.close()
  return ms
}

async function send() {
  const { context, page } = await fresh('/chat/aicha%40palabre.example')
  await page.waitForSelector('.comp textarea')
  await page.waitForTimeout(800)
  await page.locator('.comp textarea').fill('Bonjour')
  const ms = await page.evaluate(() => new Promise((done) => {
    const count = () => document.querySelectorAll('.it.o').length
    const before = count()
    const begun = performance.now()
    const watch = new MutationObserver(() => { if (count() > before) { watch.disconnect(); requestAnimationFrame(() => done(performance.now() - begun)) } })
    watch.observe(document.querySelector('.log'), { childList: true, subtree: true })
    document.querySelector('.send').click()
  }))
  await context.close()
  return ms
}

async function scroll() {
  const { context, page, client } = await fresh(long)
  await page.waitForSelector('.log li[data-id]')
  await page.waitForTimeout(1500)
  const frames = await page.evaluate(() => new Promise((done) => {
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
  await client.send('HeapProfiler.collectGarbage')
  const { metrics } = await client.send('Performance.enable').then(() => client.send('Performance.getMetrics'))
  const heap = metrics.find((m) => m.name === 'JSHeapUsedSize').value
  const bubbles = await page.locator('.log li[data-id]').count()
  await context.close()
  frames.sort((a, b) => a - b)
  return { p50: frames[Math.floor(frames.length * .5)], p95: frames[Math.floor(frames.length * .95)], max: frames.at(-1), frames: frames.length, heap: heap / 1e6, bubbles }
}

const least = async (measure) => { const all = []; for (let i = 0; i < rounds; i++) all.push(await measure()); return Math.min(...all).toFixed(0) }
console.log(`list shown        ${await least(list)} ms`)
console.log(`chat opened       ${await least(open)} ms (200)`)
console.log(`send to bubble    ${await least(send)} ms (50)`)
const s = await scroll()
console.log(`scroll 10,000     p50 ${s.p50.toFixed(1)} ms, p95 ${s.p95.toFixed(1)} ms (33), worst ${s.max.toFixed(0)} ms, ${s.frames} frames, ${s.bubbles} bubbles, heap ${s.heap.toFixed(1)} MB`)
await chromium.close()
server.close()
