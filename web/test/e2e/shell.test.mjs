// What belongs to accounts, settings, safety and the shell around the chats, in many short steps.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { Person, until } from './person.mjs'
import { anotherVersion } from './server.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, zaid
const minute = 60_000

before(async () => {
  town = await Town.found({ options: { amina: { lang: 'en', size: [1280, 800] }, nadia: { lang: 'en' } }, admin: true })
  ;({ amina, nadia } = town)
  zaid = await Person.make(town.chromium, 'zaid', { lang: 'en' })
  await zaid.join(town.server.invite())
})

after(() => town?.end())

const go = (person, path) => person.page.goto(person.origin + path)
const row = (person, name) => person.page.locator('.row', { hasText: name })
const press = (person, key, where = person.page) => where.getByRole('button', { name: person.t(key), exact: true }).click()
const item = (person, key) => person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
const toast = (person, key, values) => person.page.locator('.toast', { hasText: person.t(key, values) }).waitFor()
const sheet = (person) => person.page.locator('.sheet, .dialog').last()
const gone = (locator) => locator.waitFor({ state: 'detached' })

/** What somebody's browser has in a store of their account. */
const kept = (person, store, key) => person.page.evaluate(([name, store, key]) => new Promise((done, failed) => {
  const open = indexedDB.open(name)
  open.onerror = () => failed(open.error)
  open.onsuccess = () => {
    const found = open.result.transaction(store).objectStore(store).get(key)
    found.onsuccess = () => { open.result.close(); done(found.result) }
  }
}), [`palabre:${person.jid}`, store, key])

/** What a browser would save, as text. */
async function saved(person, act) {
  const [download] = await Promise.all([person.page.waitForEvent('download'), act()])
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') }
}

// Message requests

test('only contacts may write: a stranger waits apart, without number or notification, and learns nothing', { timeout: 2 * minute }, async () => {
  await go(nadia, '/settings/privacy')
  await nadia.page.getByText(nadia.t('set.whoContacts'), { exact: true }).click()
  await until('it is kept', async () => (await kept(nadia, 'kv', 'choices'))?.strangers === false)
  await go(nadia, '/')
  await zaid.open(nadia.jid)
  await zaid.write('hello, stranger')
  await zaid.state('hello, stranger', 'sent')
  const line = nadia.page.locator('.foldline', { hasText: nadia.t('chats.requests') })
  await line.waitFor()
  await nadia.shot('requests-line')
  assert.equal(await row(nadia, 'zaid').count(), 0)
  assert.equal(await nadia.page.title(), 'Palabre')
  await line.click()
  await row(nadia, 'zaid').click()
  await nadia.sees('hello, stranger')
  await nadia.page.getByText(nadia.t('request.title', { name: 'zaid' })).waitFor()
  assert.equal(await nadia.page.locator('.comp textarea').count(), 0)
  await nadia.shot('request')
  assert.deepEqual(await faults(nadia.page), [])
  await zaid.write('are you there?')
  await nadia.sees('are you there?')
  await nadia.page.waitForFunction(() => document.hasFocus())
  await until('it counts as read here', async () => (await kept(nadia, 'chats', zaid.jid)).unread === 0)
  assert.equal(await zaid.page.locator('.it .st.delivered, .it .st.read').count(), 0)
})

test('accepted, the stranger is a chat like others, and sees that it was read', async () => {
  await press(nadia, 'request.accept')
  await nadia.page.locator('.comp textarea').waitFor()
  await zaid.state('are you there?', 'read')
  await go(nadia, '/')
  await row(nadia, 'zaid').waitFor()
  assert.equal(await nadia.page.locator('.foldline').count(), 0)
})

// Safety

test('the safety number is the same on both sides, and a person who compared it verifies', async () => {
  const numbers = []
  for (const [one, other] of [[amina, nadia], [nadia, amina]]) {
    await go(one, `/chat/${encodeURIComponent(other.jid)}/security`)
    numbers.push(await one.page.locator('.numbers').textContent())
  }
  assert.match(numbers[0], /^\d{60}$/)
  assert.equal(numbers[0], numbers[1])
  await press(amina, 'sec.same')
  await toast(amina, 'sec.sameDone')
  await amina.page.getByText(amina.t('sec.verified'), { exact: true }).first().waitFor()
})

/** The code of keys that somebody shows, as a picture. */
async function codeOf(person) {
  await press(person, 'sec.mine')
  const code = person.page.locator('.qr-of .qr')
  await code.waitFor()
  const buffer = await code.screenshot()
  await person.page.keyboard.press('Escape')
  return { name: 'code.png', mimeType: 'image/png', buffer }
}

/** Scans a picture of a code on the page about somebody's keys. */
async function scans(person, other, picture) {
  await person.page.getByRole('button', { name: person.t('sec.scan', { name: other.name }), exact: true }).click()
  await person.page.locator('.scan input[type=file]').setInputFiles(picture)
  await gone(person.page.locator('.scan'))
}

test('a scanned code is compared: that of the contact matches, that of somebody else is told', async () => {
  const hers = await codeOf(nadia)
  await go(zaid, `/chat/${encodeURIComponent(nadia.jid)}/security`)
  const his = await codeOf(zaid)
  await scans(amina, nadia, hers)
  await amina.page.getByText(/1 device matches and is verified/).waitFor()
  await amina.shot('compared')
  await scans(amina, nadia, his)
  await amina.page.getByText(amina.t('sec.wrongPerson', { name: zaid.jid })).waitFor()
})

// Blocking and reporting

test('who is blocked from the chat, and reported with their words, is silent; the operator sees the report', { timeout: 2 * minute }, async () => {
  await zaid.open(amina.jid)
  await zaid.write('buy my coins')
  await zaid.state('buy my coins', 'sent')
  await amina.open(zaid.jid)
  await amina.sees('buy my coins')
  await press(amina, 'chat.menu')
  await item(amina, 'act.block')
  await sheet(amina).getByText(amina.t('ab.whyAbuse'), { exact: true }).click()
  await amina.page.getByLabel(amina.t('ab.whyText'), { exact: true }).fill('sells coins')
  await press(amina, 'ab.blockYes', sheet(amina))
  await amina.page.getByText(amina.t('blocked', { name: 'zaid' })).waitFor()
  await amina.shot('blocked')
  await zaid.write('and more coins')
  await zaid.page.locator('.it .st.sent, .it .st.failed').last().waitFor({ state: 'attached' })
  await go(amina, '/admin/reports')
  const report = amina.page.locator('.report', { hasText: zaid.jid })
  await report.getByText('sells coins').waitFor()
  await amina.shot('report')
  assert.equal((await report.textContent()).includes(amina.jid.split('@')[0]), true)
})

test('unblocked in the settings, they can write again, and what they wrote meanwhile did not come', async () => {
  await go(amina, '/settings/privacy')
  await amina.page.locator('.peer', { hasText: zaid.jid }).getByRole('button').click()
  await amina.page.getByText(amina.t('set.blockedNone')).waitFor()
  await zaid.write('sorry')
  await amina.open(zaid.jid)
  await amina.sees('sorry')
  assert.equal(await amina.message('and more coins').count(), 0)
})

// Taking along

test('a chat and all data are saved as files that say what was said', async () => {
  await amina.open(nadia.jid)
  await press(amina, 'chat.menu')
  await item(amina, 'chat.export')
  const chat = await saved(amina, () => press(amina, 'export.yes', sheet(amina)))
  assert.match(chat.name, /nadia.*\.json$/)
  const { chat: jid, messages } = JSON.parse(chat.text)
  assert.equal(jid, nadia.jid)
  assert.deepEqual(messages.map((m) => m.content.text), ['begin', 'we have begun'])
  await go(amina, `/contacts/${encodeURIComponent(nadia.jid)}`)
  const same = await saved(amina, () => press(amina, 'ab.export'))
  assert.deepEqual(JSON.parse(same.text), JSON.parse(chat.text))
  await go(amina, '/settings/account')
  const all = JSON.parse((await saved(amina, () => press(amina, 'set.exportDo'))).text)
  assert.equal(all.account, amina.jid)
  assert.deepEqual(all.chats.map((c) => c.chat.jid).sort(), [nadia.jid, zaid.jid])
  assert.equal(all.contacts.some((c) => c.jid === nadia.jid), true)
})

// The list

/** Moves a finger sideways over a row. */
async function swipes(person, locator, by) {
  const box = await locator.boundingBox()
  const cdp = await person.context.newCDPSession(person.page)
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
  const touch = (type, at) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: at === undefined ? [] : [{ x: at, y }] })
  await touch('touchStart', x)
  for (let i = 1; i <= 5; i++) await touch('touchMove', x + by * i / 5)
  await touch('touchEnd')
  await cdp.detach()
}

test('a swipe archives a chat, the undo brings it back, and the archive has it until a swipe there', async () => {
  await go(nadia, '/')
  await row(nadia, 'zaid').waitFor()
  await swipes(nadia, row(nadia, 'zaid'), -100)
  await gone(row(nadia, 'zaid'))
  await press(nadia, 'undo', nadia.page.locator('.toast'))
  await row(nadia, 'zaid').waitFor()
  await swipes(nadia, row(nadia, 'zaid'), -100)
  await gone(row(nadia, 'zaid'))
  await nadia.page.locator('.foldline', { hasText: nadia.t('chats.archive') }).click()
  await row(nadia, 'zaid').waitFor()
  assert.equal(await row(nadia, 'amina').count(), 0)
  await swipes(nadia, row(nadia, 'zaid'), -100)
  await nadia.page.getByText(nadia.t('chats.noArchive')).waitFor()
  await go(nadia, '/')
  await row(nadia, 'zaid').waitFor()
})

test('a swipe the other way marks a chat as unread, and as read again', async () => {
  const mark = row(nadia, 'zaid').getByText(nadia.t('mark.unread'))
  await swipes(nadia, row(nadia, 'zaid'), 100)
  await mark.waitFor({ state: 'attached' })
  await nadia.page.waitForFunction(() => document.title.startsWith('(1)'))
  await nadia.page.getByRole('button', { name: new RegExp(`^${nadia.t('filter.unread')}`) }).click()
  assert.equal(await row(nadia, 'amina').count(), 0)
  await swipes(nadia, row(nadia, 'zaid'), 100)
  await gone(row(nadia, 'zaid')) // nothing is unread
  await press(nadia, 'filter.showAll')
})

test('a favourite stands under its filter', async () => {
  await go(amina, '/')
  await row(amina, 'nadia').click({ button: 'right' })
  await item(amina, 'act.favourite')
  await row(amina, 'nadia').getByText(amina.t('mark.favourite')).waitFor({ state: 'attached' })
  await press(amina, 'filter.favourites')
  await gone(row(amina, 'zaid'))
  await row(amina, 'nadia').waitFor()
  await press(amina, 'filter.all')
})

test('several chats are pinned, archived and marked with one touch', async () => {
  await row(amina, 'nadia').click({ button: 'right' })
  await item(amina, 'act.select')
  await row(amina, 'zaid').click()
  const tools = amina.page.getByRole('toolbar', { name: amina.t('pick.tools') })
  await tools.getByText('2 selected').waitFor({ state: 'attached' })
  await amina.shot('picking')
  await press(amina, 'act.pin', tools)
  for (const name of ['nadia', 'zaid']) await row(amina, name).getByText(amina.t('mark.pinned')).waitFor({ state: 'attached' })
  await gone(tools)
  await row(amina, 'zaid').click({ button: 'right' })
  await item(amina, 'act.select')
  await row(amina, 'nadia').click()
  await press(amina, 'act.archive', tools)
  await amina.page.locator('.foldline', { hasText: amina.t('chats.archive') }).getByText('2').waitFor()
  await press(amina, 'undo', amina.page.locator('.toast'))
  for (const name of ['nadia', 'zaid']) await row(amina, name).waitFor()
  await amina.page.keyboard.press('Escape')
})

// Keys

test('the list of keys, and what they do', async () => {
  const { page } = amina
  await go(amina, '/')
  await row(amina, 'nadia').waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: amina.t('keys.title') }).waitFor()
  await amina.shot('keys')
  await page.evaluate(() => document.activeElement.blur()) // also without the focus in it
  await page.keyboard.press('Escape')
  await gone(page.getByRole('dialog'))
  const rows = await page.locator('.row').evaluateAll((all) => all.map((a) => a.getAttribute('href')))
  assert.equal(rows.length, 2)
  const at = (path) => page.waitForFunction((p) => location.pathname === p, path)
  await page.keyboard.press('Alt+ArrowDown')
  await at(rows[0])
  await page.keyboard.press('Alt+ArrowDown')
  await at(rows[1])
  await page.keyboard.press('Alt+ArrowUp')
  await at(rows[0])
  await page.locator('.comp textarea').fill('?')
  assert.equal(await page.getByRole('dialog').count(), 0) // who writes writes
  await page.locator('.comp textarea').fill('')
  await page.keyboard.press('Alt+KeyN')
  await at('/new')
  await go(amina, '/')
  await row(amina, 'nadia').waitFor()
  await page.keyboard.press('/')
  await page.waitForFunction(() => document.activeElement?.matches('input[type=search]'))
})

// Accounts

test('a second account in the same browser is there by itself, and the first comes back with one touch', { timeout: 2 * minute }, async () => {
  await zaid.join(town.server.invite(), { name: 'zaid2' })
  await zaid.page.locator('.empty').waitFor()
  assert.equal(await zaid.page.locator('.row').count(), 0)
  await go(zaid, '/settings')
  await zaid.page.locator('.me', { hasText: 'zaid2' }).waitFor()
  await zaid.shot('accounts')
  await zaid.page.locator('.peer', { hasText: 'zaid@localhost' }).getByRole('button').click()
  await row(zaid, 'amina').waitFor()
  zaid.jid = 'zaid@localhost'
  await amina.open(zaid.jid)
  await amina.write('to the first account')
  await zaid.open(amina.jid)
  await zaid.sees('to the first account')
})

test('a notification of the other account opens that account', async () => {
  const { page } = zaid
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  const worker = zaid.context.serviceWorkers()[0] ?? await zaid.context.waitForEvent('serviceworker')
  await worker.evaluate(async () => {
    await self.registration.showNotification('of the other', { tag: 't', data: { path: '/settings/profile', account: 'zaid2@localhost', chat: 'amina@localhost' } })
    const [notification] = await self.registration.getNotifications({ tag: 't' })
    WindowClient.prototype.focus = function () { return Promise.resolve(this) } // nobody has really clicked
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action: '' }))
  })
  await page.waitForURL('**/settings/profile')
  await page.getByText('zaid2@localhost').first().waitFor()
})

test('a recovery code is made when it is asked for and confirmed, and a step of the way in shows the same again', { timeout: 2 * minute }, async () => {
  const { page } = zaid
  const code = page.locator('output.secret')
  await go(zaid, '/welcome?step=recovery')
  const first = await code.textContent()
  await page.reload()
  assert.equal(await code.textContent(), first)
  await page.getByLabel(zaid.t('ob.recKept')).check()
  await press(zaid, 'ob.recDone')
  await gone(code)
  assert.equal(await page.evaluate(() => sessionStorage.length), 0)
  await go(zaid, '/settings/account')
  await press(zaid, 'set.recoveryShow')
  await page.getByText(zaid.t('set.recoverySureText')).waitFor()
  await press(zaid, 'cancel', sheet(zaid))
  assert.equal(await code.count(), 0)
  await press(zaid, 'set.recoveryShow')
  await press(zaid, 'set.recoveryShow', sheet(zaid))
  assert.notEqual(await code.textContent(), first)
})

/** Fills the sheet for a new password. */
async function changes(person, old, fresh) {
  await person.page.locator('.sheet input[autocomplete=current-password]').fill(old)
  await person.page.locator('.sheet input[autocomplete=new-password]').fill(fresh)
  await press(person, 'set.pass', sheet(person))
}

/** Signs in with a password; says what came of it. */
async function signsIn(person, address, password) {
  await go(person, '/signin')
  await person.page.getByLabel(person.t('ob.address'), { exact: true }).fill(address)
  await person.page.locator('input[autocomplete=current-password]').fill(password)
  await press(person, 'ob.signIn')
  const wrong = person.page.getByText(person.t('trouble.password'), { exact: true })
  await wrong.or(person.page.getByText(person.t('ob.histTitle'))).or(person.page.locator('.row, .empty')).first().waitFor()
  return await wrong.count() === 0
}

test('the password: a wrong one is told as wrong, no connection as no connection, and the new one holds', { timeout: 2 * minute }, async () => {
  const { page } = zaid
  await press(zaid, 'set.pass')
  await changes(zaid, 'not the right one', 'a new password for zaid')
  await page.getByText(zaid.t('set.passWrong')).waitFor()
  await town.server.stop()
  await changes(zaid, zaid.password, 'a new password for zaid')
  await page.locator('.sheet').getByText(zaid.t('set.offline')).waitFor()
  await zaid.shot('password-offline')
  await town.server.start()
  await until('there is a connection', async () => { // it is looked for by itself; the sheet stays
    await press(zaid, 'set.pass', sheet(zaid))
    await page.locator('.toast', { hasText: zaid.t('set.passDone') }).or(page.locator('.sheet [role=alert]')).first().waitFor()
    return await page.locator('.toast', { hasText: zaid.t('set.passDone') }).count() > 0
  }, minute)
  const guest = Object.assign(await Person.make(town.chromium, 'guest', { lang: 'en' }), { origin: zaid.origin })
  assert.equal(await signsIn(guest, 'zaid2@localhost', zaid.password), false)
  assert.equal(await signsIn(guest, 'zaid2@localhost', 'a new password for zaid'), true)
  await guest.end()
  zaid.password = 'a new password for zaid'
})

/** The databases that a browser has for an account. */
const databases = (person, jid) => person.page.evaluate(async (jid) => (await indexedDB.databases()).map((d) => d.name).filter((name) => name.includes(jid)), jid)

test('signed out with what is here kept: the other account opens, and the messages are there when one comes back', { timeout: 2 * minute }, async () => {
  await zaid.open('zaid2@localhost')
  await zaid.write('a note that stays')
  await zaid.sees('a note that stays')
  await go(zaid, '/settings/account')
  await press(zaid, 'set.signOut')
  await press(zaid, 'set.signOutKeep', sheet(zaid))
  await row(zaid, 'amina').waitFor() // the first account
  await go(zaid, '/settings')
  await zaid.page.locator('.me', { hasText: 'zaid@localhost' }).waitFor()
  assert.equal(await zaid.page.locator('.peer').count(), 0)
  assert.notDeepEqual(await databases(zaid, 'zaid2@localhost'), [])
  assert.equal(await signsIn(zaid, 'zaid2@localhost', zaid.password), true)
  await zaid.open('zaid2@localhost')
  await zaid.sees('a note that stays')
})

test('signed out with a wipe: nothing of the account is left in the browser', { timeout: 2 * minute }, async () => {
  await go(zaid, '/settings/account')
  await press(zaid, 'set.signOut')
  await press(zaid, 'set.signOutWipe', sheet(zaid))
  await row(zaid, 'amina').waitFor()
  await until('its databases are gone', async () => (await databases(zaid, 'zaid2@localhost')).length === 0)
})

test('an account is deleted with its address and its password, and nobody gets in any more', { timeout: 2 * minute }, async () => {
  assert.equal(await signsIn(zaid, 'zaid2@localhost', zaid.password), true)
  await go(zaid, '/settings/account')
  await press(zaid, 'set.delete')
  const submit = sheet(zaid).getByRole('button', { name: zaid.t('set.deleteDo'), exact: true })
  assert.equal(await submit.isDisabled(), true)
  await zaid.page.getByLabel(zaid.t('set.deleteType', { address: 'zaid2@localhost' })).fill('zaid2@localhost')
  await zaid.page.locator('.sheet input[autocomplete=current-password]').fill('not the right one')
  const told = sheet(zaid).getByText(zaid.t('set.passWrong')).or(sheet(zaid).getByText(zaid.t('set.offline')))
  await until('the password is wrong', async () => { // asked again where the page was quicker than its connection
    await submit.click()
    await told.waitFor()
    return await told.textContent() === zaid.t('set.passWrong')
  })
  await zaid.page.locator('.sheet input[autocomplete=current-password]').fill(zaid.password)
  await submit.click()
  await row(zaid, 'amina').waitFor()
  assert.equal(await signsIn(zaid, 'zaid2@localhost', zaid.password), false)
})

// A newer version

test('a newer version waits under the page that is open, and is taken when it is asked for', { timeout: 2 * minute }, async () => {
  const { page } = amina
  await go(amina, '/')
  const version = await page.evaluate(async () => {
    await navigator.serviceWorker.ready
    return (await caches.keys()).find((name) => /^palabre-[0-9a-f]{16}$/.test(name))?.slice('palabre-'.length)
  })
  const newer = [...version].reverse().join('')
  town.server.program = anotherVersion(town.server.folder, version, newer)
  await town.server.stop()
  await town.server.start()
  await page.evaluate(() => { globalThis.sameAsBefore = true })
  await page.evaluate(() => navigator.serviceWorker.getRegistration().then((r) => r.update()))
  await page.getByText(amina.t('update.title')).waitFor()
  await amina.shot('update')
  assert.equal(await page.evaluate(() => globalThis.sameAsBefore), true)
  await page.getByText(amina.t('update.now'), { exact: true }).click()
  await page.waitForFunction(() => globalThis.sameAsBefore === undefined)
  await row(amina, 'nadia').waitFor()
  assert.equal(await page.getByText(amina.t('update.title')).count(), 0)
  const now = await page.evaluate(async () => (await (await fetch('/sw.js')).text()).match(/[0-9a-f]{16}/g))
  assert.equal(now.includes(newer), true)
  await amina.open(nadia.jid)
  await amina.write('with the newer version')
  await nadia.open(amina.jid)
  await nadia.sees('with the newer version')
})

test('the consoles are silent', () => {
  for (const one of [amina, nadia, zaid]) one.clean()
})
