// Makes the pictures of the README out of those that test/demo/shots.mjs took of readme-*: node test/demo/pictures.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { browser } from './shots.mjs'

const from = process.env.SHOTS ?? '/tmp/palabre-shots'
const to = fileURLToPath(new URL('../../../docs/pictures', import.meta.url))
const most = 200_000

mkdirSync(to, { recursive: true })
const chromium = await browser()
const page = await chromium.newPage()
for (const name of ['desk', 'chat', 'list']) {
  const encoded = await page.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0))
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(image.width, image.height)
    canvas.getContext('2d').drawImage(image, 0, 0)
    const made = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/webp', quality: 0.86 })).arrayBuffer())
    return btoa(made.reduce((text, byte) => text + String.fromCharCode(byte), ''))
  }, readFileSync(join(from, `readme-${name}.png`)).toString('base64'))
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length > most) throw new Error(`${name}: ${bytes.length} bytes, at most ${most}`)
  writeFileSync(join(to, `${name}.webp`), bytes)
  console.log(`${name}.webp: ${bytes.length} bytes`)
}
await chromium.close()
