// What a conversation and its composer can do besides talking: one pair of people, many short steps, each seen from both sides where it concerns both.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800], geolocation: { latitude: 33.5731, longitude: -7.5898, accuracy: 12 } }, nadia: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
  amina.allowed.push(/no room here/) // what the tests break on purpose
})

after(() => town?.end())

const last = (person) => person.page.locator('.it[data-id]').last()

/** Opens the menu of a message and chooses a line of it. */
async function act(person, message, key) {
  await message.locator('.m').click({ button: 'right' })
  await person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
}

/** Chooses a line of the conversation's own menu. */
async function chatAct(person, key) {
  await person.button('chat.menu').click()
  await person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
}

/** Says something, and waits until the other has it. */
async function say(person, other, text) {
  await person.write(text)
  await other.sees(text)
}

/** For a while the browser of somebody keeps no message, as when it is full. */
async function fullDisk(person, work) {
  await person.page.evaluate(() => {
    globalThis.rightPut = IDBObjectStore.prototype.put
    IDBObjectStore.prototype.put = function (...args) {
      if (this.name === 'messages') throw new DOMException('no room here', 'QuotaExceededError')
      return globalThis.rightPut.apply(this, args)
    }
  })
  try { await work() } finally { await person.page.evaluate(() => { IDBObjectStore.prototype.put = globalThis.rightPut }) }
}

const toast = (person, key, values) => person.page.locator('.toast', { hasText: person.t(key, values) })
const dialog = (person) => person.page.getByRole('dialog')

test('a correction that cannot be kept stays a correction', async () => {
  await say(amina, nadia, 'we meet at five')
  const count = await nadia.page.locator('.it[data-id]').count()
  await act(amina, amina.message('we meet at five'), 'act.edit')
  await amina.page.locator('.comp textarea').fill('we meet at six')
  await fullDisk(amina, async () => {
    await amina.button('edit.done').click()
    await toast(amina, 'notKept').waitFor()
  })
  assert.equal(await amina.page.locator('.comp textarea').inputValue(), 'we meet at six')
  await amina.page.locator('.above', { hasText: amina.t('edit.title') }).waitFor()
  await amina.button('edit.done').click()
  await nadia.sees('we meet at six')
  assert.equal(await nadia.page.locator('.it[data-id]').count(), count)
})

test('a long text is folded, and read on request', async () => {
  const long = Array.from({ length: 60 }, (_, i) => `line ${i} of a long story`).join('\n')
  await amina.write(long)
  const item = nadia.page.locator('.it', { hasText: 'line 0 of a long story' })
  await item.waitFor()
  assert.equal(await item.getByText('line 59').count(), 0)
  await item.getByRole('button', { name: nadia.t('text.more') }).click()
  await item.getByText('line 59').waitFor()
})

test('what is forwarded says so, and after five times that it is often', async () => {
  await say(amina, nadia, 'a proverb')
  for (let n = 1; n <= 5; n++) {
    await act(amina, amina.message('a proverb').last(), 'act.forward')
    await dialog(amina).getByRole('option', { name: 'nadia' }).click()
    await dialog(amina).getByRole('button', { name: amina.t('forward.to', { names: 'nadia' }) }).click()
    await until(`it was forwarded ${n} times`, async () => await nadia.message('a proverb').count() === n + 1)
  }
  await nadia.message('a proverb').nth(1).locator('.fwd', { hasText: nadia.t('forwarded') }).waitFor()
  await nadia.message('a proverb').last().locator('.fwd', { hasText: nadia.t('forwardedMany') }).waitFor()
})

test('what cannot be forwarded is told, and goes when it is tried again', async () => {
  const count = await nadia.message('a proverb').count()
  await act(amina, amina.message('a proverb').first(), 'act.forward')
  await dialog(amina).getByRole('option', { name: 'nadia' }).click()
  const told = amina.page.locator('.toast').filter({ has: amina.page.getByRole('button', { name: amina.t('again') }) })
  await fullDisk(amina, async () => {
    await dialog(amina).getByRole('button', { name: amina.t('forward.to', { names: 'nadia' }) }).click()
    await told.waitFor()
  })
  await told.getByRole('button').click()
  await until('it was forwarded once', async () => await nadia.message('a proverb').count() === count + 1)
})

test('a pinned message stands above the talk for both, leads to its place, and is let go', async () => {
  await act(nadia, nadia.message('we meet at six'), 'act.pinHere')
  for (const person of [amina, nadia]) await person.page.locator('.pinned', { hasText: 'we meet at six' }).waitFor()
  await amina.page.locator('.pinned').click()
  await amina.page.locator('.it.flash', { hasText: 'we meet at six' }).waitFor()
  await act(amina, amina.message('we meet at six'), 'act.unpinHere')
  for (const person of [amina, nadia]) await person.page.locator('.pinned').waitFor({ state: 'detached' })
})

test('a star is for oneself, and found again', async () => {
  await act(amina, amina.message('we meet at six'), 'act.star')
  const star = amina.message('we meet at six').locator('.meta svg.full')
  await star.waitFor()
  assert.equal(await nadia.message('we meet at six').locator('.meta svg.full').count(), 0)
  await act(amina, amina.message('we meet at six'), 'act.unstar')
  await star.waitFor({ state: 'detached' })
})

test('several messages are chosen, copied, and deleted here alone', async () => {
  for (const text of ['one of three', 'two of three', 'three of three']) await say(amina, nadia, text)
  await act(amina, amina.message('one of three'), 'act.select')
  await amina.message('two of three').click()
  const tools = amina.page.getByRole('toolbar', { name: amina.t('select.tools') })
  await tools.getByRole('button', { name: amina.t('act.copy'), exact: true }).click()
  assert.equal(await amina.page.evaluate(() => navigator.clipboard.readText()), 'one of three\ntwo of three')
  await act(amina, amina.message('one of three'), 'act.select')
  await amina.message('two of three').click()
  await tools.getByRole('button', { name: amina.t('act.delete'), exact: true }).click()
  await amina.button('delete.me').click()
  for (const text of ['one of three', 'two of three']) await amina.message(text).waitFor({ state: 'detached' })
  await amina.sees('three of three')
  for (const text of ['one of three', 'two of three', 'three of three']) assert.equal(await nadia.message(text).count(), 1)
})

test('the info of a message says who has read it', async () => {
  if (await nadia.page.locator('.to-end').count()) await nadia.page.locator('.to-end').click() // she has unfolded a long text: what is below was not in view
  await amina.state('three of three', 'read')
  await act(amina, amina.message('three of three'), 'act.info')
  await dialog(amina).getByText('nadia').waitFor()
  await dialog(amina).getByText(amina.t('info.encrypted')).waitFor()
  await amina.page.keyboard.press('Escape')
  await dialog(amina).waitFor({ state: 'detached' })
})

test('a poll is made, voted in, and counted on both sides', async () => {
  await amina.button('attach').click()
  await amina.button('attach.poll').click()
  await amina.page.getByLabel(amina.t('poll.question')).fill('Where do we eat?')
  await amina.page.getByLabel(amina.t('poll.answer', { n: 1 })).fill('At the port')
  await amina.page.getByLabel(amina.t('poll.answer', { n: 2 })).fill('At home')
  await dialog(amina).getByRole('button', { name: amina.t('send'), exact: true }).click()
  const poll = nadia.page.locator('.poll', { hasText: 'Where do we eat?' })
  await poll.getByRole('radio', { name: /At home/ }).click()
  await poll.locator('[aria-checked=true]', { hasText: 'At home' }).waitFor()
  const counted = amina.page.locator('.poll .opt', { hasText: 'At home' }).locator('.num')
  await until('the vote is counted', async () => /^100/.test(await counted.textContent()))
  await poll.getByRole('radio', { name: /At home/ }).click()
  await until('the vote is taken back', async () => await counted.textContent() === '')
})

test('a place is sent after it was asked for', async () => {
  await amina.context.grantPermissions(['geolocation', 'clipboard-read', 'clipboard-write', 'microphone', 'camera', 'notifications'])
  await amina.button('attach').click()
  await amina.button('attach.place').click()
  await sendPlace(amina)
  await nadia.page.locator('.it', { hasText: '33.57310, -7.58980' }).waitFor()
})

const sendPlace = (person, name = person.t('place.once')) => person.page.getByRole('alertdialog').getByRole('button', { name, exact: true }).click()

test('a place is followed while its sender moves, also after a reload, until they stop', async () => {
  await amina.button('attach').click()
  await amina.button('attach.place').click()
  await amina.shot('place-choices')
  await sendPlace(amina, amina.t('place.live', { time: '15 minutes' }))
  const there = last(nadia)
  await there.locator('.followed', { hasText: nadia.t('place.until', { time: '' }).trim() }).waitFor()
  await amina.context.setGeolocation({ latitude: 33.6, longitude: -7.6, accuracy: 10 })
  await there.getByText('33.60000, -7.60000').waitFor()
  await amina.page.reload()
  await amina.page.locator('.followed').getByRole('button', { name: amina.t('place.stop') }).waitFor()
  await amina.context.setGeolocation({ latitude: 33.7, longitude: -7.7, accuracy: 10 })
  await there.getByText('33.70000, -7.70000').waitFor()
  await amina.shot('live')
  await nadia.shot('live')
  await amina.page.locator('.followed').getByRole('button', { name: amina.t('place.stop') }).click()
  for (const person of [amina, nadia]) await last(person).locator('.followed.over').waitFor()
  await amina.context.setGeolocation({ latitude: 33.8, longitude: -7.8, accuracy: 10 })
  assert.equal(await amina.page.evaluate(() => localStorage.getItem('palabre.live')), null)
  assert.match(await there.textContent(), /33\.70000/)
})

test('a contact is passed on', async () => {
  await amina.page.goto(`${amina.origin}/contacts`)
  await amina.button('con.add').first().click()
  await amina.page.getByLabel(amina.t('con.address'), { exact: true }).fill('zuri@localhost')
  await amina.button('con.addDo').click()
  await amina.page.locator('.comp textarea').waitFor()
  await amina.open(nadia.jid)
  await amina.button('attach').click()
  await amina.button('attach.contact').click()
  await dialog(amina).getByRole('button', { name: /zuri/ }).click()
  await nadia.page.locator('.it', { hasText: 'zuri@localhost' }).waitFor()
})

const typingShown = (person) => person.page.locator('.hd .typing', { hasText: person.t('chats.typing') })

/** Opens a page of the settings and turns a switch, then comes back to the talk. */
async function turn(person, page, key, other) {
  await person.page.goto(`${person.origin}/settings/${page}`)
  const knob = person.page.getByRole('switch', { name: new RegExp(`^${person.t(key)}`) })
  const before = await knob.getAttribute('aria-checked')
  await knob.click()
  await until('it is turned', async () => await knob.getAttribute('aria-checked') !== before)
  await person.open(other.jid)
}

test('that somebody writes is shown, and not when they do not want it', async () => {
  await nadia.page.locator('.comp textarea').pressSequentially('hmm')
  await typingShown(amina).waitFor()
  await nadia.write('hmm yes')
  await amina.sees('hmm yes')
  await typingShown(amina).waitFor({ state: 'detached' })
  await turn(nadia, 'privacy', 'set.typing', amina)
  await amina.page.evaluate(() => {
    globalThis.typingSeen = 0
    new MutationObserver(() => { if (document.querySelector('.hd .typing')) globalThis.typingSeen++ }).observe(document.querySelector('.hd'), { subtree: true, childList: true })
  })
  await nadia.page.locator('.comp textarea').pressSequentially('secretly written')
  await nadia.page.locator('.comp .send').click()
  await amina.sees('secretly written')
  assert.equal(await amina.page.evaluate(() => globalThis.typingSeen), 0)
  await turn(nadia, 'privacy', 'set.typing', amina)
})

test('who does not tell that they read stays at delivered', async () => {
  await turn(nadia, 'privacy', 'set.receipts', amina)
  await amina.write('did you read this')
  await nadia.sees('did you read this')
  await amina.state('did you read this', 'delivered')
  await amina.watchStates()
  await nadia.page.locator('.log').click()
  await say(nadia, amina, 'perhaps')
  await amina.page.reload()
  await amina.sees('perhaps')
  await amina.state('did you read this', 'delivered')
  assert.equal(await amina.message('did you read this').locator('.st.read').count(), 0)
  await turn(nadia, 'privacy', 'set.receipts', amina)
  await amina.write('and this')
  await amina.state('and this', 'read')
})

/** A picture of one colour, in the page. */
const picture = `(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 })
  const c = canvas.getContext('2d')
  c.fillStyle = 'teal'
  c.fillRect(0, 0, 320, 200)
  return new File([await new Promise((done) => canvas.toBlob(done, 'image/png'))], 'pasted.png', { type: 'image/png' })
})()`

test('a picture that is pasted is offered, and sent', async () => {
  await amina.page.evaluate(`${picture}.then((file) => {
    const data = new DataTransfer()
    data.items.add(file)
    document.querySelector('.comp textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  })`)
  await amina.page.getByLabel(amina.t('files.caption')).fill('pasted here')
  await dialog(amina).getByRole('button', { name: amina.t('send'), exact: true }).click()
  await nadia.page.locator('.it', { hasText: 'pasted here' }).locator('img').first().waitFor()
})

test('files that are dropped on the talk are offered', async () => {
  await amina.page.evaluate(() => {
    const data = new DataTransfer()
    data.items.add(new File(['a list'], 'dropped.txt', { type: 'text/plain' }))
    const tell = (type) => document.querySelector('.log').dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }))
    tell('dragenter')
    globalThis.drop = () => tell('drop')
  })
  await amina.page.locator('.drop', { hasText: amina.t('drop') }).waitFor()
  await amina.page.evaluate(() => globalThis.drop())
  await dialog(amina).getByText('dropped.txt').first().waitFor()
  await dialog(amina).getByRole('button', { name: amina.t('send'), exact: true }).click()
  await nadia.page.locator('.it', { hasText: 'dropped.txt' }).waitFor()
})

test('a text that is too long for a message goes as a file, whole', async () => {
  const long = 'word '.repeat(12_500)
  await amina.page.evaluate((text) => {
    const data = new DataTransfer()
    data.setData('text/plain', text)
    document.querySelector('.comp textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  }, long)
  await amina.button('long.asFile').click()
  await dialog(amina).getByText('text.txt').first().waitFor()
  await dialog(amina).getByRole('button', { name: amina.t('send'), exact: true }).click()
  await nadia.page.locator('.it', { hasText: 'text.txt' }).waitFor()
  assert.equal(await amina.page.locator('.comp textarea').inputValue(), '')
})

test('photos are listed without a word to search for', async () => {
  await amina.page.goto(`${amina.origin}/search`)
  await amina.page.getByRole('button', { name: amina.t('find.photos'), exact: true }).click()
  await amina.page.locator('.hit', { hasText: 'pasted here' }).locator('.thumb').waitFor()
  await amina.shot('photos')
  await amina.page.getByRole('button', { name: amina.t('find.all'), exact: true }).click()
  await amina.open(nadia.jid)
})

test('an emoji is found by a word of one’s own language', async () => {
  await amina.page.locator('.comp textarea').fill('with ')
  await amina.button('emoji').click()
  await amina.page.getByRole('searchbox', { name: amina.t('emoji.search') }).fill('fusée')
  await amina.page.locator('.emoji').getByRole('button', { name: 'fusée', exact: true }).click()
  await until('it stands in the text', async () => await amina.page.locator('.comp textarea').inputValue() === 'with 🚀')
  await amina.button('emoji').click()
  await amina.page.locator('.comp .send').click()
  await nadia.sees('with 🚀')
})

test('Enter sends, or makes a new line, as one chose', async () => {
  const area = amina.page.locator('.comp textarea')
  await area.fill('sent by Enter')
  await area.press('Enter')
  await nadia.sees('sent by Enter')
  await turn(amina, 'chats', 'set.enter', nadia)
  await area.fill('first line')
  await area.press('Enter')
  assert.equal(await area.inputValue(), 'first line\n')
  await area.press('Control+Enter')
  await nadia.sees('first line')
  await turn(amina, 'chats', 'set.enter', nadia)
})

test('a waveform and its slider run the same way, also from right to left', async () => {
  await amina.page.locator('.comp .send').focus()
  await amina.page.keyboard.press('Enter')
  await amina.page.locator('.rec-bar').waitFor()
  await until('two seconds are recorded', async () => /0:0[2-9]/.test(await amina.page.locator('.rec-bar').textContent()))
  await amina.button('voice.send').click()
  const note = nadia.page.locator('.it .voice').last()
  const slider = note.locator('input[type=range]')
  const press = (key) => note.getByRole('button', { name: nadia.t(key) }).click({ timeout: 2000 }).catch(() => undefined)
  await until('it is stopped on its way, though it is short', async () => {
    if (!await slider.isEnabled()) await press('voice.play')
    await press('voice.pause')
    return await slider.isEnabled() && await note.getByRole('button', { name: nadia.t('voice.play') }).count() === 1
  }, 60_000)
  assert.equal(await nadia.page.evaluate(() => document.documentElement.dir), 'rtl')
  const value = await slider.evaluate((e) => { e.focus(); return Number(e.value) })
  const box = await slider.boundingBox()
  await nadia.page.mouse.click(box.x + box.width * .9, box.y + box.height / 2)
  const moved = await slider.evaluate((e) => [Number(e.value), Number(e.max)])
  assert.ok(moved[0] > moved[1] * .7, `a click near the right end of the bars went from ${value} to ${moved[0]} of ${moved[1]}`)
})

test('a chat is put on a list of one’s own, which is a chip above the chats', async () => {
  await amina.open(amina.jid)
  await amina.write('a note to myself')
  await amina.sees('a note to myself')
  await amina.open(nadia.jid)
  await amina.page.getByRole('link', { name: /nadia/ }).first().click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('act.lists'), exact: true }).click()
  await amina.page.getByLabel(amina.t('lists.new')).fill('Famille')
  await amina.shot('lists')
  await amina.button('lists.save').click()
  const chip = amina.page.locator('.chips').getByRole('button', { name: 'Famille', exact: true })
  await chip.click()
  await until('only that chat is shown', async () => await amina.page.locator('.rows .row').count() === 1)
  await amina.shot('list-chip')
  await amina.page.getByRole('link', { name: /nadia/ }).first().click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('act.lists'), exact: true }).click()
  await amina.page.getByLabel('Famille').uncheck()
  await amina.button('lists.save').click()
  await chip.waitFor({ state: 'detached' })
  assert.equal(await amina.page.locator('.chips').getByRole('button', { name: amina.t('filter.all'), exact: true }).getAttribute('aria-pressed'), 'true')
  await until('all chats are shown again', async () => await amina.page.locator('.rows .row').count() > 1)
})

test('messages and chats are lists by role', async () => {
  await nadia.page.locator('.log ul[role=list]').waitFor()
  await nadia.page.locator('ul.rows[role=list]').waitFor()
})

test('blocking from the talk asks why, as everywhere', async () => {
  await chatAct(amina, 'act.block')
  await dialog(amina).getByRole('radio', { name: amina.t('ab.whyAbuse') }).check()
  await dialog(amina).getByLabel(amina.t('ab.whyText')).fill('only a test')
  await dialog(amina).getByLabel(amina.t('ab.whyMessages')).waitFor()
  await amina.shot('block')
  await amina.page.keyboard.press('Escape')
  await dialog(amina).waitFor({ state: 'detached' })
  await amina.page.locator('.comp textarea').waitFor()
})

test('a draft that corrects a message far above comes back as a correction; a quote and a date lead there', async () => {
  await act(nadia, nadia.message('we meet at six'), 'act.reply')
  await nadia.write('as you said')
  await amina.sees('as you said')
  await act(amina, amina.message('we meet at six'), 'act.edit')
  await amina.page.locator('.comp textarea').fill('we meet at seven')
  await until('the draft is kept', () => amina.page.evaluate((jid) => new Promise((done) => {
    const opening = indexedDB.open('palabre:amina@localhost')
    opening.onsuccess = () => {
      const asked = opening.result.transaction('chats').objectStore('chats').get(jid)
      asked.onsuccess = () => { opening.result.close(); done(asked.result?.draft?.text === 'we meet at seven') }
    }
  }), nadia.jid))
  for (let n = 1; n <= 45; n++) await nadia.write(`and ${n}`)
  await amina.sees('and 45')
  await amina.page.reload()
  await amina.sees('and 45')
  assert.equal(await amina.message('we meet at six').count(), 0, 'it must not be in the window for this')
  await amina.page.locator('.above', { hasText: amina.t('edit.title') }).waitFor()
  assert.equal(await amina.page.locator('.comp textarea').inputValue(), 'we meet at seven')
  await amina.button('edit.done').click()
  await chatAct(amina, 'chat.date')
  const today = await amina.page.evaluate(() => { const d = new Date(); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}` })
  await amina.page.getByLabel(amina.t('date.label')).fill(today)
  await amina.button('date.go').click()
  await amina.page.locator('.it.flash', { hasText: 'begin' }).waitFor()
  await amina.sees('we meet at seven')
  await amina.button('log.toEnd').click()
  await amina.sees('and 45')
  await nadia.sees('and 45')
  await nadia.page.locator('.log').evaluate((e) => { e.scrollTop = 0 })
  await nadia.message('as you said').locator('.quote').click()
  await nadia.page.locator('.it.flash', { hasText: 'we meet at seven' }).waitFor()
})

test('the consoles are silent', () => {
  amina.clean()
  nadia.clean()
})
