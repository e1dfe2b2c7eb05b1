// A private group that is made in the client, and apps that nobody here wrote, with OMEMO of their own, which come into it as into any private room: Profanity and
// Gajim. Each reads what the others say, encrypted, also after all have started again. No app sees the browser there: it is a member, and has no presence in the room.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Gajim, installGajim } from './desktop.mjs'
import { browser, Person, until } from './person.mjs'
import { freePort, Server } from './server.mjs'
import { addAccount, install, Profanity } from './terminal.mjs'

let server, chromium, amina, romeo, juliet, group

before(async () => {
  install()
  installGajim()
  const port = await freePort()
  server = await Server.make({ more: { listen: [`127.0.0.1:${port}`] } })
  server.appPort = port
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { size: [1280, 800] })
  await amina.join(server.invite())
  romeo = new Profanity(server, addAccount(server, 'romeo'))
  juliet = new Gajim(server, addAccount(server, 'juliet'), romeo.jid)
  await Promise.all([romeo.start(), juliet.start()])
})

after(async () => {
  await chromium?.close()
  romeo?.close()
  await juliet?.close()
  await server?.end()
})

/** Waits until the browser shows a text; what Profanity shows and sent tells why it does not. */
async function reads(text) {
  await amina.sees(text).catch(async (error) => {
    const last = await amina.page.locator('.it[data-id]').allInnerTexts()
    throw new Error([error.message, romeo.evidence, '--- the browser', ...last.slice(-6)].join('\n'))
  })
}

/** Profanity has a text of somebody else in the group, marked as encrypted, once, and never saw it in clear. */
async function romeoHears(nick, text) {
  await romeo.hears(nick, text)
  assert.equal(romeo.inClear(text), false, `in clear: ${text}`)
  assert.equal(romeo.times(text), 1, `${text}\n${romeo.evidence}`)
}

/** Everybody says something that all others read. */
async function round(what) {
  await amina.write(`${what} of Amina`)
  await romeoHears('amina', `${what} of Amina`)
  await juliet.hears(`${what} of Amina`)
  romeo.type(`${what} of Romeo`)
  await reads(`${what} of Romeo`)
  await juliet.hears(`${what} of Romeo`)
  await juliet.say(group, `${what} of Juliet`)
  await reads(`${what} of Juliet`)
  await romeoHears('juliet', `${what} of Juliet`)
}

async function add(jid) {
  await amina.page.goto(`${amina.origin}/contacts`)
  await amina.button('con.add').first().click()
  await amina.page.getByLabel(amina.t('con.address'), { exact: true }).fill(jid)
  await amina.button('con.addDo').click()
  await amina.page.locator('.comp textarea').waitFor()
}

/** Keys are shown to contacts alone, and who is a contact is a member as soon as they are added. */
test('all become contacts', async () => {
  await add(romeo.jid)
  await romeo.sees(/Received authorization request from amina@localhost/)
  romeo.type(`/sub allow ${amina.jid}`)
  romeo.type(`/sub request ${amina.jid}`)
  romeo.type(`/sub request ${juliet.jid}`)
  await add(juliet.jid)
  const { page } = amina
  await page.goto(`${amina.origin}/contacts`)
  const accept = page.getByRole('button', { name: amina.t('con.accept') }).first()
  await until('all see each other', async () => {
    if (await accept.isVisible()) await accept.click().catch(() => undefined) // it goes away by itself where nothing is to be decided
    const seen = romeo.screen
    return /amina@localhost.* is online/.test(seen) && /juliet@localhost.* is online/.test(seen)
  }, 60_000)
})

test('a group is made in the browser; Profanity and Gajim are invited and come in', async () => {
  const { page } = amina
  await page.goto(`${amina.origin}/groups/new`)
  for (const name of ['romeo', 'juliet']) await page.locator('.choice', { hasText: name }).click()
  await page.locator('.bottom .btn').click()
  await page.getByLabel(amina.t('gr.name')).fill('Verona')
  await amina.button('gr.make').click()
  await page.locator('.comp textarea').waitFor()
  group = decodeURIComponent(new URL(page.url()).pathname.split('/')[2])
  await romeo.sees(/Chat room invite received:\n.*From +: amina@localhost/)
  romeo.type(`/join ${group}`)
  await romeo.sees(/-> You have joined the room/)
  romeo.type('/omemo start')
  await romeo.sees(/^ *Verona.*\[OMEMO\]/m)
})

test('all read what each says, encrypted', () => round('the east'))

test('all three start again, and go on', async () => {
  await romeo.quit()
  await juliet.quit()
  await amina.page.close()
  amina.page = await amina.tab()
  await amina.page.goto(`${amina.origin}/chat/${encodeURIComponent(group)}`)
  await amina.page.locator('.comp textarea').waitFor()
  await amina.sees('the east of Juliet')
  await amina.write('who is there?')
  await Promise.all([romeo.start(), juliet.start()])
  romeo.type(`/join ${group}`)
  await romeo.sees(/-> You have joined the room/)
  await romeoHears('amina', 'who is there?')
  await juliet.hears('who is there?')
  await round('the west')
})

test('the console is silent', () => amina.clean())
