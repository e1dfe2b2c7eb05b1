// The client and apps that have their own OMEMO: Profanity, which nobody here wrote, and `palabre chat`. Each says something that the other reads,
// encrypted, in both directions, also what came while one of them was away.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { browser, Person, until } from './person.mjs'
import { freePort, Server } from './server.mjs'
import { addAccount, install, Pipe, Profanity } from './terminal.mjs'

let server, chromium, amina, romeo, pipe, laptop

before(async () => {
  install()
  const port = await freePort()
  server = await Server.make({ more: { listen: [`127.0.0.1:${port}`] } })
  server.appPort = port
  await server.start()
  chromium = await browser()
  amina = await Person.make(chromium, 'amina')
  await amina.join(server.invite())
  romeo = new Profanity(server, addAccount(server, 'romeo'))
  await romeo.start()
  pipe = new Pipe(server, addAccount(server, 'bob'))
})

after(async () => {
  await chromium?.close()
  romeo?.close()
  pipe?.close()
  laptop?.close()
  await server?.end()
})

/** Waits until the browser shows a text; what Profanity shows and sent tells why it does not. */
async function reads(text) {
  await amina.sees(text).catch(async (error) => {
    const last = await amina.page.locator('.it[data-id]').allInnerTexts()
    throw new Error([error.message, romeo.evidence, '--- the browser', ...last.slice(-6)].join('\n'))
  })
}

/** Nothing of it was seen on the wire, and nothing came twice. */
function secret(...texts) {
  for (const text of texts) {
    assert.equal(romeo.inClear(text), false, `in clear: ${text}`)
    assert.equal(romeo.times(text), 1, `${text}\n${romeo.evidence}`)
  }
}

/** Profanity shows its keys to contacts alone: each has to see the other. */
test('the browser and Profanity become contacts', async () => {
  const { page } = amina
  await page.goto(`${amina.origin}/contacts`)
  await amina.button('con.add').first().click()
  await page.getByLabel(amina.t('con.address'), { exact: true }).fill(romeo.jid)
  await amina.button('con.addDo').click()
  await page.locator('.comp textarea').waitFor()
  await romeo.sees(/Received authorization request from amina@localhost/)
  romeo.type(`/sub allow ${amina.jid}`)
  romeo.type(`/sub request ${amina.jid}`)
  await page.goto(`${amina.origin}/contacts`)
  const accept = page.getByRole('button', { name: amina.t('con.accept') }).first()
  await until('both see each other', async () => {
    if (await accept.isVisible()) await accept.click().catch(() => undefined) // it goes away by itself where nothing is to be decided
    return /amina@localhost.* is online/.test(romeo.screen)
  }, 60_000)
})

test('Profanity writes, the browser reads', async () => {
  await amina.open(romeo.jid)
  await romeo.encrypt(amina.jid)
  for (const text of ['But soft, what light?', 'It is the east.']) {
    romeo.type(text)
    await romeo.hears('me', text)
    await reads(text)
    secret(text)
  }
})

test('the browser writes, Profanity reads', async () => {
  for (const text of ['Ay me!', 'O Romeo, Romeo!', 'Deny thy father.']) {
    await amina.write(text)
    await romeo.hears(amina.jid, text)
    await amina.state(text, 'delivered')
    secret(text)
  }
  await amina.shot('profanity')
})

/** Romeo has another device, which has OMEMO 2 as well: what Profanity cannot read is not kept from it, and the other way round. */
test('a file with words: Profanity reads its address and its words, a device with OMEMO 2 reads it once', async () => {
  laptop = new Pipe(server, romeo.jid)
  laptop.collect() // it makes its keys
  const { page } = amina
  await until('the browser knows the other device', async () => {
    await amina.write('Do you hear?')
    await amina.message('Do you hear?').last().locator('.st.sent, .st.delivered').waitFor() // Profanity may have told of it already
    return laptop.collect().some((m) => m.body === 'Do you hear?' && m.encrypted)
  })
  await amina.button('attach').click()
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), amina.button('attach.file').click()])
  await chooser.setFiles({ name: 'letter.bin', mimeType: 'application/octet-stream', buffer: Buffer.from('but soft') })
  await page.getByLabel(amina.t('files.caption')).fill('sealed with a kiss')
  await page.getByRole('dialog').getByRole('button', { name: amina.t('send'), exact: true }).click()
  await romeo.hears(amina.jid, 'aesgcm://')
  await romeo.hears(amina.jid, 'sealed with a kiss')
  secret('sealed with a kiss')
  assert.equal(romeo.inClear('aesgcm://'), false)
  assert.deepEqual(laptop.collect().map((m) => [m.body.split('/')[0], m.encrypted]), [['aesgcm:', true]])
  assert.equal(await page.locator('.it', { hasText: 'sealed with a kiss' }).count(), 1)
})

test('in turn, many times: the keys go on on both sides', async () => {
  for (let n = 1; n <= 4; n++) {
    romeo.type(`verse ${n} of Romeo`)
    await reads(`verse ${n} of Romeo`)
    await amina.write(`verse ${n} of Amina`)
    await romeo.hears(amina.jid, `verse ${n} of Amina`)
    secret(`verse ${n} of Romeo`, `verse ${n} of Amina`)
  }
})

test('what Profanity wrote while the browser was closed is there, once, when it opens', async () => {
  const page = amina.page
  amina.page = await amina.tab()
  await page.close()
  await amina.page.close()
  const missed = [1, 2, 3].map((n) => `letter ${n} of Verona`)
  for (const text of missed) {
    romeo.type(text)
    await romeo.hears('me', text)
  }
  amina.page = await amina.tab()
  await amina.open(romeo.jid)
  for (const text of missed) await reads(text)
  secret(...missed)
})

test('what the browser wrote while Profanity was away is read when it is back', async () => {
  await romeo.quit()
  const missed = ['Good night, good night!', 'Parting is such sweet sorrow.']
  for (const text of missed) {
    await amina.write(text)
    await amina.state(text, 'sent')
  }
  await romeo.start()
  await romeo.encrypt(amina.jid)
  for (const text of missed) await romeo.hears(amina.jid, text)
  secret(...missed)
  romeo.type('Sleep dwell upon thine eyes')
  await reads('Sleep dwell upon thine eyes')
})

test('the browser and palabre chat, both ways', async () => {
  assert.deepEqual(pipe.collect(), []) // it makes its keys
  await amina.open(pipe.jid)
  for (const text of ['from the browser', 'and once more']) {
    await amina.write(text)
    await amina.state(text, 'sent')
  }
  assert.deepEqual(pipe.collect().map((m) => [m.body, m.encrypted, m.from.split('/')[0]]), ['from the browser', 'and once more'].map((text) => [text, true, amina.jid]))
  for (const text of ['from the terminal', 'and again']) {
    pipe.send(amina.jid, text)
    await amina.sees(text)
  }
  await amina.write('read you')
  await amina.state('read you', 'sent')
  assert.deepEqual(pipe.collect().map((m) => [m.body, m.encrypted]), [['read you', true]])
})

test('nothing that the browser keeps of these talks came or went in clear', async () => {
  const kept = await amina.page.evaluate((account) => new Promise((done, failed) => {
    const open = indexedDB.open(`palabre:${account}`)
    open.onerror = () => failed(open.error)
    open.onsuccess = () => {
      const all = open.result.transaction('messages').objectStore('messages').getAll()
      all.onsuccess = () => { open.result.close(); done(all.result.filter((m) => m.content.type === 'text').map((m) => [m.content.text, m.protection])) }
    }
  }), amina.jid)
  assert.ok(kept.length >= 23, `${kept.length} texts`)
  assert.deepEqual(kept.filter(([, protection]) => protection !== 'omemo'), [])
})

test('the console is silent', () => amina.clean())
