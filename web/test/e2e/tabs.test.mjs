// Two tabs of one browser: the one in front follows, the one that leads is behind it. What is done in front leaves soon, whatever becomes of the leader.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from './person.mjs'
import { Town } from './town.mjs'

/** How often all of it is done; more is for looking for what happens seldom. */
const rounds = Number(process.env.ROUNDS ?? 3)
/** What is done in front is with the other side within this time, in milliseconds: a moment, and not a pause after a failure. */
const soon = 10_000

let town, amina, nadia, behind, front

before(async () => {
  town = await Town.found({ options: { amina: { lang: 'en', size: [1280, 800] }, nadia: { lang: 'en', size: [1280, 800] } } })
  ;({ amina, nadia } = town)
  await follow()
})

after(() => town?.end())

/** Opens a second tab, which comes to the front, and hides the one that leads, as browsers do. */
async function follow() {
  behind = amina.page
  front = await amina.tab()
  await front.goto(behind.url())
  await front.locator('.comp textarea').waitFor()
  await front.bringToFront()
  await hide(behind)
  amina.page = front
}

/** The page says that it is hidden, and its timers run once a second. */
async function hide(page) {
  await page.evaluate(() => {
    for (const [name, value] of [['visibilityState', 'hidden'], ['hidden', true]]) Object.defineProperty(document, name, { configurable: true, get: () => value })
    document.dispatchEvent(new Event('visibilitychange'))
    const [timeout, interval] = [globalThis.setTimeout, globalThis.setInterval]
    globalThis.setTimeout = (work, wait, ...args) => timeout(work, Math.max(1000, wait ?? 0), ...args)
    globalThis.setInterval = (work, wait, ...args) => interval(work, Math.max(1000, wait ?? 0), ...args)
  })
}

async function act(text, key) {
  await amina.message(text).locator('.m').click({ button: 'right' })
  await front.getByRole('menuitem', { name: amina.t(key), exact: true }).click()
}

/** What a person does in front, one after the other, and what the other side sees of it. */
async function all(word) {
  const took = {}
  const seen = async (what, wait) => {
    const began = Date.now()
    await wait()
    took[what] = Date.now() - began
  }
  await amina.write(`${word} said`)
  await seen('message', () => nadia.sees(`${word} said`))
  await act(`${word} said`, 'act.edit')
  await front.locator('.comp textarea').fill(`${word} corrected`)
  await amina.button('edit.done').click()
  await seen('correction', () => nadia.sees(`${word} corrected`))
  await nadia.write(`${word} answered`)
  await seen('answer', () => amina.sees(`${word} answered`))
  await seen('read marker', () => nadia.state(`${word} answered`, 'read'))
  await amina.message(`${word} answered`).locator('.m').click({ button: 'right' })
  await front.getByRole('menuitemradio', { name: amina.t('act.reactWith', { emoji: '❤️' }), exact: true }).click()
  await seen('reaction', () => nadia.message(`${word} answered`).getByText('❤️').first().waitFor())
  await act(`${word} corrected`, 'act.delete')
  await amina.button('delete.all').click()
  await seen('retraction', () => nadia.message(`${word} corrected`).waitFor({ state: 'detached' }))
  return took
}

const slow = (took) => Object.entries(took).filter(([, ms]) => ms > soon)

test('what is done in front is seen soon, again and again', async () => {
  for (let i = 1; i <= rounds; i++) {
    const took = await all(`round ${i}`)
    if (process.env.E2E_VERBOSE) console.log(Date.now(), JSON.stringify(took))
    assert.deepEqual(slow(took), [], `round ${i}`)
  }
  amina.clean()
})

test('the leader is frozen behind: the tab in front takes its place, and nothing that was done meanwhile is lost', async () => {
  const cdp = await amina.context.newCDPSession(behind)
  await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
  await amina.write('while frozen')
  await act('while frozen', 'act.edit')
  await front.locator('.comp textarea').fill('while frozen, corrected')
  await amina.button('edit.done').click()
  await nadia.sees('while frozen, corrected', 60_000)
  await cdp.send('Page.setWebLifecycleState', { state: 'active' })
  for (let i = 1; i <= rounds; i++) assert.deepEqual(slow(await all(`thawed ${i}`)), [], `thawed ${i}`)
  await until('each text is there once', async () => await nadia.message('while frozen, corrected').count() === 1)
})

test('the leader is closed in the moment of a correction: the tab in front sends it', async () => {
  for (let i = 1; i <= rounds; i++) {
    await follow()
    await amina.write(`closing ${i}`)
    await nadia.sees(`closing ${i}`)
    await act(`closing ${i}`, 'act.edit')
    await front.locator('.comp textarea').fill(`closed ${i}`)
    await Promise.all([behind.close(), amina.button('edit.done').click()])
    await nadia.sees(`closed ${i}`)
    assert.equal(await nadia.message(`closing ${i}`).count(), 0)
  }
})
