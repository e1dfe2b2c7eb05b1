// Groups as large as they get: one of two hundred from a list that is pasted, then one that is full, whose members are read by pages.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { faults } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

/** Everybody but Amina: two more than fit into a group with her. */
const people = Array.from({ length: 1025 }, (_, i) => `m${String(i).padStart(4, '0')}`)
const most = 1024
const perPage = 25
const password = 'a secret that is long'
let server, chromium, amina, seventh, group

before(async () => {
  server = await Server.make()
  const file = join(server.folder, 'people.xml')
  const user = (name, contacts) => `<user name='${name}' password='${password}'><query xmlns='jabber:iq:roster'>` +
    contacts.map((contact) => `<item jid='${contact}@localhost' subscription='both'/>`).join('') + '</query></user>'
  writeFileSync(file, `<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'>${user('amina', people)}${people.map((name) => user(name, ['amina'])).join('')}</host></server-data>`)
  server.run('import', '-config', server.config, file)
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { size: [1280, 800], lang: 'en' })
  seventh = await Person.make(chromium, people[7], { lang: 'en' })
  for (const person of [amina, seventh]) await signIn(person)
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

async function signIn(person) {
  await person.signIn(server.origin, `${person.name}@localhost`, password)
  await person.page.locator('output.secret').or(person.button('ob.later')).or(person.page.locator('.row, .empty')).first().waitFor()
  if (await person.page.locator('output.secret').count()) {
    await person.page.getByLabel(person.t('ob.recKept')).check()
    await person.button('ob.recDone').click()
  } else if (await person.button('ob.later').count()) await person.button('ob.later').click()
  await person.page.locator('.row, .empty').first().waitFor()
}

/** Pastes a list of people where people are chosen. */
async function paste(person, names) {
  const field = person.page.getByLabel(person.t('gr.find'))
  await field.focus()
  await person.page.evaluate((text) => navigator.clipboard.writeText(text), names.map((name) => `${name}@localhost`).join('\n'))
  await person.page.keyboard.press('ControlOrMeta+V')
}

/** All who are shown on the page about the group, page by page; never more at once than a page holds. */
async function walk(person) {
  const { page } = person
  await page.goto(`${person.origin}/chat/${encodeURIComponent(group)}/about`)
  const rows = page.locator('.members .act')
  await rows.first().waitFor()
  const found = new Set()
  for (;;) {
    const names = await rows.locator('.block').allTextContents()
    assert.ok(names.length <= perPage, `${names.length} members at once`)
    for (const name of names) found.add(name)
    const next = person.button('page.next')
    if (!await next.count() || await next.isDisabled()) return found
    await next.click()
    await until('the next page is there', async () => (await rows.locator('.block').first().textContent()) !== names[0])
  }
}

test('a group of two hundred is made from a list that is pasted', async () => {
  const { page } = amina
  await page.goto(`${amina.origin}/groups/new`)
  await page.locator('.choice').first().waitFor()
  await paste(amina, people.slice(0, 199))
  await page.locator('.chosen .rest').waitFor()
  await amina.shot('200-chosen')
  assert.deepEqual(await faults(page), [])
  await page.locator('.bottom .btn').click()
  await page.getByLabel(amina.t('gr.name')).fill('Class of 2026')
  await amina.button('gr.make').click()
  await page.locator('.comp textarea').waitFor({ timeout: 60_000 })
  group = decodeURIComponent(new URL(page.url()).pathname.split('/')[2])
  assert.equal(await page.locator('.sheet').count(), 0, 'nobody was refused')
  await amina.write('welcome, all two hundred')
  await page.goto(`${amina.origin}/chat/${encodeURIComponent(group)}/about`)
  await page.locator('#members-title', { hasText: '200' }).waitFor()
  const found = await walk(amina)
  assert.equal(found.size, 200)
})

test('who was put into it reads what is said there', async () => {
  await seventh.page.goto(`${seventh.origin}/chat/${encodeURIComponent(group)}`)
  await amina.open(group)
  await amina.write('lessons begin on Monday')
  await seventh.sees('lessons begin on Monday')
  await seventh.shot('200-member')
})

test('a full group has its 1,024 members on pages, and takes nobody more', async () => {
  const { page } = amina
  await page.goto(`${amina.origin}/chat/${encodeURIComponent(group)}/group/add`)
  await page.locator('.choice').first().waitFor()
  await paste(amina, people.slice(199))
  await page.locator('.bottom .btn').click()
  await page.locator('#members-title', { hasText: '1,024' }).waitFor({ timeout: 60_000 })
  await amina.shot('1024-about')
  assert.deepEqual(await faults(page), [])
  const found = await walk(amina)
  assert.equal(found.size, most)
  await amina.open(group)
  await amina.write('now we are all here')
  await seventh.sees('now we are all here', 60_000)
  const all = await walk(seventh)
  assert.equal(all.size, most, 'a member sees all of them, too')
})

test('the consoles are silent', () => {
  amina.clean()
  seventh.clean()
})
