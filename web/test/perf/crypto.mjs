// Measures encryption in Node and in Chromium and prints a table: node test/perf/crypto.mjs [times slower, for Chromium]

import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build, createServer as createVite } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))

async function inNode() {
  const vite = await createVite({ root, configFile: false, logLevel: 'error', server: { middlewareMode: true }, appType: 'custom' })
  try {
    return await (await vite.ssrLoadModule('/test/perf/crypto-bench.ts')).measure(false)
  } finally {
    await vite.close()
  }
}

async function inChromium(slower) {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-bench-'))
  const input = join(root, 'test/perf/crypto-worker.ts')
  await build({ root, configFile: false, logLevel: 'error', build: {
    target: 'es2022', outDir: folder, emptyOutDir: true, rollupOptions: { input, output: { entryFileNames: '[name].js' } } } })
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    response.setHeader('Content-Type', path.endsWith('.js') ? 'text/javascript' : 'text/html')
    response.end(path.endsWith('.js') ? readFileSync(join(folder, path)) : '<!doctype html><title>bench</title>')
  }).listen(0, 'localhost')
  await new Promise((resolve) => server.once('listening', resolve))
  const browser = await chromium.launch({ executablePath: process.env.CHROME ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] })
  try {
    const page = await browser.newPage()
    await page.goto(`http://localhost:${server.address().port}/`)
    if (slower > 1) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slower })
    return await page.evaluate(() => new Promise((resolve) => {
      const worker = new Worker('/crypto-worker.js', { type: 'module' })
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = (event) => resolve({ failed: event.message })
    }))
  } finally {
    await browser.close()
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const node = await inNode()
const chrome = await inChromium(Number(process.argv[2] ?? 1))
if (chrome.failed) throw new Error(chrome.failed)
console.log('| ms | Node, in memory | Chromium, kept |\n|---|---|---|')
for (const name of Object.keys(node)) console.log(`| ${name} | ${node[name]} | ${chrome[name]} |`)
