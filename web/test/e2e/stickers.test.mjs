// Stickers: one that was sent is kept and sent back, one is made of a picture, all with the keyboard.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] }, nadia: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** A cat with a hole, as a PNG. */
const picture = async (person, hue) => Buffer.from((await person.page.evaluate((h) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 900 })
  const c = canvas.getContext('2d')
  c.fillStyle = `hsl(${h} 80% 55%)`
  c.beginPath()
  c.arc(450, 500, 330, 0, 7)
  c.moveTo(160, 380); c.lineTo(180, 90); c.lineTo(420, 250)
  c.moveTo(740, 380); c.lineTo(720, 90); c.lineTo(480, 250)
  c.fill()
  c.fillStyle = '#222'
  for (const x of [330, 570]) { c.beginPath(); c.arc(x, 440, 45, 0, 7); c.fill() }
  c.clearRect(380, 620, 140, 60)
  return canvas.toDataURL('image/png')
}, hue)).split(',')[1], 'base64')

const drawer = (person) => person.page.locator('.drawer')

async function openDrawer(person) {
  const { page } = person
  await page.locator('.comp textarea').focus()
  await page.keyboard.press('Control+e')
  await drawer(person).waitFor()
  await drawer(person).getByRole('tab', { name: person.t('emoji'), exact: true }).first().focus()
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await page.locator('.drawer .stickers').waitFor()
}

test('a sticker is made of a picture, and sent with the keyboard alone', async () => {
  await openDrawer(amina)
  const choosing = amina.page.waitForEvent('filechooser')
  await amina.page.locator('.stickers .make').focus()
  await amina.page.keyboard.press('Enter')
  await (await choosing).setFiles({ name: 'cat.png', mimeType: 'image/png', buffer: await picture(amina, 30) })
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('stick.says')).fill('😺')
  await amina.shot('sticker-make')
  await amina.page.keyboard.press('Enter')
  const mine = drawer(amina).getByRole('button', { name: '😺', exact: true })
  await mine.waitFor()
  await amina.shot('sticker-drawer')
  await amina.page.locator('.stickers .make').focus()
  await amina.page.keyboard.press(amina.lang === 'ar' ? 'ArrowLeft' : 'ArrowRight')
  assert.equal(await amina.page.evaluate(() => document.activeElement?.getAttribute('aria-label')), '😺')
  await amina.page.keyboard.press('Enter')
  await drawer(amina).waitFor({ state: 'detached' })
  const got = nadia.page.locator('.it img.sticker')
  await until('it is whole', async () => await got.count() && await got.evaluate((e) => e.complete && e.naturalWidth === 512))
  assert.equal(await got.getAttribute('alt'), '😺')
  assert.equal(await got.evaluate((e) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 512, height: 512 })
    const c = canvas.getContext('2d')
    c.drawImage(e, 0, 0)
    return c.getImageData(5, 500, 1, 1).data[3]
  }), 0, 'its ground is clear')
})

test('one that somebody sent is kept, survives a reload, and goes back as it came', async () => {
  await nadia.page.locator('.it img.sticker').click({ button: 'right' })
  await nadia.page.getByRole('menuitem', { name: nadia.t('stick.keep'), exact: true }).click()
  await nadia.page.locator('.toast', { hasText: nadia.t('stick.kept') }).waitFor()
  await nadia.page.reload()
  await nadia.page.locator('.comp textarea').waitFor()
  await openDrawer(nadia)
  const kept = drawer(nadia).getByRole('button', { name: '😺', exact: true })
  await kept.locator('img').waitFor()
  await nadia.shot('sticker-drawer-ar')
  await kept.click()
  const back = amina.page.locator('.it:not(.o) img.sticker')
  await until('it is whole', async () => await back.count() && await back.evaluate((e) => e.complete && e.naturalWidth === 512))
  assert.equal(await back.getAttribute('alt'), '😺')
})

test('taken away with Delete; what was sent stays', async () => {
  await openDrawer(nadia)
  const kept = drawer(nadia).getByRole('button', { name: '😺', exact: true })
  await kept.focus()
  await nadia.page.keyboard.press('Delete')
  await kept.waitFor({ state: 'detached' })
  await nadia.page.reload()
  await nadia.page.locator('.it img.sticker').first().waitFor()
  await openDrawer(nadia)
  assert.equal(await drawer(nadia).getByRole('button', { name: '😺', exact: true }).count(), 0)
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
