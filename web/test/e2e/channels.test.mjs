// A channel from its beginning to its end: a town publishes, a reader follows, another comes later; marks, reactions, views, files, signatures that fit and one
// that does not, a gap after an outage, a post that waits for its time. axe looks at each screen on the way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Proxy, Server } from './server.mjs'

const title = 'Town of Verona'
const name = 'town-of-verona'
let server, bad, worse, chromium, amina, nadia, karim

/** amina and karim come through one network, nadia through another one. */
before(async () => {
  const port = await freePort()
  bad = await Proxy.make(port)
  worse = await Proxy.make(port)
  server = await Server.make({ port, open: bad.port })
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { lang: 'en', size: [1280, 800] })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar', colorScheme: 'dark' })
  nadia.allowed.push(/Content Security Policy/) // her page does not come from the address that the server tells
  karim = await Person.make(chromium, 'karim', { lang: 'fr' })
  await amina.join(server.invite())
  await nadia.join(server.invite().replace(`:${bad.port}/`, `:${worse.port}/`))
  await karim.join(server.invite())
})

after(async () => {
  await chromium?.close()
  bad?.end()
  worse?.end()
  await server?.end()
})

const post = (person, text) => person.page.locator('.ch-post', { hasText: text })
const sees = (person, text) => post(person, text).waitFor()
const open = (person) => person.page.goto(`${person.origin}/channels/${name}`)

/** Writes a post and waits until it is in the channel. */
async function publish(person, text) {
  await person.page.getByLabel(person.t('ch.write')).fill(text)
  await person.page.locator('.ch-line-in .send').click()
  await person.page.locator('.ch-post:not(.unsent)', { hasText: text }).waitFor()
}

/** A picture, as somebody might take it. */
const picture = (person, colour) => person.page.evaluate(async (colour) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 600, height: 360 })
  const c = canvas.getContext('2d')
  c.fillStyle = colour; c.fillRect(0, 0, 600, 360); c.fillStyle = '#f0a020'; c.fillRect(60, 200, 480, 40)
  return [...new Uint8Array(await (await new Promise((done) => canvas.toBlob(done, 'image/png'))).arrayBuffer())]
}, colour)

/** The state of a post's signature. */
const signature = (person, text, key) => post(person, text).locator('.ch-sig', { hasText: person.t(key, { name: 'amina' }) }).waitFor()

test('a channel is made and published in', async () => {
  await amina.page.goto(`${amina.origin}/updates`)
  await amina.button('ch.new').click()
  await amina.page.getByLabel(amina.t('ch.title'), { exact: true }).fill(title)
  await amina.page.getByLabel(amina.t('ch.text'), { exact: true }).fill('What the town hall has to say')
  await amina.page.getByLabel(amina.t('ch.segments'), { exact: true }).fill('north Northern quarter\nsouth Southern quarter')
  assert.equal(await amina.page.getByLabel(amina.t('ch.name'), { exact: true }).inputValue(), name)
  await well(amina, 'channel-new')
  await amina.button('ch.make').click()
  await amina.page.getByLabel(amina.t('ch.write')).waitFor()
  await publish(amina, 'The bridge is closed today')
  await signature(amina, 'The bridge is closed today', 'ch.sig.good')
  await well(amina, 'channel-published')
})

test('a reader finds it, follows it, and hears of the next post', async () => {
  await nadia.page.goto(`${nadia.origin}/updates`)
  await nadia.button('ch.find').click()
  await nadia.page.getByPlaceholder(nadia.t('ch.findHint')).fill('verona')
  await well(nadia, 'channel-find')
  await nadia.page.getByRole('link', { name: title }).click()
  await sees(nadia, 'The bridge is closed today')
  await nadia.button('ch.follow').click()
  await nadia.page.locator('.ch-bar').waitFor({ state: 'detached' })
  await publish(amina, 'The bridge is open again')
  await sees(nadia, 'The bridge is open again')
  await signature(nadia, 'The bridge is open again', 'ch.sig.good')
  await well(nadia, 'channel-read')
})

test('posts that wait for their time are listed, and can be taken away', async () => {
  const soon = new Date(Math.ceil((Date.now() + 45_000) / 60_000) * 60_000)
  for (const [text, at] of [['The market begins', soon], ['Happy new year', new Date(Date.now() + 40 * 86_400_000)]]) {
    await amina.page.getByLabel(amina.t('ch.write')).fill(text)
    await amina.button('ch.options').click()
    await amina.page.getByLabel(amina.t('ch.later')).fill(await amina.page.evaluate((time) => new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16), at.getTime()))
    if (text === 'The market begins') await well(amina, 'channel-options')
    await amina.button('ch.done').click()
    await amina.button('ch.publishAt').click()
    await until('it is kept', async () => !await amina.page.getByLabel(amina.t('ch.write')).inputValue())
    await amina.page.locator('.ch-post.unsent').waitFor({ state: 'detached' })
  }
  await amina.page.goto(`${amina.origin}/channels/${name}/scheduled`)
  await amina.page.locator('.card', { hasText: 'The market begins' }).waitFor()
  await well(amina, 'channel-scheduled')
  await amina.page.locator('.card', { hasText: 'Happy new year' }).getByRole('button', { name: amina.t('ch.cancelPost') }).click()
  await amina.page.locator('.card', { hasText: 'Happy new year' }).waitFor({ state: 'detached' })
  await open(amina)
})

test('the operator says whose it is, and why', async () => {
  server.run('channel', 'mark', '-config', server.config, name, 'town hall of Verona, seen in person')
  await nadia.page.locator('.ch-line', { hasText: 'town hall of Verona, seen in person' }).waitFor()
  await nadia.page.locator('.hd .ch-mark').waitFor()
  await nadia.page.goto(`${nadia.origin}/channels/${name}/about`)
  await nadia.page.locator('.ch-vouched', { hasText: 'seen in person' }).waitFor()
  await nadia.page.getByRole('switch', { name: nadia.t('ch.mute') }).click()
  await nadia.page.locator('.switch[aria-checked=true]').waitFor()
  await well(nadia, 'channel-about')
  await nadia.page.locator('.ch-vouched').click()
  await nadia.page.getByRole('dialog').getByText('localhost').waitFor()
  await well(nadia, 'channel-mark')
  await nadia.page.keyboard.press('Escape')
  await nadia.page.goto(`${nadia.origin}/channels/${name}`)
})

test('what is read is counted, and what readers say is summed', async () => {
  await post(nadia, 'The bridge is open again').getByRole('button', { name: nadia.t('ch.react') }).click()
  await nadia.page.locator('.ch-quick button').first().click()
  await post(nadia, 'The bridge is open again').locator('.rx[aria-pressed=true]', { hasText: '👍' }).waitFor()
  await until('the server has written the views', async () => {
    await open(amina)
    await sees(amina, 'The bridge is open again')
    const seen = await post(amina, 'The bridge is open again').locator('.ch-views').textContent({ timeout: 2500 }).catch(() => '')
    return /^2/.test(seen ?? '')
  })
  await post(amina, 'The bridge is open again').locator('.rx', { hasText: '1' }).waitFor()
})

test('pictures and files, as they were published', async () => {
  await amina.page.locator('.ch-compose input[type=file]').setInputFiles([{ name: 'bridge.png', mimeType: 'image/png', buffer: Buffer.from(await picture(amina, '#0a7285')) }, { name: 'notice.txt', mimeType: 'text/plain', buffer: Buffer.from('closed for works') }])
  await amina.page.locator('.ch-compose .chip').nth(1).waitFor()
  await publish(amina, 'The new bridge, and the notice')
  await karim.page.goto(`${karim.origin}/channels/${name}`)
  await post(karim, 'The new bridge, and the notice').locator('img.ch-picture').waitFor()
  const [download] = await Promise.all([karim.page.waitForEvent('download'), post(karim, 'The new bridge, and the notice').locator('.ch-file').click()])
  assert.equal(download.suggestedFilename(), 'notice.txt')
  await signature(karim, 'The new bridge, and the notice', 'ch.sig.good')
  await well(karim, 'channel-media')
})

test('a video is made ready, and played by who wants to see it', async () => {
  const film = await amina.page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 })
    const c = canvas.getContext('2d', { alpha: false })
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm;codecs=vp8' })
    const parts = []
    recorder.ondataavailable = (e) => parts.push(e.data)
    const ended = new Promise((done) => { recorder.onstop = done })
    recorder.start()
    await new Promise((done) => { let n = 0; const step = () => { c.fillStyle = `hsl(${n * 9} 70% 50%)`; c.fillRect(0, 0, 320, 240); if (n++ < 30) setTimeout(step, 50); else done() }; step() })
    recorder.stop()
    await ended
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())]
  })
  await amina.page.locator('.ch-compose input[type=file]').setInputFiles([{ name: 'river.webm', mimeType: 'video/webm', buffer: Buffer.from(film) }])
  await amina.page.locator('.ch-compose .chip').first().waitFor()
  await publish(amina, 'The river this morning')
  await karim.page.goto(`${karim.origin}/channels/${name}`)
  const mine = post(karim, 'The river this morning')
  await mine.getByRole('button', { name: /vidéo/ }).click()
  await until('it plays', () => mine.locator('video').evaluate((v) => v.currentTime > 0))
  await well(karim, 'channel-video')
})

test('what was published while the network was away comes in order, and is unread', async () => {
  await nadia.page.goto(`${nadia.origin}/updates`)
  await nadia.page.locator('.up-channels .row', { hasText: nadia.t('mark.muted') }).waitFor()
  await worse.tell('stall')
  for (const text of ['One', 'Two', 'Three']) await publish(amina, `${text} of three`)
  await worse.tell('reset')
  await worse.tell('flow')
  await nadia.page.locator('.up-channels .badge', { hasText: /[345]/ }).waitFor({ timeout: 60_000 })
  await well(nadia, 'channel-list')
  await nadia.page.locator('.up-channels .row', { hasText: title }).click()
  await sees(nadia, 'Three of three')
  const all = await nadia.page.locator('.ch-post .txt').allTextContents()
  assert.deepEqual(all.filter((text) => / of three$/.test(text)), ['One of three', 'Two of three', 'Three of three'])
  await nadia.page.goto(`${nadia.origin}/updates`)
  await nadia.page.locator('.up-channels .row', { hasText: title }).waitFor()
  await until('all was read', async () => !await nadia.page.locator('.up-channels .badge').count())
})

test('a post that could not leave waits, leaves once, and stands there once', async () => {
  await bad.tell('stall')
  await amina.page.getByLabel(amina.t('ch.write')).fill('Written without a network')
  await amina.page.locator('.ch-line-in .send').click()
  await amina.page.locator('.ch-post.unsent', { hasText: 'Written without a network' }).waitFor()
  await amina.shot('channel-unsent')
  await bad.tell('reset')
  await bad.tell('flow')
  await amina.page.locator('.ch-post:not(.unsent)', { hasText: 'Written without a network' }).waitFor({ timeout: 60_000 })
  await until('it does not wait any more', async () => !await amina.page.locator('.ch-post.unsent').count())
  await open(nadia)
  await sees(nadia, 'Written without a network')
  assert.equal(await post(nadia, 'Written without a network').count(), 1)
})

test('a post is changed, and another one taken back', async () => {
  await post(amina, 'One of three').getByRole('button', { name: amina.t('ch.postMenu') }).click()
  await amina.page.getByRole('menuitem', { name: amina.t('ch.edit'), exact: true }).click()
  await amina.page.getByLabel(amina.t('ch.write')).fill('One of two')
  await amina.page.locator('.ch-line-in .send').click()
  await sees(nadia, 'One of two')
  assert.equal(await post(nadia, 'One of three').count(), 0)
  await signature(nadia, 'One of two', 'ch.sig.good')
  await post(nadia, 'One of two').getByText(nadia.t('ch.edited')).waitFor()
  await post(amina, 'Three of three').getByRole('button', { name: amina.t('ch.postMenu') }).click()
  await amina.page.getByRole('menuitem', { name: amina.t('ch.retract'), exact: true }).click()
  await amina.button('ch.retract').click()
  await post(nadia, 'Three of three').waitFor({ state: 'detached' })
})

test('what somebody changed on its way does not fit its signature', async () => {
  await publish(amina, 'The fountain runs again')
  await karim.context.routeWebSocket(/\/ws$/, (here) => {
    const there = here.connectToServer()
    there.onMessage((frame) => here.send(String(frame).replaceAll('The fountain runs again', 'The fountain is poisoned')))
  })
  await karim.page.close()
  karim.page = await karim.tab()
  await karim.page.goto(`${karim.origin}/channels/${name}`)
  await signature(karim, 'The fountain is poisoned', 'ch.sig.bad')
  await signature(karim, 'One of two', 'ch.sig.good')
  await post(karim, 'The fountain is poisoned').locator('.ch-sig').click()
  await karim.page.getByText(karim.t('ch.sigText.bad', { name: 'amina' })).waitFor()
  await well(karim, 'channel-forged')
})

test('what is kept is read without a network', async () => {
  await worse.tell('stall')
  await worse.tell('reset')
  await nadia.page.goto(`${nadia.origin}/updates`)
  await nadia.page.locator('.up-channels .row', { hasText: title }).click()
  await sees(nadia, 'One of two')
  await worse.tell('flow')
})

test('the post that waited for its time is there, signed', async () => {
  await open(nadia)
  await post(nadia, 'The market begins').waitFor({ timeout: 120_000 })
  await signature(nadia, 'The market begins', 'ch.sig.good')
})

test('everybody can read it without an app', async () => {
  const page = await karim.context.request.get(`${server.origin}/channel/${name}`)
  assert.match(await page.text(), /The bridge is open again/)
  const feed = await (await karim.context.request.get(`${server.origin}/channel/${name}.atom`)).text()
  assert.match(feed, /<signature xmlns=.urn:palabre:channel:0. by=.amina@localhost./)
  assert.ok(!feed.includes('Three of three'))
})

test('publishers are named, settings changed, and the mark taken back', async () => {
  await amina.page.goto(`${amina.origin}/channels/${name}/people`)
  await amina.page.getByLabel(amina.t('ch.addPerson')).fill('karim')
  await amina.button('ch.add').click()
  await amina.page.locator('.peer', { hasText: 'karim' }).waitFor()
  await well(amina, 'channel-people')
  await amina.page.goto(`${amina.origin}/channels/${name}/edit`)
  await amina.page.getByLabel(amina.t('ch.title'), { exact: true }).fill('City of Verona')
  await amina.page.getByLabel(amina.t('ch.comment'), { exact: true }).fill('xmpp:lake@groups.localhost?join')
  await amina.page.locator('.picture-of input[type=file]').setInputFiles({ name: 'arms.png', mimeType: 'image/png', buffer: Buffer.from(await picture(amina, '#b3261e')) })
  await amina.page.locator('.picture-of img').waitFor()
  await well(amina, 'channel-edit')
  await amina.button('ch.save').click()
  await nadia.page.locator('.hd .nm', { hasText: 'City of Verona' }).waitFor()
  await until('its picture is shown', () => amina.page.evaluate(() => (document.querySelector('.hd .av img')?.naturalWidth ?? 0) > 0))
  assert.equal(await post(nadia, 'One of two').getByRole('button', { name: nadia.t('ch.comments') }).count(), 1)
  server.run('channel', 'unmark', '-config', server.config, name)
  await nadia.page.locator('.hd .ch-mark').waitFor({ state: 'detached' })
  await karim.page.reload()
  await karim.page.getByLabel(karim.t('ch.write')).waitFor()
})

test('one is for some who are named, and for nobody else', async () => {
  await amina.page.goto(`${amina.origin}/updates/channels/new`)
  await amina.page.getByLabel(amina.t('ch.title'), { exact: true }).fill('Council')
  await amina.page.getByLabel(amina.t('ch.private'), { exact: true }).check()
  await amina.page.getByLabel(amina.t('ch.readers'), { exact: true }).fill('nadia@localhost')
  await amina.button('ch.make').click()
  await amina.page.getByLabel(amina.t('ch.write')).waitFor()
  await publish(amina, 'Only for the council')
  await nadia.page.goto(`${nadia.origin}/channels/council`)
  await sees(nadia, 'Only for the council')
  await karim.page.goto(`${karim.origin}/channels/council`)
  await karim.page.getByText(karim.t('ch.missing')).waitFor()
  assert.equal((await karim.context.request.get(`${server.origin}/channel/council`)).status(), 404)
})

test('who does not want to follow any more does not, and a channel ends', async () => {
  await nadia.page.goto(`${nadia.origin}/channels/${name}/about`)
  await nadia.button('ch.unfollow').click()
  await nadia.page.getByRole('alertdialog').getByRole('button', { name: nadia.t('ch.unfollow'), exact: true }).click()
  await nadia.page.locator('.up-none').waitFor()
  await amina.page.goto(`${amina.origin}/channels/${name}/about`)
  await amina.button('ch.delete').click()
  await amina.page.getByRole('alertdialog').getByRole('button', { name: amina.t('ch.delete'), exact: true }).click()
  await until('it is gone from the web', async () => (await karim.context.request.get(`${server.origin}/channel/${name}`)).status() !== 200)
  for (const person of [amina, nadia, karim]) person.clean()
})
