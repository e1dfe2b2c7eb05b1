// What can be said and done in a talk besides plain words, seen from both sides: photo, file, voice, answer, reaction, correction, deletion.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] }, nadia: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

const last = (person) => person.page.locator('.it[data-id]').last()

/** Opens the menu of a message and chooses a line of it. */
async function act(person, message, key) {
  await message.locator('.m').click({ button: 'right' })
  await person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
}

/** Chooses files in the sheet of things to attach. */
async function attach(person, key, files) {
  await person.button('attach').click()
  const chooser = person.page.waitForEvent('filechooser')
  await person.button(key).click()
  await (await chooser).setFiles(files)
}

test('an answer quotes what it answers, on both sides', async () => {
  await act(amina, amina.message('we have begun'), 'act.reply')
  await amina.write('indeed')
  await nadia.sees('indeed')
  for (const person of [amina, nadia]) assert.match(await person.message('indeed').locator('.quote').textContent(), /we have begun/)
})

test('a reaction is seen with who gave it, and taken back', async () => {
  await nadia.message('indeed').locator('.m').click({ button: 'right' })
  await nadia.page.getByRole('menuitemradio', { name: nadia.t('act.reactWith', { emoji: '👍' }) }).click()
  await amina.message('indeed').locator('.rx', { hasText: '👍' }).waitFor()
  await nadia.message('indeed').locator('.m').click({ button: 'right' })
  await nadia.page.getByRole('menuitemradio', { name: nadia.t('act.reactWith', { emoji: '👍' }) }).click()
  await amina.message('indeed').locator('.rx').waitFor({ state: 'detached' })
})

test('one can type on while a message leaves: what is typed is the next one', async () => {
  const field = amina.page.locator('.comp textarea')
  await field.fill('')
  await field.pressSequentially('quick')
  await amina.page.evaluate(() => { // the same moment: key, then the next letter, before anything is drawn
    const area = document.querySelector('.comp textarea')
    area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }))
    area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }))
    area.value += 's'
    area.dispatchEvent(new InputEvent('input', { data: 's', inputType: 'insertText', bubbles: true }))
  })
  await field.pressSequentially('low')
  await nadia.sees('quick')
  assert.equal(await field.inputValue(), 'slow')
  await amina.page.keyboard.press('Control+Enter')
  await nadia.sees('slow')
  assert.equal(await nadia.message('quick').count(), 1)
})

test('a correction replaces the text, marked as such', async () => {
  await amina.write('see you at five')
  await nadia.sees('see you at five')
  await act(amina, amina.message('see you at five'), 'act.edit')
  await amina.page.locator('.comp textarea').fill('see you at six')
  await amina.button('edit.done').click()
  await nadia.sees('see you at six')
  assert.equal(await nadia.message('see you at five').count(), 0)
  assert.match(await nadia.message('see you at six').locator('.meta').textContent(), new RegExp(nadia.t('edited')))
})

test('what is deleted for everybody is gone on both sides, also after a reload', async () => {
  await amina.write('a mistake')
  await nadia.sees('a mistake')
  await amina.state('a mistake', 'read')
  await act(amina, amina.message('a mistake'), 'act.delete')
  await amina.button('delete.all').click()
  await nadia.page.locator('.gone', { hasText: nadia.t('removed') }).waitFor()
  for (const person of [amina, nadia]) {
    await person.page.reload()
    await person.page.locator('.gone').waitFor()
    assert.equal(await person.page.getByText('a mistake').count(), 0)
  }
})

test('styled text', async () => {
  await nadia.write('this is *strong* and `code`')
  await amina.page.locator('.it strong', { hasText: 'strong' }).waitFor()
  await amina.page.locator('.it code', { hasText: 'code' }).waitFor()
})

test('a photo is made smaller, encrypted, and seen on the other side', async () => {
  const url = await amina.page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 2400, height: 1600 })
    const c = canvas.getContext('2d')
    for (let i = 0; i < 400; i++) { c.fillStyle = `hsl(${i * 37} 80% 50%)`; c.fillRect((i * 577) % 2400, (i * 331) % 1600, 200, 150) }
    return canvas.toDataURL('image/jpeg', 0.95)
  })
  const photo = Buffer.from(url.split(',')[1], 'base64')
  const sent = []
  amina.page.on('request', (request) => { if (request.method() === 'PUT') sent.push(request.postDataBuffer()?.length ?? 0) })
  await attach(amina, 'attach.photo', { name: 'sea.jpg', mimeType: 'image/jpeg', buffer: photo })
  await amina.page.getByLabel(amina.t('files.caption')).fill('the sea')
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
  const picture = nadia.page.locator('.it', { hasText: 'the sea' }).locator('.pic img, img').first()
  await picture.waitFor()
  await until('the picture is whole', () => picture.evaluate((e) => e.complete && e.naturalWidth >= 1000))
  await last(amina).locator('.st.read').waitFor({ state: 'attached' })
  await nadia.shot('photo')
  if (sent.length) assert.ok(sent[0] < photo.length, `${sent[0]} bytes were sent of ${photo.length}`)
})

test('a file arrives byte for byte', async () => {
  const buffer = randomBytes(300_000)
  await attach(amina, 'attach.file', { name: 'ledger.bin', mimeType: 'application/octet-stream', buffer })
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
  const item = nadia.page.locator('.it', { hasText: 'ledger.bin' })
  await item.waitFor()
  await last(amina).locator('.st.read').waitFor({ state: 'attached' })
  const saving = nadia.page.waitForEvent('download')
  await item.locator('button, a').first().click()
  const again = item.getByRole('button').or(item.getByRole('link')).first()
  const got = await Promise.race([saving, until('it can be saved', async () => await again.isEnabled()).then(() => again.click()).then(() => saving)])
  const parts = []
  for await (const part of await got.createReadStream()) parts.push(part)
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex')
  assert.equal(hash(Buffer.concat(parts)), hash(buffer))
})

test('a voice note is recorded, sent, and can be played', async () => {
  await amina.page.locator('.comp .send').focus()
  await amina.page.keyboard.press('Enter')
  await amina.page.locator('.rec-bar').waitFor()
  await until('two seconds are recorded', async () => /0:0[2-9]|[٠0]:[٠0][٢-٩]/.test(await amina.page.locator('.rec-bar').textContent()))
  await amina.button('voice.send').click()
  const note = nadia.page.locator('.it .voice').last()
  await note.waitFor()
  await note.getByRole('button', { name: nadia.t('voice.play') }).click()
  await note.getByRole('button', { name: nadia.t('voice.pause') }).waitFor()
  await note.getByRole('button', { name: nadia.t('voice.play') }).waitFor() // it came to its end
  await nadia.shot('voice')
})

test('what was said is found offline', async () => {
  await nadia.context.setOffline(true)
  await nadia.page.goto(`${nadia.origin}/search`)
  await nadia.page.getByRole('searchbox').first().fill('six')
  await nadia.page.getByText('see you at six').or(nadia.page.locator('mark', { hasText: 'six' })).first().waitFor()
  await nadia.context.setOffline(false)
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
