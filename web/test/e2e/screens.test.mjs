// Every screen under axe, and what lies over it: light and dark, left to right and right to left, at 320 px and with text twice as large. And the
// main flow by keys.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

const looks = [
  { name: 'light', lang: 'fr', size: [390, 844] },
  { name: 'dark', lang: 'fr', size: [1280, 800], dark: true },
  { name: 'rtl-320', lang: 'ar', size: [320, 640] },
  { name: 'rtl-dark', lang: 'ar', size: [390, 844], dark: true },
  { name: 'text-200', lang: 'fr', size: [390, 844], text: 2 },
]
const inside = ['/', '/archive', '/requests', ...['me', 'recovery', 'history', 'install'].map((step) => `/welcome?step=${step}`), '/new', '/new/code', '/groups/new', '/groups/find', '/g', '/search', '/contacts', '/settings', '/devices', '/devices/link', '/happening', '/updates',
  ...['', '/accounts', '/invitations', '/reports', '/storage'].map((p) => `/admin${p}`),
  ...['account', 'profile', 'privacy', 'notify', 'chats', 'language', 'data', 'storage', 'keys', 'help', 'about'].map((p) => `/settings/${p}`)]
const outside = ['/welcome', '/welcome?step=invitation', '/signin', '/link', '/join/none']

let town, amina, nadia

before(async () => {
  town = await Town.found({ admin: true })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** Looks at pages of a person one after another. */
async function lookAt(person, paths, name) {
  const wrong = []
  for (const path of paths) {
    await person.page.goto(person.origin + path)
    await person.page.locator('h1').first().waitFor().catch(() => wrong.push(`${name} ${path}: no heading`))
    await until('it has come to rest', async () => await person.page.locator('.busy, [aria-busy=true]').count() === 0, 5000).catch(() => undefined)
    for (const fault of await faults(person.page)) wrong.push(`${name} ${path}: ${fault}`)
    await person.shot(`screen-${name}-${path.replace(/\W+/g, '-').slice(0, 30)}`)
  }
  return wrong
}

/** The pages that come wear a look: language, colours, size of text. */
function wear(place, look) {
  const prefs = { 'lang': look.lang, 'pref.theme': JSON.stringify(look.dark ? 'dark' : 'light'), 'pref.textSize': String(look.text ?? 1) }
  return place.addInitScript((all) => { for (const [key, value] of Object.entries(all)) localStorage.setItem(key, value) }, prefs)
}

for (const look of looks) {
  test(`axe finds nothing: ${look.name}`, { timeout: 300_000 }, async () => {
    const guest = await Person.make(town.chromium, 'guest', look)
    Object.assign(guest, { origin: amina.origin })
    await wear(guest.context, look)
    const wrong = await lookAt(guest, outside, look.name)
    await guest.end()
    const tab = Object.assign(Object.create(amina), { page: await amina.tab() })
    await tab.page.setViewportSize({ width: look.size[0], height: look.size[1] })
    await wear(tab.page, look)
    const jid = encodeURIComponent(nadia.jid)
    const pages = [...inside, `/chat/${jid}`, `/chat/${jid}/about`, `/chat/${jid}/security`, `/chat/${jid}/media`, `/contacts/${jid}`]
    wrong.push(...await lookAt(tab, pages, look.name))
    await tab.page.close()
    assert.deepEqual(wrong, [])
  })
}

/** What can be opened over a conversation and over the list, and the element that it is known by. */
const overChat = [
  { what: 'the menu of a message', open: (page) => page.locator('.it[data-id] .m').last().click({ button: 'right' }), seen: '.menu' },
  { what: 'the menu of the chat', open: (page) => page.locator('.hd .ib').last().click(), seen: '.menu' },
  { what: 'what can be attached', open: (page, t) => page.getByRole('button', { name: t('attach'), exact: true }).click(), seen: '.attach' },
  { what: 'emoji', open: (page, t) => page.getByRole('button', { name: t('emoji'), exact: true }).click(), seen: '.emoji .grid', shut: (page, t) => page.getByRole('button', { name: t('emoji'), exact: true }).click() },
  { what: 'who has read it', open: (page, t) => inMenu(page, t('act.info')), seen: '.sheet' },
  { what: 'forwarding', open: (page, t) => inMenu(page, t('act.forward')), seen: '.sheet' },
  { what: 'deleting', open: (page, t) => inMenu(page, t('act.delete')), seen: '.dialog' },
  { what: 'a date to go to', open: (page, t) => inChatMenu(page, t('chat.date')), seen: '.dialog' },
  { what: 'blocking and reporting', open: async (page, t) => { await inChatMenu(page, t('act.block')); await page.locator('.sheet').getByText(t('ab.whyAbuse'), { exact: true }).click() }, seen: '.sheet textarea' },
  { what: 'a place', open: (page, t) => attach(page, t, 'attach.place'), seen: '.dialog' },
  { what: 'stickers', open: async (page, t) => { await page.getByRole('button', { name: t('emoji'), exact: true }).click(); await page.getByRole('tab', { name: t('stick.all') }).click() }, seen: '.stickers',
    shut: async (page, t) => { await page.locator('.drawer [role=tab]').first().click(); await page.getByRole('button', { name: t('emoji'), exact: true }).click() } },
  { what: 'a poll', open: (page, t) => attach(page, t, 'attach.poll'), seen: '.sheet form' },
  { what: 'an event', open: (page, t) => attach(page, t, 'attach.event'), seen: '.sheet .ev-form' },
  { what: 'files before they are sent', open: offerPicture, seen: '.sheet .preview img' },
  { what: 'the editor of pictures', open: async (page, t) => { await offerPicture(page, t); await page.getByRole('button', { name: t('files.edit'), exact: true }).click() }, seen: '.editor',
    shut: async (page) => { await page.keyboard.press('Escape'); await page.locator('.editor').waitFor({ state: 'detached' }); await page.keyboard.press('Escape') } },
  { what: 'the viewer', open: sendPicture, seen: '.viewer img' },
  { what: 'a voice message being recorded', open: async (page) => { await page.locator('.comp .send').focus(); await page.keyboard.press('Enter') }, seen: '.rec-bar', shut: (page, t) => page.getByRole('button', { name: t('voice.cancel'), exact: true }).click() },
  { what: 'selecting', open: (page, t) => inMenu(page, t('act.select')), seen: '.picking', shut: (page, t) => page.getByRole('button', { name: t('pick.stop'), exact: true }).click() },
]

async function inMenu(page, name) {
  await page.locator('.it.o[data-id] .m').last().click({ button: 'right' })
  await page.getByRole('menuitem', { name, exact: true }).click()
}

async function inChatMenu(page, name) {
  await page.locator('.hd .ib').last().click()
  await page.getByRole('menuitem', { name, exact: true }).click()
}

async function attach(page, t, what) {
  await page.getByRole('button', { name: t('attach'), exact: true }).click()
  await page.locator('.attach').getByRole('button', { name: t(what) }).click()
}

/** Chooses a picture to be sent. */
async function offerPicture(page, t) {
  const buffer = Buffer.from((await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 300, height: 200 })
    const c = canvas.getContext('2d')
    for (let i = 0; i < 50; i++) { c.fillStyle = `hsl(${i * 37} 80% 50%)`; c.fillRect((i * 57) % 300, (i * 33) % 200, 50, 40) }
    return canvas.toDataURL('image/png')
  })).split(',')[1], 'base64')
  const choosing = page.waitForEvent('filechooser')
  await attach(page, t, 'attach.photo')
  await (await choosing).setFiles({ name: 'colours.png', mimeType: 'image/png', buffer })
}

/** Sends a picture and looks at it. */
async function sendPicture(page, t) {
  await offerPicture(page, t)
  await page.locator('.sheet').getByRole('button', { name: t('send'), exact: true }).click()
  await page.locator('.sheet').waitFor({ state: 'detached' })
  const sent = page.locator('.it.o[data-id]').last()
  await sent.locator('.pic').waitFor()
  await sent.locator('.get').waitFor({ state: 'detached' }) // it is on its way before
  await sent.locator('.cover').click()
}

/** What is shown over other pages. */
const overPages = [
  { what: 'the code of our keys', path: (jid) => `/chat/${jid}/security`, open: (page, t) => page.getByRole('button', { name: t('sec.mine'), exact: true }).click() },
  { what: 'the code of a contact', path: (jid) => `/contacts/${jid}`, open: (page, t) => page.getByRole('button', { name: t('ab.share'), exact: true }).click() },
]

for (const look of looks.filter((l) => l.name !== 'rtl-dark')) {
  test(`axe finds nothing in what lies over the screens: ${look.name}`, { timeout: 180_000 }, async () => {
    const tab = Object.assign(Object.create(amina), { page: await amina.tab(), lang: look.lang })
    const { page } = tab
    const t = (key) => tab.t(key)
    await page.setViewportSize({ width: look.size[0], height: look.size[1] })
    await wear(page, look)
    const wrong = []
    const note = async (what) => { for (const fault of await faults(page)) wrong.push(`${look.name}, ${what}: ${fault}`) }
    await tab.open(nadia.jid)
    await page.locator('.it.o[data-id]').last().waitFor()
    for (const { what, open, seen, shut } of overChat) {
      await open(page, t)
      await page.locator(seen).last().waitFor()
      await note(what)
      await tab.shot(`over-${look.name}-${what.replace(/\W+/g, '-')}`)
      await (shut ? shut(page, t) : page.keyboard.press('Escape'))
      await page.locator(seen).waitFor({ state: 'detached' })
    }
    for (const { what, path, open } of overPages) {
      await page.goto(tab.origin + path(encodeURIComponent(nadia.jid)))
      await open(page, t)
      await page.locator('.qr-of svg').waitFor()
      await note(what)
      await tab.shot(`over-${look.name}-${what.replace(/\W+/g, '-')}`)
    }
    await page.goto(`${tab.origin}/`)
    await page.locator('.row').first().click({ button: 'right' })
    await page.locator('.menu').waitFor()
    await note('the menu of a row')
    await page.getByRole('menuitem', { name: t('act.lists'), exact: true }).click()
    await page.locator('.sheet form').waitFor()
    await note('the lists of a chat')
    await page.close()
    assert.deepEqual(wrong, [])
  })
}

test('by keys alone: from the invitation to an answer', { timeout: 120_000 }, async () => {
  const page = (await Person.make(town.chromium, 'keys', { lang: 'en', size: [1280, 800] })).page
  const press = (key) => page.keyboard.press(key)
  /** Goes on with Tab until the focus is on what is wanted. */
  const reach = async (what, at) => {
    for (let i = 0; i < 60; i++) {
      if (await at.evaluate((e) => e === document.activeElement).catch(() => false)) return
      await press('Tab')
    }
    throw new Error(`Tab does not lead to ${what}`)
  }
  await page.goto(town.server.invite().replace('/invite/', '/join/'))
  const name = page.locator('input[autocomplete=username]')
  await name.waitFor()
  await reach('the name', name)
  await page.keyboard.type('kofi')
  await page.locator('.state-line.ok').waitFor()
  await press('Enter')
  const password = page.locator('input[autocomplete=new-password]')
  await password.waitFor()
  await reach('the password', password)
  await press('Enter')
  const display = page.locator('input[autocomplete=name]')
  await display.waitFor()
  await reach('the display name', display)
  await page.keyboard.type('Kofi')
  await press('Enter')
  await page.locator('output.secret').waitFor()
  await reach('the tick', page.locator('.check input'))
  await press('Space')
  const done = page.locator('.gate .btn.p')
  await reach('the last button', done)
  await press('Enter')
  await page.locator('.row, .empty').first().waitFor()
  await press('n')
  const search = page.getByRole('searchbox').first()
  if (!await page.url().includes('/new')) await page.goto(`${amina.origin}/new`)
  await reach('the search', search)
  await page.keyboard.type(nadia.jid)
  await press('Enter')
  const field = page.locator('.comp textarea')
  await field.waitFor()
  await reach('the field', field)
  await page.keyboard.type('hello by keys')
  await press('Enter')
  await page.locator('.it .st.sent').last().waitFor({ state: 'attached' })
  await nadia.page.goto(`${nadia.origin}/chat/kofi%40localhost`)
  await nadia.sees('hello by keys')
  await nadia.write('hello Kofi')
  const item = page.locator('.it[data-id]').last()
  await until('the answer is there', async () => /hello Kofi/.test(await item.textContent()))
  await reach('the last message', item)
  await press('r')
  await page.keyboard.type('answered')
  await press('Enter')
  await page.locator('.it .quote').waitFor()
  await nadia.sees('answered')
})
