// Moving pictures: chosen or pasted they become small silent videos that begin anew when they end; they play while they are seen, and stand still where nothing shall move.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800], reducedMotion: 'no-preference' }, nadia: { colorScheme: 'dark' } } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** A GIF whose codes all have eight bits: so it is as large as GIFs of films are. */
function gif(frames, width = 320, height = 240) {
  const out = [Buffer.from('GIF89a'), Buffer.from([width & 255, width >> 8, height & 255, height >> 8, 0b1110_0110, 0, 0])]
  out.push(Buffer.from(Array.from({ length: 128 }, (_, i) => [i * 2, 255 - i * 2, (i * 5) % 256]).flat()))
  out.push(Buffer.from([0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0'), 3, 1, 0, 0, 0]))
  for (let f = 0; f < frames; f++) {
    out.push(Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, width & 255, width >> 8, height & 255, height >> 8, 0, 7]))
    const codes = []
    for (let i = 0; i < width * height; i++) {
      if (i % 120 === 0) codes.push(128)
      const [x, y] = [i % width, Math.floor(i / width)]
      codes.push((Math.floor((x + f * 12) / 20) * 9 + Math.floor(y / 20) * 5) % 128)
    }
    codes.push(129)
    for (let i = 0; i < codes.length; i += 255) { const part = codes.slice(i, i + 255); out.push(Buffer.from([part.length, ...part])) }
    out.push(Buffer.from([0]))
  }
  return Buffer.concat([...out, Buffer.from([0x3b])])
}

async function choose(person, buffer, name = 'dance.gif') {
  await person.page.locator('.comp').getByRole('button', { name: person.t('attach'), exact: true }).click()
  const choosing = person.page.waitForEvent('filechooser')
  await person.page.getByRole('dialog').getByRole('button', { name: person.t('attach.photo') }).click()
  await (await choosing).setFiles({ name, mimeType: 'image/gif', buffer })
  await person.page.getByRole('dialog').getByRole('button', { name: person.t('send'), exact: true }).click()
}

/** What the page's database says of the files that came. */
const mediaOf = (person) => person.page.evaluate(async (account) => {
  const open = indexedDB.open(`palabre:${account}`)
  await new Promise((done, failed) => { open.onsuccess = done; open.onerror = failed })
  const asked = open.result.transaction('messages').objectStore('messages').getAll()
  await new Promise((done, failed) => { asked.onsuccess = done; asked.onerror = failed })
  open.result.close()
  return asked.result.flatMap((m) => m.content.media ?? [])
}, person.jid)

const loops = (person) => person.page.locator('.it .pic video[loop]')
const state = (person) => loops(person).last().evaluate((v) => ({ paused: v.paused, at: v.currentTime, seconds: v.duration, wide: v.videoWidth, loop: v.loop, muted: v.muted }))

test('a GIF becomes a small video that plays while it is seen, over and over', async () => {
  const file = gif(20)
  await choose(amina, file)
  await loops(nadia).waitFor()
  await until('it plays where it was sent', async () => { const s = await state(amina); return !s.paused && s.at > 0 })
  const { loop, muted, seconds, wide } = await state(amina)
  assert.ok(loop && muted)
  assert.ok(Math.abs(seconds - 2) < .3, `${seconds} s`)
  assert.equal(wide, 320)
  const [media] = await mediaOf(nadia)
  assert.match(media.mime, /^video\//)
  assert.ok(media.size > 0 && media.size < file.length / 10, `${media.size} of ${file.length} bytes`)
  await amina.page.locator('.pic .len', { hasText: 'GIF' }).waitFor()
  await amina.shot('gif')
})

test('who wants nothing to move touches it, and it plays; touched again it stops', async () => {
  assert.equal((await state(nadia)).paused, true)
  await nadia.shot('gif-still')
  await until('what was just said has gone', async () => !await nadia.page.locator('.toast').count())
  assert.deepEqual(await faults(nadia.page), [])
  await nadia.button('loop.play').focus()
  await nadia.page.keyboard.press('Enter')
  await until('it plays', async () => !(await state(nadia)).paused)
  await nadia.button('loop.stop').click()
  await until('it stops', async () => (await state(nadia)).paused)
})

test('it can be looked at closely', async () => {
  await amina.page.locator('.pic .cover').last().click()
  await amina.page.locator('.viewer video[loop]').waitFor()
  await amina.page.keyboard.press('Escape')
})

test('one that is pasted, too', async () => {
  const bytes = [...gif(8, 160, 120)]
  await amina.page.locator('.comp textarea').evaluate((field, data) => {
    const clip = new DataTransfer()
    clip.items.add(new File([new Uint8Array(data)], 'pasted.gif', { type: 'image/gif' }))
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: clip, bubbles: true, cancelable: true }))
  }, bytes)
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
  await until('both are there', async () => await loops(nadia).count() === 2)
})

test('one that does not move stays a picture', async () => {
  await choose(amina, gif(1), 'still.gif')
  await until('it is there', () => nadia.page.locator('.it .pic img').last().evaluate((e) => e.complete && e.naturalWidth === 320).catch(() => false))
  assert.equal(await loops(nadia).count(), 2)
  amina.clean()
  nadia.clean()
})
