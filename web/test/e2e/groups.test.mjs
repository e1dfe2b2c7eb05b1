// A group from its beginning to its end: three people make one and talk, one was away and catches up, a fourth comes later, roles, a pause between messages,
// links with approval, somebody who has no account yet, taking messages away, leaving, and the end. axe looks at each screen on the way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

const name = 'Lac & friends'
let server, chromium, amina, nadia, karim, group

before(async () => {
  server = await Server.make()
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { size: [1280, 800] })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar' })
  karim = await Person.make(chromium, 'karim', { lang: 'en' })
  for (const person of [amina, nadia, karim]) await person.join(server.invite())
  await amina.befriend(nadia)
  await amina.befriend(karim)
  await amina.page.getByRole('link', { name: /karim/ }).first().waitFor()
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

/** Opens a group from the list of chats. */
async function enter(person, called = name) {
  await person.page.goto(`${person.origin}/`)
  await person.page.locator('.row', { hasText: called }).first().click()
  await person.page.locator('.log ul').waitFor()
}

/** Goes to a page about the group. */
async function about(person, page = 'about') {
  await person.page.goto(`${person.origin}/chat/${encodeURIComponent(group)}/${page === 'about' ? page : `group/${page}`}`)
}

/** A message of one's own has left: the group has it. */
const left = (person, text) => person.message(text).locator('.st.sent, .st.delivered, .st.read').waitFor({ state: 'attached' })

const line = (person, key, values) => person.page.locator('.note', { hasText: person.t(key, values) }).last().waitFor()

/** What is said above the text field goes, once a person has said that it is well to be in the group. */
async function stay(person) {
  await person.page.locator('.comp, .request').first().waitFor()
  const answer = person.page.locator('.request .btn.p') // to come in, or to stay
  if (await answer.count()) await answer.click()
  await person.page.locator('.comp textarea').waitFor()
}

/** Opens the menu of a member on the page about the group and chooses a line of it. */
async function member(person, called, key) {
  await person.page.locator('.members .act', { hasText: called }).click()
  await person.page.getByRole('menuitem', { name: person.t(key), exact: true }).click()
}

test('a group is made of people who are typed and chosen', async () => {
  await amina.page.goto(`${amina.origin}/groups/new`)
  await amina.page.locator('.choice', { hasText: 'nadia' }).click()
  const field = amina.page.getByLabel(amina.t('gr.find'))
  await field.fill('karim@localhost')
  await field.press('Enter')
  await amina.page.locator('.chosen .chip', { hasText: 'karim' }).waitFor()
  await well(amina, 'group-people')
  await amina.page.locator('.bottom .btn').click()
  await amina.page.getByLabel(amina.t('gr.name')).fill(name)
  await amina.page.getByLabel(amina.t('gr.text')).fill('What happens at the lake')
  await well(amina, 'group-name')
  await amina.button('gr.make').click()
  await amina.page.locator('.comp textarea').waitFor()
  group = decodeURIComponent(new URL(amina.page.url()).pathname.split('/')[2])
  assert.match(group, /@groups\.localhost$/)
  await line(amina, 'system.group-made.you')
  await amina.page.locator('.side-list .row', { hasText: name }).waitFor() // the list stands beside it again
})

test('the others are in it, and all three talk, encrypted', async () => {
  for (const person of [nadia, karim]) {
    await enter(person)
    await stay(person)
  }
  await amina.write('good morning, all')
  await nadia.sees('good morning, all')
  await karim.sees('good morning, all')
  await left(amina, 'good morning, all')
  await nadia.write('and to you')
  await karim.write('hello from karim')
  for (const person of [amina, nadia, karim]) for (const words of ['good morning, all', 'and to you', 'hello from karim']) await person.sees(words)
  await until('who spoke is shown', async () => /nadia/i.test(await amina.message('and to you').locator('.by').textContent()))
  assert.match(await amina.page.locator('.hd .sub').textContent(), new RegExp(amina.t('head.encrypted')))
  const order = await amina.texts()
  assert.deepEqual(await nadia.texts(), order)
  assert.deepEqual(await karim.texts(), order)
  for (const person of [amina, nadia]) await well(person, 'group-chat')
})

test('answers, reactions, corrections and deletions are as with one person', async () => {
  await karim.message('good morning, all').locator('.m').click({ button: 'right' })
  await karim.page.getByRole('menuitem', { name: karim.t('act.reply'), exact: true }).click()
  await karim.write('slept well?')
  await nadia.sees('slept well?')
  assert.match(await nadia.message('slept well?').locator('.quote').textContent(), /good morning, all/)
  await nadia.message('slept well?').locator('.m').click({ button: 'right' })
  await nadia.page.getByRole('menuitemradio', { name: nadia.t('act.reactWith', { emoji: '👍' }) }).click()
  await karim.message('slept well?').locator('.rx', { hasText: '👍' }).waitFor()
  await amina.write('at noun')
  await karim.sees('at noun')
  await amina.message('at noun').locator('.m').click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('act.edit'), exact: true }).click()
  await amina.page.locator('.comp textarea').fill('at noon')
  await amina.button('edit.done').click()
  await karim.sees('at noon')
  await amina.message('at noon').locator('.m').click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('act.delete'), exact: true }).click()
  await amina.button('delete.all').click()
  for (const person of [nadia, karim]) await person.page.locator('.gone', { hasText: person.t('removed') }).waitFor()
})

test('who is named is offered by the first letters, and sees it', async () => {
  await amina.page.locator('.comp textarea').pressSequentially('@kar')
  await amina.page.locator('.picks [role=option]', { hasText: 'karim' }).waitFor()
  await amina.page.keyboard.press('Enter')
  await amina.page.locator('.comp textarea').pressSequentially('can you come?')
  await amina.page.locator('.comp .send').click()
  await karim.page.locator('.it.named .at.me').waitFor()
  await until('karim has read it', async () => {
    await karim.page.locator('button.to-mention').waitFor({ state: 'detached' })
    await karim.page.goto(`${karim.origin}/`)
    const named = await karim.page.locator('.row', { hasText: name }).getByText(karim.t('mark.mentioned')).count()
    await enter(karim)
    return !named
  })
})

test('who is named far below what they have read gets there by a button, with the keyboard, too', async () => {
  await karim.page.goto(`${karim.origin}/`)
  for (let i = 0; i < 30; i++) await amina.write(`and another thing, number ${i}`)
  await amina.page.locator('.comp textarea').pressSequentially('@kar')
  await amina.page.locator('.picks [role=option]', { hasText: 'karim' }).waitFor()
  await amina.page.keyboard.press('Enter')
  await amina.page.locator('.comp textarea').pressSequentially('are you asleep?')
  await amina.page.locator('.comp .send').click()
  const row = karim.page.locator('.row', { hasText: 'are you asleep?' })
  await row.getByText(karim.t('mark.mentioned')).waitFor({ state: 'attached' })
  await enter(karim)
  const button = karim.page.locator('button.to-mention')
  await button.waitFor()
  await well(karim, 'group-mention')
  await button.press('Enter')
  await karim.page.locator('.it.named:focus', { hasText: 'are you asleep?' }).waitFor()
  await button.waitFor({ state: 'detached' })
})

test('who was away has all of it afterwards, in the same order', async () => {
  await karim.page.close()
  for (const words of ['one', 'two', 'three']) { await amina.write(words); await left(amina, words) }
  await nadia.sees('three')
  karim.page = await karim.tab()
  await enter(karim)
  await karim.sees('three')
  const all = (await nadia.texts()).slice(-3)
  assert.deepEqual((await karim.texts()).slice(-3), all)
})

test('a fourth comes later and reads from then on', async () => {
  const lalla = await Person.make(chromium, 'lalla', { lang: 'en' })
  await lalla.join(server.invite())
  await about(amina, 'add')
  const field = amina.page.getByLabel(amina.t('gr.find'))
  await field.fill('lalla@localhost')
  await field.press('Enter')
  await well(amina, 'group-add')
  await amina.page.locator('.bottom .btn').click()
  await enter(lalla)
  await well(lalla, 'group-invited')
  await stay(lalla)
  await enter(amina)
  await amina.write('welcome, lalla')
  await lalla.sees('welcome, lalla')
  assert.equal(await lalla.message('good morning, all').count(), 0)
  await lalla.write('thank you')
  for (const person of [amina, nadia, karim]) { await enter(person); await person.sees('thank you') }
  lalla.clean()
  await lalla.end()
})

test('the page about the group has its members, and an owner makes administrators', async () => {
  await about(amina)
  await amina.page.locator('.members .act').nth(3).waitFor()
  await well(amina, 'group-about')
  await member(amina, 'nadia', 'gr.makeAdmin')
  await amina.button('gr.yes').click()
  await amina.page.locator('.members .act', { hasText: 'nadia' }).locator('.pill').waitFor()
  await about(nadia)
  await nadia.page.getByRole('link', { name: nadia.t('ab.groupRequests') }).waitFor()
  await well(nadia, 'group-about')
})

test('an administrator takes a message away, and all see who did', async () => {
  for (const person of [amina, nadia, karim]) await enter(person)
  await karim.write('buy my things')
  await nadia.sees('buy my things')
  await nadia.message('buy my things').locator('.m').click({ button: 'right' })
  await nadia.page.getByRole('menuitem', { name: nadia.t('act.takeAway'), exact: true }).click()
  await nadia.page.getByRole('dialog').getByLabel(nadia.t('gr.reason')).fill('no selling here')
  await well(nadia, 'group-take')
  await nadia.button('gr.takeYes').click()
  for (const person of [amina, karim]) {
    await person.page.locator('.gone', { hasText: 'no selling here' }).waitFor()
    assert.equal(await person.message('buy my things').count(), 0)
  }
})

test('announcements only: members read, administrators write; then everybody again', async () => {
  await about(amina, 'settings')
  const writes = amina.page.getByRole('group', { name: amina.t('gr.whoWrites') })
  await writes.getByLabel(amina.t('gr.admins')).check()
  await well(amina, 'group-settings')
  await karim.page.getByText(karim.t('silent.admins')).waitFor()
  await well(karim, 'group-silent')
  await nadia.write('news for all')
  await karim.sees('news for all')
  await writes.getByLabel(amina.t('gr.all')).check()
  await karim.page.locator('.comp textarea').waitFor()
})

test('slow mode: a member waits, and sees how long', async () => {
  await amina.page.getByRole('group', { name: amina.t('gr.slow') }).getByLabel(amina.t('gr.slowOff')).waitFor()
  await amina.page.locator('.radios input[value="10"]').check()
  await line(karim, 'system.group-slow', { by: 'amina', time: '0:10' })
  await karim.write('first')
  await karim.page.locator('.slow').waitFor()
  await karim.page.locator('.comp .send:disabled').waitFor()
  await karim.page.locator('.slow').waitFor({ state: 'detached' })
  await karim.write('second')
  await nadia.sees('second')
  await amina.page.locator('.radios input[value="0"]').check()
})

test('a link leads who has no account yet into the group, when an administrator lets them in', async () => {
  await amina.page.getByRole('switch', { name: amina.t('gr.approval') }).click()
  await about(amina, 'links')
  await amina.button('gr.linkMake').click()
  const address = await amina.page.locator('output.address').textContent()
  await well(amina, 'group-link')
  assert.ok(address.startsWith(`${amina.origin}/g#`), address)
  const zahra = await Person.make(chromium, 'zahra', { lang: 'en' })
  await zahra.page.goto(address)
  await zahra.button('gr.comeSign').waitFor()
  await well(zahra, 'group-first')
  await zahra.join(server.invite())
  await zahra.page.getByRole('heading', { name }).waitFor()
  await well(zahra, 'group-come')
  await zahra.page.getByRole('button', { name: zahra.t('gr.come'), exact: true }).click()
  await zahra.page.getByText(zahra.t('gr.comeWaits')).waitFor()
  await about(amina)
  await amina.page.locator('.act', { hasText: amina.t('ab.groupRequests') }).locator('small', { hasText: '1' }).waitFor()
  await about(amina, 'requests')
  await amina.page.getByText('zahra').first().waitFor()
  await well(amina, 'group-requests')
  await amina.page.getByRole('button', { name: amina.t('gr.let') }).first().click()
  await enter(zahra)
  await stay(zahra)
  await zahra.write('hello, neighbours')
  await karim.sees('hello, neighbours')
  zahra.clean()
  await zahra.end()
})

test('who is banned is out, and stands in the list of the banned', async () => {
  await about(amina)
  await member(amina, 'zahra', 'gr.ban')
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('gr.ban'), exact: true }).click()
  await line(karim, 'system.group-banned', { by: 'amina', who: 'zahra' })
  await about(amina, 'banned')
  await amina.page.getByText('zahra@localhost').waitFor()
  await well(amina, 'group-banned')
})

test('who leaves reads what was said, and cannot write any more', async () => {
  await karim.page.getByRole('button', { name: karim.t('chat.menu') }).click()
  await karim.page.getByRole('menuitem', { name: karim.t('group.leave') }).click()
  await well(karim, 'group-leave')
  await karim.button('gr.leaveYes').click()
  await karim.page.getByText(karim.t('silent.left')).waitFor()
  await karim.sees('hello, neighbours')
  assert.equal(await karim.page.locator('.comp').count(), 0)
  await line(nadia, 'system.group-left', { who: 'karim' })
})

test('an owner ends the group for all', async () => {
  await about(amina)
  await amina.page.getByRole('button', { name: amina.t('ab.groupDestroy') }).click()
  await well(amina, 'group-destroy')
  await amina.button('gr.destroyYes').click()
  await nadia.page.getByText(nadia.t('silent.destroyedBy', { name: 'amina' })).waitFor()
  await nadia.sees('news for all')
})

test('the consoles are silent', () => {
  for (const person of [amina, nadia, karim]) person.clean()
})
