// A video is made smaller on the device before it leaves, and shows itself before it is loaded. The video is made in the test; the browser of the tests
// may have no encoder for H.264, then VP9 or VP8 take its place.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, film
const minute = 60_000

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
  film = Buffer.from(await amina.page.evaluate(shoot, { width: 1920, height: 1080, seconds: 4 }), 'base64')
})

after(() => town?.end())

/** Records a moving picture with sound, with far more bytes than it needs. Runs in the page. */
async function shoot({ width, height, seconds }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const c = canvas.getContext('2d', { alpha: false })
  const noise = new ImageData(240, 240)
  const draw = (t) => {
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = i % 4 === 3 ? 255 : Math.random() * 255
    c.fillStyle = `hsl(${t * 40} 70% 50%)`
    c.fillRect(0, 0, width, height)
    for (let x = 0; x < width; x += 240) c.putImageData(noise, x, (t * 300 + x) % height)
  }
  const sound = new AudioContext()
  const tone = sound.createOscillator()
  const out = sound.createMediaStreamDestination()
  tone.connect(out)
  tone.start()
  const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()])
  const recorder = new MediaRecorder(stream, { mimeType: 'video/webm;codecs=vp8,opus', videoBitsPerSecond: 25_000_000 })
  const parts = []
  recorder.ondataavailable = (e) => parts.push(e.data)
  const ended = new Promise((done) => { recorder.onstop = done })
  recorder.start()
  const begun = performance.now()
  await new Promise((done) => { const step = () => { const t = (performance.now() - begun) / 1000; draw(t); if (t < seconds) setTimeout(step, 33); else done() }; step() })
  recorder.stop()
  await ended
  void sound.close()
  // A machine that has much to do records few pictures: an element of WebM that says nothing makes the film as large as that of a phone all the same.
  const nothing = new Uint8Array(6_000_000)
  nothing[0] = 0xec
  new DataView(nothing.buffer).setUint32(1, 0x10000000 + nothing.length - 5)
  const bytes = new Uint8Array(await new Blob([...parts, nothing]).arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768))
  return btoa(text)
}

async function send(caption, { hd = false } = {}) {
  await amina.page.locator('.comp').getByRole('button', { name: amina.t('attach'), exact: true }).click()
  const choosing = amina.page.waitForEvent('filechooser')
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('attach.photo') }).click()
  await (await choosing).setFiles({ name: 'film.webm', mimeType: 'video/webm', buffer: film })
  const sheet = amina.page.getByRole('dialog')
  await sheet.getByLabel(amina.t('files.caption')).fill(caption)
  if (hd) await sheet.getByRole('switch', { name: amina.t('files.hd') }).click()
  await sheet.getByRole('button', { name: amina.t('send'), exact: true }).click()
}

const item = (person, caption) => person.page.locator('.it', { hasText: caption })

/** What is kept of the newest video: its facts, and what the browser finds when it plays it. Runs in the page. */
async function kept(account) {
  const db = await new Promise((done, failed) => { const opening = indexedDB.open(`palabre:${account}`); opening.onsuccess = () => done(opening.result); opening.onerror = () => failed(opening.error) })
  const ask = (store, what, ...args) => new Promise((done, failed) => { const asked = db.transaction(store).objectStore(store)[what](...args); asked.onsuccess = () => done(asked.result); asked.onerror = () => failed(asked.error) })
  const films = (await ask('messages', 'getAll')).filter((m) => m.content.type === 'video').sort((a, b) => a.order - b.order)
  const { media } = films.at(-1).content
  const blob = await ask('blobs', 'get', media.key)
  db.close()
  const video = document.createElement('video')
  video.src = URL.createObjectURL(blob)
  await new Promise((done, failed) => { video.onloadeddata = done; video.onerror = () => failed(new Error('it does not play')) })
  const sound = await new AudioContext().decodeAudioData(await blob.arrayBuffer()).then((b) => b.duration, () => 0)
  return { mime: media.mime, size: blob.size, told: media.size, width: video.videoWidth, height: video.videoHeight, duration: video.duration, seconds: media.seconds, sound,
    poster: media.poster?.length ?? 0, thumbhash: media.thumbhash?.length ?? 0 }
}

test('before it is loaded a video shows a picture, its length and its size, and nothing loads by itself with little data', { timeout: 4 * minute }, async () => {
  await nadia.page.evaluate(() => localStorage.setItem('pref.lowData', JSON.stringify('on')))
  await nadia.page.reload()
  await nadia.page.locator('.comp textarea').waitFor()
  await send('the market')
  await item(amina, 'the market').locator('.get .pad').waitFor()
  await amina.shot('video-making')
  await item(amina, 'the market').locator('.st.read').waitFor({ state: 'attached', timeout: 2 * minute })
  const bubble = item(nadia, 'the market')
  await bubble.locator('.pic img').waitFor()
  assert.match(await bubble.locator('.pic .len').textContent(), /0:0[345]/)
  assert.match(await bubble.locator('.pic .get').textContent(), /\d/)
  assert.equal(await bubble.locator('.pic video').count(), 0)
  await nadia.shot('video-not-loaded')
  const made = await amina.page.evaluate(kept, amina.jid)
  assert.ok(made.size < film.length * 0.6, `${made.size} of ${film.length}`)
  assert.equal(made.size, made.told)
  assert.deepEqual([made.width, made.height], [1280, 720])
  assert.ok(Math.abs(made.duration - made.seconds) < 0.5 && made.seconds > 3 && made.seconds < 6, JSON.stringify(made))
  assert.ok(made.sound > 2.5, `sound of ${made.sound} s`)
  assert.ok(made.poster > 200 && made.poster <= 24_000 && made.thumbhash > 4, JSON.stringify(made))
  console.log(`      ${film.length} -> ${made.size} bytes, ${made.mime}`)
})

test('it is loaded when it is touched, and plays', { timeout: 2 * minute }, async () => {
  const bubble = item(nadia, 'the market')
  await bubble.locator('.pic .cover').click()
  await bubble.locator('.pic video').waitFor()
  await bubble.locator('.pic .cover').click()
  const video = nadia.page.locator('.viewer video')
  await until('it plays', () => video.evaluate(async (v) => { v.muted = true; await v.play(); return v.currentTime > 0.2 }))
  await nadia.shot('video-viewer')
  await nadia.page.keyboard.press('Escape')
})

test('in high quality it stays as large as it was; it can be stopped while it is made smaller', { timeout: 3 * minute }, async () => {
  await send('given up')
  await item(amina, 'given up').locator('.get .pad').waitFor()
  await item(amina, 'given up').locator('.m').click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('transfer.cancel'), exact: true }).click()
  await item(amina, 'given up').waitFor({ state: 'detached' })
  await send('in full', { hd: true })
  await item(amina, 'in full').locator('.st.read').waitFor({ state: 'attached', timeout: 2 * minute })
  const made = await amina.page.evaluate(kept, amina.jid)
  assert.deepEqual([made.width, made.height], [1920, 1080])
  assert.ok(made.size < film.length + 65_536, `${made.size} of ${film.length}`) // what is small enough only loses its tags
  assert.equal(await item(nadia, 'given up').count(), 0)
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
