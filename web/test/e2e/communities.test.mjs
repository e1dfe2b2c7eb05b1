// A community from its beginning to its end: made, found, come into by asking and by a link; announcements for everybody, groups in it that are open, asked for or by
// invitation; a group of before that is added with its members, and taken out; who leaves it leaves its groups.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person } from './person.mjs'
import { Server } from './server.mjs'

const name = 'School by the lake'
let server, chromium, amina, nadia, karim, community

before(async () => {
  server = await Server.make()
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { lang: 'en', size: [1280, 800] })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar' })
  karim = await Person.make(chromium, 'karim', { lang: 'fr', colorScheme: 'dark' })
  for (const person of [amina, nadia, karim]) await person.join(server.invite())
  await amina.befriend(karim)
  await amina.page.getByRole('link', { name: /karim/ }).first().waitFor()
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

const home = (person, page = '') => person.page.goto(`${person.origin}/communities/${encodeURIComponent(community)}${page}`)
const line = (person, key, values) => person.page.locator('.note', { hasText: person.t(key, values) }).last().waitFor()

/** Opens a chat from the list. */
async function enter(person, called) {
  await person.page.goto(`${person.origin}/`)
  await person.page.locator('.row', { has: person.page.locator('.n', { hasText: called }) }).first().click()
  await person.page.locator('.log ul').waitFor()
}

/** What is said above the text field goes, once a person has said that it is well to be there. */
async function stay(person) {
  await person.page.locator('.comp, .request').first().waitFor()
  for (const key of ['invited.join', 'invited.stay']) if (await person.button(key).count()) await person.button(key).click()
  await person.page.locator('.comp textarea').waitFor()
}

test('a community is made with its announcements, and a group in it', async () => {
  await amina.page.goto(`${amina.origin}/communities/new`)
  await amina.page.getByLabel(amina.t('co.name')).fill(name)
  await amina.page.getByLabel(amina.t('co.text')).fill('All classes, and what concerns everybody')
  await amina.page.getByLabel(amina.t('co.access.ask')).check()
  await well(amina, 'community-new')
  await amina.button('co.make').click()
  await amina.page.getByRole('heading', { name }).waitFor()
  community = decodeURIComponent(new URL(amina.page.url()).pathname.split('/')[2])
  assert.match(community, /@groups\.localhost$/)
  await well(amina, 'community-empty')
  await amina.page.getByRole('link', { name: amina.t('co.newInside') }).click()
  await amina.page.getByLabel(amina.t('co.groupName')).fill('Parents')
  await well(amina, 'community-group-new')
  await amina.button('co.groupMake').click()
  await line(amina, 'system.group-community.you')
  await well(amina, 'community-group')
  await amina.page.locator('.row', { hasText: 'Parents' }).locator('.of', { hasText: name }).waitFor()
})

test('who asks is let in, and finds the groups', async () => {
  await home(nadia)
  await nadia.page.getByRole('heading', { name }).waitFor()
  await well(nadia, 'community-outside')
  await nadia.button('co.ask').click()
  await nadia.page.getByText(nadia.t('co.waits')).waitFor()
  await amina.page.goto(`${amina.origin}/chat/${encodeURIComponent(community)}/group/requests`)
  await amina.page.getByRole('button', { name: amina.t('gr.let') }).first().click()
  await nadia.page.locator('.act', { hasText: 'Parents' }).waitFor()
  await well(nadia, 'community-inside')
  await nadia.page.getByRole('button', { name: nadia.t('co.joinShort'), exact: true }).click()
  await stay(nadia)
  await nadia.write('hello from a parent')
  await enter(amina, 'Parents')
  await amina.sees('hello from a parent')
})

test('announcements reach everybody, encrypted, and only administrators write them', async () => {
  await enter(amina, name)
  await line(amina, 'system.group-inside.you', { name: 'Parents' })
  await amina.write('school begins on Monday')
  await enter(nadia, name)
  await nadia.sees('school begins on Monday')
  await nadia.page.getByText(nadia.t('silent.admins')).waitFor()
  assert.match(await nadia.page.locator('.hd .sub').textContent(), new RegExp(nadia.t('head.encrypted')))
  await well(nadia, 'community-news')
})

test('a group of before is added, and its members come into the community with it', async () => {
  await amina.page.goto(`${amina.origin}/groups/new`)
  await amina.page.locator('.choice', { hasText: 'karim' }).click()
  await amina.page.locator('.bottom .btn').click()
  await amina.page.getByLabel(amina.t('gr.name')).fill('Choir')
  await amina.button('gr.make').click()
  await amina.page.locator('.comp textarea').waitFor()
  await home(amina, '/add')
  await amina.page.getByRole('radio', { name: /Choir/ }).click()
  await well(amina, 'community-add')
  await amina.button('co.addYes').click()
  await amina.page.locator('.act', { hasText: 'Choir' }).waitFor()
  await well(amina, 'community-full')
  await home(karim)
  await karim.page.locator('.act', { hasText: 'Choir' }).waitFor()
  await well(karim, 'community-inside')
  await enter(amina, name)
  await amina.write('a concert on Friday')
  await enter(karim, name)
  await karim.sees('a concert on Friday')
  await home(nadia)
  await nadia.page.locator('.act', { hasText: 'Choir' }).getByText(nadia.t('co.byInvitation')).waitFor()
})

test('how a group is come into is changed, and it is taken out again', async () => {
  await home(amina)
  await amina.page.getByRole('button', { name: amina.t('co.menu', { name: 'Choir' }) }).click()
  await amina.page.getByRole('menuitem', { name: amina.t('co.how') }).click()
  await amina.button('co.how.ask').click()
  await home(nadia)
  await nadia.page.locator('.act', { hasText: 'Choir' }).getByRole('button', { name: nadia.t('co.askShort') }).click()
  await nadia.page.locator('.act', { hasText: 'Choir' }).getByText(nadia.t('co.waiting')).waitFor()
  await amina.page.getByRole('button', { name: amina.t('co.menu', { name: 'Choir' }) }).click()
  await amina.page.getByRole('menuitem', { name: amina.t('co.take') }).click()
  await well(amina, 'community-take')
  await amina.page.getByRole('alertdialog').or(amina.page.getByRole('dialog')).getByRole('button', { name: amina.t('co.take'), exact: true }).click()
  await amina.page.locator('.co-row', { hasText: 'Choir' }).waitFor({ state: 'detached' })
  await enter(karim, 'Choir')
  await line(karim, 'system.group-alone')
})

test('an open community is found, and come into at once', async () => {
  await amina.page.goto(`${amina.origin}/communities/new`)
  await amina.page.getByLabel(amina.t('co.name')).fill('Old town')
  await amina.page.getByLabel(amina.t('co.access.open')).check()
  await amina.button('co.make').click()
  await amina.page.getByRole('heading', { name: 'Old town' }).waitFor()
  await nadia.page.goto(`${nadia.origin}/communities/find`)
  await nadia.page.locator('.peer', { hasText: 'Old town' }).waitFor()
  await well(nadia, 'community-find')
  await nadia.page.locator('.peer', { hasText: 'Old town' }).click()
  await nadia.button('co.join').click()
  await nadia.page.getByText(nadia.t('co.news'), { exact: true }).waitFor()
})

test('a link of the community leads into it', async () => {
  await amina.page.goto(`${amina.origin}/chat/${encodeURIComponent(community)}/group/links`)
  await amina.button('gr.linkMake').click()
  const address = await amina.page.locator('output.address').textContent()
  const lalla = await Person.make(chromium, 'lalla', { lang: 'en' })
  await lalla.join(server.invite())
  await lalla.page.goto(address)
  await lalla.page.getByRole('heading', { name }).waitFor()
  await lalla.page.getByRole('button', { name: lalla.t('gr.come'), exact: true }).click()
  await lalla.page.getByText(lalla.t('silent.admins')).or(lalla.page.getByText(lalla.t('gr.comeWaits'))).waitFor()
  lalla.clean()
  await lalla.end()
})

test('who leaves the community leaves its groups', async () => {
  await home(nadia)
  await nadia.button('co.leave').click()
  await nadia.page.getByText(nadia.t('gr.leaveCommunity')).waitFor()
  await well(nadia, 'community-leave')
  await nadia.button('gr.leaveYes').click()
  await enter(nadia, 'Parents')
  await nadia.page.locator('.pickwarn', { hasText: nadia.t('silent.kept') }).waitFor()
})

test('its owner ends it; the groups stay', async () => {
  await home(amina)
  await amina.button('co.end').click()
  await amina.page.getByText(amina.t('gr.destroyCommunity')).waitFor()
  await amina.button('gr.destroyYes').click()
  await amina.page.locator('.toast', { hasText: amina.t('gr.destroyed') }).waitFor()
  await enter(amina, 'Parents')
  await line(amina, 'system.group-alone')
  await amina.page.locator('.comp textarea').waitFor()
})

test('the consoles are silent', () => {
  for (const person of [amina, nadia, karim]) person.clean()
})
