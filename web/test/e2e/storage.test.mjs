// What takes space on this device, on one page; what is deleted there comes back from the server when it is touched.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

async function send(name, mimeType, buffer, tile) {
  await amina.page.locator('.comp').getByRole('button', { name: amina.t('attach'), exact: true }).click()
  const choosing = amina.page.waitForEvent('filechooser')
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t(tile) }).click()
  await (await choosing).setFiles({ name, mimeType, buffer })
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
}

const picture = async () => Buffer.from((await amina.page.evaluate(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 600 })
  const c = canvas.getContext('2d')
  for (let i = 0; i < 300; i++) { c.fillStyle = `hsl(${i * 37} 80% 50%)`; c.fillRect((i * 577) % 800, (i * 331) % 600, 120, 90) }
  return canvas.toDataURL('image/png')
})).split(',')[1], 'base64')

const line = (person, text) => person.page.locator('.page .act', { hasText: text })

test('the page says what there is: by kind, file by file, by chat', async () => {
  await send('photo.png', 'image/png', await picture(), 'attach.photo')
  await send('report.pdf', 'application/pdf', Buffer.alloc(700_000, 7), 'attach.file')
  await amina.page.locator('.it', { hasText: 'report.pdf' }).locator('.st.read').waitFor({ state: 'attached' })
  await nadia.page.locator('.it .pic img').waitFor()
  await amina.page.goto(`${amina.origin}/settings/data`)
  await amina.page.locator('a[href="/settings/storage"]').click()
  await line(amina, amina.t('set.kindPhotos')).waitFor()
  await line(amina, 'report.pdf').first().waitFor()
  assert.match(await line(amina, 'report.pdf').first().textContent(), /700.*nadia/)
  await line(amina, 'nadia').last().waitFor()
  await amina.shot('storage')
})

test('a file is deleted from this device alone; the message stays and the file can be loaded again', async () => {
  await amina.button('sto.drop', { name: 'report.pdf' }).click()
  const dialog = amina.page.getByRole('alertdialog')
  assert.match(await dialog.textContent(), new RegExp(amina.t('sto.freeFile', { name: 'report.pdf' }).slice(12, 40)))
  await amina.shot('storage-ask')
  await dialog.getByRole('button', { name: amina.t('set.freeYes') }).click()
  await line(amina, 'report.pdf').first().waitFor({ state: 'detached' })
  await amina.open(nadia.jid)
  const saving = amina.page.waitForEvent('download')
  await amina.page.locator('.it', { hasText: 'report.pdf' }).locator('button.doc').click()
  assert.equal((await saving).suggestedFilename(), 'report.pdf')
})

test('all photos are given back; they are fetched again when they are seen', async () => {
  await nadia.page.goto(`${nadia.origin}/settings/storage`)
  const photos = line(nadia, nadia.t('set.kindPhotos')).first()
  await photos.waitFor()
  await nadia.shot('storage-ar')
  await photos.getByRole('button').click()
  await nadia.page.getByRole('alertdialog').getByRole('button', { name: nadia.t('set.freeYes') }).click()
  await photos.waitFor({ state: 'detached' })
  await nadia.open(amina.jid)
  await nadia.page.locator('.it .pic img').waitFor()
  await until('it is whole', () => nadia.page.locator('.it .pic img').evaluate((e) => e.complete && e.naturalWidth > 0))
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
