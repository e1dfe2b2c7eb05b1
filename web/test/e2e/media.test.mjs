// Media besides the talk itself: stickers, what loads by itself and what does not, who has listened.
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

/** A picture with a hole in the middle, as a PNG. */
const picture = async (person) => Buffer.from((await person.page.evaluate(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1600, height: 1200 })
  const c = canvas.getContext('2d')
  for (let i = 0; i < 300; i++) { c.fillStyle = `hsl(${i * 37} 80% 50%)`; c.fillRect((i * 577) % 1600, (i * 331) % 1200, 120, 90) }
  c.clearRect(600, 400, 400, 400)
  return canvas.toDataURL('image/png')
})).split(',')[1], 'base64')

/** Chooses a picture to be sent, and gives the sheet that asks how. */
async function choose(person, buffer, name) {
  await person.page.locator('.comp').getByRole('button', { name: person.t('attach'), exact: true }).click()
  const choosing = person.page.waitForEvent('filechooser')
  await person.page.getByRole('dialog').getByRole('button', { name: person.t('attach.photo') }).click()
  await (await choosing).setFiles({ name, mimeType: 'image/png', buffer })
  return person.page.getByRole('dialog')
}

const send = (person, sheet) => sheet.getByRole('button', { name: person.t('send'), exact: true }).click()

test('a sticker is small, keeps its hole, and stands without a bubble', async () => {
  const sheet = await choose(amina, await picture(amina), 'cat.png')
  await sheet.getByRole('switch', { name: amina.t('files.sticker') }).click()
  await send(amina, sheet)
  const sticker = nadia.page.locator('.it img.sticker')
  await until('it is whole', async () => await sticker.count() && await sticker.evaluate((e) => e.complete && e.naturalWidth > 0))
  assert.equal(await sticker.evaluate((e) => e.naturalWidth), 512)
  assert.equal(await sticker.evaluate((e) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 512, height: 384 })
    const c = canvas.getContext('2d')
    c.drawImage(e, 0, 0)
    return c.getImageData(256, 192, 1, 1).data[3]
  }), 0)
  assert.equal(await nadia.page.locator('.it .m.bare').evaluate((e) => getComputedStyle(e).backgroundColor), 'rgba(0, 0, 0, 0)')
  await nadia.shot('sticker')
})

test('who has listened to a voice note is told to who spoke', async () => {
  await amina.page.locator('.comp .send').focus()
  await amina.page.keyboard.press('Enter')
  await amina.page.locator('.rec-bar').waitFor()
  await until('two seconds are recorded', async () => /0:0[2-9]/.test(await amina.page.locator('.rec-bar').textContent()))
  await amina.button('voice.send').click()
  const note = nadia.page.locator('.it .voice').last()
  await note.waitFor()
  assert.equal(await amina.page.locator('.voice .heard').count(), 0)
  await note.getByRole('button', { name: nadia.t('voice.play') }).click()
  await amina.page.locator('.voice .heard').waitFor()
  await amina.shot('heard')
})

test('what a person does not want to load by itself waits until it is touched', async () => {
  await nadia.page.goto(`${nadia.origin}/settings/data`)
  const photos = nadia.page.getByRole('group', { name: nadia.t('set.autoWifi') }).getByRole('button', { name: nadia.t('set.kindPhotos') })
  await photos.click()
  await nadia.page.locator('button[aria-pressed=false]', { hasText: nadia.t('set.kindPhotos') }).waitFor()
  await nadia.open(amina.jid)
  const sheet = await choose(amina, await picture(amina), 'sea.png')
  await sheet.getByLabel(amina.t('files.caption')).fill('only when touched')
  await send(amina, sheet)
  const item = nadia.page.locator('.it', { hasText: 'only when touched' })
  await item.locator('.get').waitFor()
  await amina.page.locator('.it', { hasText: 'only when touched' }).locator('.st.read').waitFor({ state: 'attached' })
  assert.equal(await item.locator('.pic img').count(), 0)
  await nadia.shot('not-loaded')
  await item.locator('.pic .cover').click()
  await item.locator('.pic img').waitFor()
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
