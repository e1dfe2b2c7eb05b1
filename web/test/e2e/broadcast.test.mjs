// A broadcast list from its beginning to its end: it is made of contacts, what is written to it comes to each in their own chat, once, also when the tab dies in the middle;
// the list shows how far it has come, and is the same on another device. axe looks at each screen on the way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { browser, Person, until } from './person.mjs'
import { Server } from './server.mjs'

const name = 'Le village'
let server, chromium, amina, nadia, karim, list

before(async () => {
  server = await Server.make()
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina', { size: [1280, 800] })
  nadia = await Person.make(chromium, 'nadia', { lang: 'ar' })
  karim = await Person.make(chromium, 'karim', { lang: 'en', colorScheme: 'dark' })
  for (const person of [amina, nadia, karim]) await person.join(server.invite())
  await amina.befriend(nadia)
  await amina.befriend(karim)
  await amina.page.getByRole('link', { name: /karim/ }).first().waitFor()
})

after(async () => {
  await chromium?.close()
  await server?.end()
})

const counts = (delivered, read, n = 2) => amina.t('bc.counts', { delivered, read, n })
const openList = async () => {
  await amina.page.goto(`${amina.origin}/chat/${encodeURIComponent(list)}`)
  await amina.page.locator('.comp textarea').waitFor()
}

test('a list is made from "new", of contacts alone, with the keyboard', async () => {
  await amina.page.goto(`${amina.origin}/new`)
  await well(amina, 'broadcast-new')
  await amina.page.getByRole('button', { name: new RegExp(amina.t('new.broadcast')) }).click()
  await amina.page.getByLabel(amina.t('bc.name')).fill(name)
  for (const who of ['nadia', 'karim']) {
    await amina.page.getByLabel(amina.t('bc.find')).fill(who)
    await amina.page.keyboard.press('Enter')
  }
  await until('both are chosen', async () => await amina.page.locator('.choice[aria-checked=true]').count() === 2)
  await well(amina, 'broadcast-make')
  await amina.page.locator('.bc-end .btn.p').click()
  await amina.page.locator('.comp textarea').waitFor()
  list = decodeURIComponent(new URL(amina.page.url()).pathname.split('/')[2])
  assert.match(list, /@broadcast\.invalid$/)
})

test('what is written to it comes to each in their own chat, as any message', async () => {
  await amina.write('the well is mended')
  for (const person of [nadia, karim]) {
    await person.open(amina.jid)
    await person.sees('the well is mended')
    assert.match(await person.page.locator('.hd .sub').textContent(), new RegExp(person.t('head.encrypted')))
  }
  await amina.page.locator('.counts', { hasText: counts(2, 2) }).waitFor()
  await amina.state('the well is mended', 'read')
  await well(amina, 'broadcast-list')
  await amina.page.locator('.side-list .row', { hasText: name }).waitFor()
})

test('an answer comes to the one chat', async () => {
  await karim.write('good news')
  await amina.open(karim.jid)
  await amina.sees('good news')
  await amina.sees('the well is mended')
  assert.deepEqual(await amina.texts(), ['the well is mended', 'good news'])
})

test('who got it and who read it stands in its information', async () => {
  await openList()
  await nadia.page.close()
  await amina.write('come tomorrow')
  await karim.sees('come tomorrow')
  await amina.page.locator('.counts', { hasText: counts(1, 1) }).waitFor()
  await amina.message('come tomorrow').locator('.m').click({ button: 'right' })
  await amina.page.getByRole('menuitem', { name: amina.t('act.info'), exact: true }).click()
  await amina.page.getByRole('dialog').getByText('nadia').waitFor()
  await well(amina, 'broadcast-info')
  await amina.page.keyboard.press('Escape')
  nadia.page = await nadia.tab()
  await nadia.open(amina.jid)
  await amina.page.locator('.it', { hasText: 'come tomorrow' }).locator('.counts', { hasText: counts(2, 2) }).waitFor()
})

test('a photo is put on the server once, and is opened by each', async () => {
  let puts = 0
  amina.page.on('request', (request) => { if (request.method() === 'PUT') puts++ })
  await amina.page.locator('.comp').getByRole('button', { name: amina.t('attach'), exact: true }).click()
  const choosing = amina.page.waitForEvent('filechooser')
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('attach.photo') }).click()
  await (await choosing).setFiles({ name: 'well.png', mimeType: 'image/png', buffer: await amina.picture() })
  await amina.page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
  for (const person of [nadia, karim]) await until('it is shown', () => person.page.locator('.it .pic img').last().evaluate((e) => e.complete && e.naturalWidth > 0).catch(() => false))
  assert.equal(puts, 1)
})

test('a tab that dies right after the button was pressed: each has it once', async () => {
  for (let i = 0; i < 4; i++) {
    const text = `trial ${i}`
    await amina.page.locator('.comp textarea').fill(text)
    await amina.page.locator('.comp .send').click()
    if (i > 0) await amina.message(text).waitFor() // the first may not have been kept: then nobody has it
    await amina.page.close()
    amina.page = await amina.tab()
    await openList()
    const kept = i > 0 || await amina.message(text).waitFor({ timeout: 3000 }).then(() => true, () => false)
    if (kept) await amina.page.locator('.it', { hasText: text }).locator('.counts', { hasText: counts(2, 2) }).waitFor()
    for (const person of [nadia, karim]) {
      if (kept) await person.sees(text)
      assert.equal(await person.message(text).count(), kept ? 1 : 0)
    }
  }
})

test('it is changed, is the same in another browser, and goes from there, too', async () => {
  const other = await Person.make(chromium, 'amina2', { lang: 'en' })
  await other.signIn(amina.origin, amina.jid, amina.password)
  await other.button('ob.later').click()
  await other.page.locator('.row', { hasText: name }).waitFor()
  await amina.page.goto(`${amina.origin}/chat/${encodeURIComponent(list)}/list`)
  await amina.page.locator('.choice', { hasText: 'karim' }).click()
  await amina.page.getByLabel(amina.t('bc.name')).fill('Nadia seule')
  await well(amina, 'broadcast-change')
  await amina.page.locator('.bc-end .btn.p').click()
  await other.page.locator('.row', { hasText: 'Nadia seule' }).click()
  await other.page.locator('.comp textarea').waitFor()
  await other.write('from the other browser')
  await nadia.sees('from the other browser')
  await well(other, 'broadcast-phone')
  assert.equal(await karim.message('from the other browser').count(), 0)
  await amina.page.goto(`${amina.origin}/chat/${encodeURIComponent(list)}/list`)
  await amina.button('bc.delete').click()
  await amina.page.getByRole('alertdialog').getByRole('button', { name: amina.t('bc.delete'), exact: true }).click()
  await other.page.goto(`${other.origin}/`)
  await until('it is gone there', async () => await other.page.locator('.row').count() > 0 && !await other.page.locator('.row', { hasText: 'Nadia seule' }).count())
  await nadia.sees('from the other browser')
  other.clean()
})

test('nothing was complained about', () => {
  for (const person of [amina, nadia, karim]) person.clean()
})
