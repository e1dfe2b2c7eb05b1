// The server dies and another one takes over with the same data; the clients find it by themselves. And clocks that are wrong.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { freePort, Server } from './server.mjs'
import { until } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia
const minute = 60_000

before(async () => {
  const second = await freePort()
  const c2s = `alternatives = ['wss://localhost:${second}/ws']`
  // Amina's clock is two days ahead, and that of Nadia three hours behind.
  town = await Town.found({ config: { c2s }, options: { amina: { clock: 2 * 86_400_000 }, nadia: { clock: -3 * 3_600_000 } } })
  town.second = await Server.make({ port: second, data: town.server.data, more: { c2s: `alternatives = ['wss://localhost:${town.bad.port}/ws']` } })
  ;({ amina, nadia } = town)
})

after(() => town?.end())

test('with wrong clocks the order is that of the talk, on both sides', async () => {
  const texts = []
  for (let i = 1; i <= 4; i++) {
    for (const [one, other] of [[amina, nadia], [nadia, amina]]) {
      texts.push(`${one.name} ${i}`)
      await one.write(texts.at(-1))
      await other.sees(texts.at(-1))
    }
  }
  for (const person of [amina, nadia]) {
    assert.deepEqual(await person.texts(), ['begin', 'we have begun', ...texts])
    await person.page.reload()
    await person.sees(texts.at(-1))
    assert.deepEqual(await person.texts(), ['begin', 'we have begun', ...texts], 'after a reload')
    assert.equal(await person.page.locator('.day').count(), 1, 'it was all today')
    await person.shot('clock')
  }
})

test('the second server takes over: what was on its way arrives, once, and the talk goes on', { timeout: 10 * minute }, async () => {
  await town.second.start({ standby: true })
  await amina.page.reload() // the page is told of the other server
  await nadia.page.reload()
  await amina.sees('nadia 4')
  await nadia.sees('amina 4')
  await amina.watchStates()
  const texts = Array.from({ length: 6 }, (_, i) => `over ${i + 1}`)
  for (const [i, text] of texts.entries()) {
    await amina.write(text)
    if (i === 2) await town.server.stop('SIGKILL')
  }
  for (const text of texts) {
    await amina.state(text, 'read', minute)
    const states = await amina.states(text)
    assert.deepEqual(states, ['waiting', 'sent', 'delivered', 'read'].filter((s) => states.includes(s)), text)
  }
  assert.deepEqual((await nadia.texts()).slice(-6), texts)
  await nadia.write('from the second one')
  await amina.sees('from the second one')
  await amina.page.locator('.net', { hasText: amina.t('net.fallbackTitle') }).waitFor()
  await amina.shot('takeover')
})

test('the client opens while the server that it came from is away', async () => {
  await amina.page.reload()
  await amina.sees('from the second one')
  await amina.write('from a page that was kept')
  await nadia.sees('from a page that was kept', minute)
})

test('the first one comes back as a standby, and the second one dies', { timeout: 10 * minute }, async () => {
  await town.server.start({ standby: true })
  await town.second.stop('SIGKILL')
  await amina.write('and back')
  await nadia.sees('and back', minute)
  await amina.state('and back', 'read', minute)
  const all = await nadia.texts()
  assert.equal(new Set(all).size, all.length, 'nothing came twice')
  await until('it is the usual server again', async () => await amina.page.locator('.net').count() === 0, minute)
})
