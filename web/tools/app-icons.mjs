// Draws the icons of the installed app from the mark: node tools/app-icons.mjs (needs the Chromium of the tests). The results are committed.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const folder = fileURLToPath(new URL('../public/icons/', import.meta.url))
const mark = readFileSync(`${folder}palabre.svg`, 'utf8')
const full = mark.replace('rx="16"', 'rx="0"')
const browser = await chromium.launch({ executablePath: process.env.CHROME ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox'] })

/** `inner` is the part of the side that the mark fills: what systems cut round must stay inside. */
async function draw(name, side, svg, inner) {
  const page = await browser.newPage({ viewport: { width: side, height: side } })
  const size = Math.round(side * inner)
  await page.setContent(`<body style="margin:0;background:${inner < 1 ? '#00687f' : 'transparent'};display:grid;place-items:center;height:100vh">${svg.replace('<svg ', `<svg width="${size}" height="${size}" `)}</body>`)
  writeFileSync(folder + name, await page.screenshot({ omitBackground: inner === 1 }))
  await page.close()
}

await draw('palabre-192.png', 192, mark, 1)
await draw('palabre-512.png', 512, mark, 1)
await draw('palabre-maskable.png', 512, full, .8)
await browser.close()
