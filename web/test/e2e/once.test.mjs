// What can be opened once: sent from the sheet, opened in full, and then gone: from the bubble, the gallery, the database, the other device; also when the tab dies while it is
// looked at. Its sender sees who opened it. In a group each opens it once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { well } from './axe.mjs'
import { Person, until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, karim, second

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
  karim = await Person.make(town.chromium, 'karim', { lang: 'en', colorScheme: 'dark' })
  await karim.join(town.server.invite())
  second = await otherDevice(nadia)
  await nadia.open(amina.jid)
})

after(() => town?.end())

/** Another browser of the same person, who signs in and then trusts it with the recovery code. */
async function otherDevice(person) {
  const other = await Person.make(town.chromium, `${person.name}2`, { lang: 'en' })
  await other.signIn(person.origin, person.jid, person.password)
  await other.button('ob.later').click()
  await other.page.locator('.row, .empty').first().waitFor()
  return other
}

/** Sends a photo that can be opened once. */
async function sendOnce(person, look) {
  await person.page.locator('.comp').getByRole('button', { name: person.t('attach'), exact: true }).click()
  const choosing = person.page.waitForEvent('filechooser')
  await person.page.getByRole('dialog').getByRole('button', { name: person.t('attach.photo') }).click()
  await (await choosing).setFiles({ name: 'holiday.png', mimeType: 'image/png', buffer: await person.picture() })
  const sheet = person.page.getByRole('dialog')
  await sheet.getByRole('button', { name: person.t('once.send'), exact: true }).click()
  await sheet.getByText(person.t('once.hint')).waitFor()
  await look?.()
  await sheet.getByRole('button', { name: person.t('send'), exact: true }).click()
  await person.page.locator('.it.o .once').last().waitFor()
}

const bubbles = (person) => person.page.locator('.it .once')
const opener = (person) => person.page.locator('.it button.once').last()

/** All that the page's database holds of messages and files, as text. */
const kept = (person) => person.page.evaluate(async (account) => {
  const open = indexedDB.open(`palabre:${account}`)
  await new Promise((done, failed) => { open.onsuccess = done; open.onerror = failed })
  const all = (store) => new Promise((done, failed) => { const asked = open.result.transaction(store).objectStore(store).getAll(); asked.onsuccess = () => done(asked.result); asked.onerror = failed })
  const [messages, files, blobs] = [await all('messages'), await all('files'), await all('blobs')]
  open.result.close()
  return { once: messages.filter((m) => m.content.type === 'once').map((m) => m.content), files: files.filter((f) => f.chat).length, text: JSON.stringify([messages, files]), blobs: blobs.length }
}, person.jid)

test('a photo is sent so that it can be opened once, and says so honestly before', async () => {
  await sendOnce(amina, () => well(amina, 'once-sheet'))
  await opener(nadia).waitFor()
  await well(nadia, 'once-closed')
  assert.equal(await nadia.page.locator('.it .pic').count(), 0)
  await amina.page.locator('.it.o .once').last().waitFor()
  await until('it has left, and is not kept', async () => { const { once, text } = await kept(amina); return once.length === 1 && !once[0].file && !text.includes('holiday') })
})

test('it is in no gallery, and cannot be passed on or copied', async () => {
  await bubbles(nadia).last().click({ button: 'right' })
  await nadia.page.getByRole('menuitem', { name: nadia.t('act.reply'), exact: true }).waitFor()
  for (const key of ['act.forward', 'act.copy']) assert.equal(await nadia.page.getByRole('menuitem', { name: nadia.t(key), exact: true }).count(), 0, key)
  await nadia.page.keyboard.press('Escape')
  await nadia.page.goto(`${nadia.origin}/chat/${encodeURIComponent(amina.jid)}/media`)
  await nadia.page.getByText(nadia.t('med.none')).waitFor()
  await nadia.open(amina.jid)
})

test('without network it is not opened, and not used up', async () => {
  await nadia.context.setOffline(true)
  await opener(nadia).waitFor()
  await opener(nadia).click()
  await nadia.page.locator('.toast').waitFor()
  await nadia.page.locator('.once-view').waitFor({ state: 'detached' })
  await opener(nadia).waitFor()
  await nadia.context.setOffline(false)
})

test('it opens once, with keys alone, and is gone when it is closed: here, on the other device, and its sender sees it', async () => {
  await second.open(amina.jid)
  await until('the connection is back', async () => { await opener(nadia).focus(); await nadia.page.keyboard.press('Enter'); return nadia.page.locator('.once-view img').waitFor({ timeout: 3000 }).then(() => true, () => false) })
  await until('it is shown whole', () => nadia.page.locator('.once-view img').evaluate((e) => e.complete && e.naturalWidth > 0))
  await well(nadia, 'once-open')
  assert.equal(await nadia.page.locator('.once-view').getByRole('button').count(), 1) // only to close it
  const { once, text, files } = await kept(nadia)
  assert.ok(once[0].opened, 'that it was opened is kept before it is closed')
  assert.equal(files, 0)
  assert.ok(!text.includes('aesgcm'))
  await nadia.page.keyboard.press('Escape')
  await nadia.page.locator('.once', { hasText: nadia.t('once.opened') }).waitFor()
  assert.equal(await nadia.page.locator('.it button.once').count(), 0)
  await amina.page.locator('.it.o .once', { hasText: amina.t('once.opened') }).waitFor()
  await well(amina, 'once-opened')
  await nadia.page.reload()
  await nadia.page.locator('.once', { hasText: nadia.t('once.opened') }).waitFor()
})

test('the other device learns that it was opened, and cannot open it any more', async () => {
  await sendOnce(amina)
  await opener(second).waitFor()
  await opener(nadia).click()
  await nadia.page.locator('.once-view img').waitFor()
  await second.page.locator('.once', { hasText: second.t('once.opened') }).last().waitFor()
  await until('its key is gone there', async () => (await kept(second)).once.every((c) => !c.file))
  await nadia.page.keyboard.press('Escape')
})

test('a tab that dies while it is looked at has opened it', async () => {
  await sendOnce(amina)
  await opener(nadia).click()
  await nadia.page.locator('.once-view img').waitFor()
  await nadia.page.close()
  nadia.page = await nadia.tab()
  await nadia.open(amina.jid)
  await until('it was opened', async () => await nadia.page.locator('.once', { hasText: nadia.t('once.opened') }).count() === 3)
  assert.equal(await nadia.page.locator('.it button.once').count(), 0)
  assert.ok(!(await kept(nadia)).text.includes('aesgcm'))
  await until('its sender sees it', async () => await amina.page.locator('.it.o .once', { hasText: amina.t('once.opened') }).count() === 3)
})

test('a voice message can be heard once', async () => {
  await amina.page.locator('.comp .send').focus()
  await amina.page.keyboard.press('Enter')
  await amina.page.locator('.rec-bar').getByRole('button', { name: amina.t('once.send'), exact: true }).click()
  await until('two seconds are recorded', async () => /0:0[2-9]/.test(await amina.page.locator('.rec-bar').textContent()))
  await amina.shot('once-voice')
  await amina.button('voice.send').click()
  await opener(nadia).click()
  await nadia.page.locator('.once-view audio').waitFor()
  await well(nadia, 'once-heard')
  await nadia.page.keyboard.press('Escape')
  await until('its sender sees it', async () => await amina.page.locator('.it.o .once', { hasText: amina.t('once.opened') }).count() === 4)
})

test('in a group each opens it once, and its sender sees how many did', async () => {
  await amina.befriend(karim)
  await amina.page.goto(`${amina.origin}/groups/new`)
  for (const name of ['nadia', 'karim']) await amina.page.locator('.choice', { hasText: name }).click()
  await amina.page.locator('.bottom .btn').click()
  await amina.page.getByLabel(amina.t('gr.name')).fill('Trois')
  await amina.button('gr.make').click()
  await amina.page.locator('.comp textarea').waitFor()
  for (const person of [nadia, karim]) {
    await person.page.goto(`${person.origin}/`)
    await person.page.locator('.row', { hasText: 'Trois' }).first().click()
    await person.page.locator('.comp, .request').first().waitFor()
    for (const key of ['invited.join', 'invited.stay']) if (await person.button(key).count()) await person.button(key).click()
  }
  await amina.write('look')
  for (const person of [nadia, karim]) await person.sees('look')
  await sendOnce(amina)
  for (const person of [nadia, karim]) {
    await opener(person).click()
    await person.page.locator('.once-view img').waitFor()
    await person.shot('once-group')
    await person.page.keyboard.press('Escape')
    await person.page.locator('.once', { hasText: person.t('once.opened') }).waitFor()
  }
  await until('both opened it', async () => /2/.test(await amina.page.locator('.it.o .once').last().textContent()))
  await well(karim, 'once-group-opened')
  assert.equal(await karim.page.locator('.it .gone').count(), 0) // what one says to the other is nothing for the third
})

test('nothing was complained about', () => {
  for (const person of [amina, nadia, karim, second]) person.clean()
})
