// Somebody with a browser of their own: what a person does with the client, and what they see.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const shots = process.env.SHOTS
if (shots) mkdirSync(shots, { recursive: true })
const folder = new URL('../../src/i18n/', import.meta.url)
const texts = new Map()

/** How long a person waits for what must happen by itself, in milliseconds; never in full unless something is wrong. */
export const patience = Number(process.env.PATIENCE ?? 60_000)

/** words gives a text of the client in a language, with values put in. */
export function words(language, key, values = {}) {
  if (!texts.has(language)) {
    const all = {}
    for (const part of ['', 'chat', 'onboarding', 'newchat', 'devices', 'newdevice', 'link', 'contacts', 'settings', 'happening', 'search', 'about', 'security', 'media', 'admin', 'groups', 'channels', 'events', 'communities', 'updates', 'status', 'once', 'broadcast', 'pay', 'paycards', 'paymore', 'payrail', 'paydebit', 'payevidence']) {
      try { Object.assign(all, JSON.parse(readFileSync(new URL(part ? `${language}/${part}.json` : `${language}.json`, folder), 'utf8'))) } catch (error) { if (error.code !== 'ENOENT') throw error }
    }
    texts.set(language, all)
  }
  const text = texts.get(language)[key]
  if (text === undefined) throw new Error(`no text ${key} in ${language}`)
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')
}

/** browser starts Chromium as the tests need it. */
export function browser(...more) {
  return chromium.launch({ executablePath: process.env.CHROME ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--ignore-certificate-errors', '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required', ...more] })
}

const locales = { fr: 'fr-FR', ar: 'ar-MA', en: 'en-GB', 'pt-BR': 'pt-BR', hi: 'hi-IN', es: 'es-ES', it: 'it-IT', sw: 'sw-KE' }

/** Person is one browser context (what one browser keeps) and its page in front. */
export class Person {
  problems = []
  /** How many pieces of the encrypted history its pages have written. */
  chunks = 0
  /** What the console may say in this test, because the test itself breaks things. */
  allowed = [/^Autofocus processing was blocked/, /WebSocket/, /net::ERR/, /Failed to load resource/]

  static async make(chromium, name, { lang = 'fr', size = [390, 844], clock = 0, ...more } = {}) {
    const person = new Person()
    person.name = name
    person.lang = lang
    person.context = await chromium.newContext({ viewport: { width: size[0], height: size[1] }, locale: locales[lang], ignoreHTTPSErrors: true, hasTouch: size[0] < 720, reducedMotion: 'reduce',
      permissions: ['microphone', 'camera', 'notifications', 'clipboard-read', 'clipboard-write'], ...more })
    if (clock) await person.context.addInitScript(wrongClock, clock)
    person.page = await person.tab()
    return person
  }

  /** Opens another tab of the same browser. */
  async tab() {
    const page = await this.context.newPage()
    page.setDefaultTimeout(patience)
    page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => { if (String(payload).includes(`<chunk xmlns='urn:palabre:history:0'`)) this.chunks++ }))
    const note = (text) => { if (!this.allowed.some((a) => a.test(text))) this.problems.push(text) }
    page.on('pageerror', (e) => note(String(e.stack ?? e)))
    page.on('console', (m) => { if (m.type() === 'error' || process.env.E2E_VERBOSE) note(m.text()); if (process.env.E2E_VERBOSE) console.log(`${this.name}: ${m.text()}`) })
    return page
  }

  t(key, values) { return words(this.lang, key, values) }
  button(key, values) { return this.page.getByRole('button', { name: this.t(key, values), exact: true }) }

  async shot(what) { if (shots) await this.page.screenshot({ path: join(shots, `${this.name}-${what}.png`) }) }

  /** Goes from an invitation to the first screen behind it, as the onboarding leads. */
  async join(link, { name = this.name, display = name, recovery } = {}) {
    const { page } = this
    this.origin = new URL(link).origin
    await page.goto(link)
    await this.shot('0-link')
    // The server's own page for all apps stands before it; it may as well lead here by itself.
    const here = page.locator('a[href^="/join/"]')
    await here.or(page.locator('.gate')).first().waitFor()
    if (await here.count()) await here.click()
    await page.locator('.gate').waitFor()
    await this.shot('1-invitation')
    await page.getByLabel(this.t('ob.name'), { exact: true }).fill(name)
    await page.locator('.state-line.ok').waitFor()
    await this.button('ob.next').click()
    this.password = await page.locator('input[autocomplete=new-password]').inputValue()
    await this.shot('2-password')
    await this.button('ob.create').click()
    await page.getByLabel(this.t('ob.display')).fill(display)
    await this.shot('3-me')
    await this.button('ob.next').click()
    const code = page.locator('output.secret')
    await code.or(page.getByText(this.t('ob.recNone'))).waitFor()
    await this.shot('4-recovery')
    if (await code.count()) {
      this.code = await code.textContent()
      await page.getByLabel(this.t('ob.recKept')).check()
    }
    await this.button('ob.recDone').click()
    // Where nothing can be installed, that step is passed over.
    await page.locator('.row, .empty, .log, .come .face').or(this.button('ob.finish')).first().waitFor()
    if (await this.button('ob.finish').count()) await this.button('ob.finish').click()
    this.jid = `${name}@localhost`
    await page.locator('.row, .empty, .log, .come .face').first().waitFor()
    await this.shot('5-inside')
  }

  /** Goes to where one signs in, on the server at `origin`, and does so. What is asked behind it is for who calls. */
  async signIn(origin, jid, password) {
    Object.assign(this, { origin, jid })
    await this.page.goto(`${origin}/signin`)
    await this.page.getByLabel(this.t('ob.address'), { exact: true }).fill(jid)
    await this.page.locator('input[autocomplete=current-password]').fill(password)
    await this.button('ob.signIn').click()
  }

  /** A picture of many squares, as the bytes of a PNG. */
  async picture() {
    const url = await this.page.evaluate(() => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 600 })
      const c = canvas.getContext('2d')
      for (let i = 0; i < 200; i++) { c.fillStyle = `hsl(${i * 37} 80% 50%)`; c.fillRect((i * 577) % 800, (i * 331) % 600, 120, 90) }
      return canvas.toDataURL('image/png')
    })
    return Buffer.from(url.split(',')[1], 'base64')
  }

  /** Asks somebody to be a contact, who accepts. */
  async befriend(other) {
    await this.page.goto(`${this.origin}/contacts`)
    await this.button('con.add').first().click()
    await this.page.getByLabel(this.t('con.address'), { exact: true }).fill(other.jid)
    await this.button('con.addDo').click()
    await this.page.locator('.comp textarea').waitFor()
    await other.page.goto(`${other.origin}/contacts`)
    await other.page.getByRole('button', { name: other.t('con.accept') }).first().click()
  }

  /** Opens the chat with somebody, from wherever the page is. */
  async open(jid) {
    await this.page.goto(`${this.origin}/chat/${encodeURIComponent(jid)}`)
    await this.page.locator('.comp textarea').waitFor()
  }

  /** Writes one message and sends it with the button; on a phone Enter is a line break. */
  async write(text, page = this.page) {
    await page.locator('.comp textarea').fill(text)
    await page.locator('.comp .send').click()
  }

  /** The message with exactly this text; fails if it is there more than once. */
  message(text) { return this.page.locator('.it[data-id]', { has: this.page.locator('.txt', { hasText: new RegExp(`^\\s*${escape(text)}\\s*$`) }) }) }

  /** Waits until a message is seen. */
  async sees(text, timeout = patience) { await this.message(text).waitFor({ timeout }) }

  /** Waits until one's own message has come so far: waiting, sent, delivered, read or failed. */
  async state(text, state, timeout = patience) { await this.message(text).locator(`.st.${state}`).waitFor({ state: 'attached', timeout }) }

  /** Begins to note which states the messages of this page show, so that a wrong one in between is found too. */
  watchStates() {
    return this.page.evaluate(() => {
      globalThis.seenStates = {}
      const look = () => {
        for (const item of document.querySelectorAll('.it.o[data-id]')) {
          const state = item.querySelector('.st')?.className.replace('st ', '')
          const text = item.querySelector('.txt')?.textContent.trim()
          const seen = globalThis.seenStates[text] ??= []
          if (state && seen.at(-1) !== state) seen.push(state)
        }
      }
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })
      look()
    })
  }

  /** The states that a message has shown since watchStates. */
  states(text) { return this.page.evaluate((t) => globalThis.seenStates[t] ?? [], text) }

  /** All texts of the open chat, oldest first, as far as the page holds them. */
  texts(page = this.page) { return page.locator('.it[data-id] .txt').allTextContents() }

  /** Fails on everything that the console complained about. */
  clean() { assert.deepEqual(this.problems, [], `${this.name}'s console`) }

  async end() { await this.context.close() }
}

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Makes the clock of a page wrong by so many milliseconds. */
function wrongClock(by) {
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...args) {
      if (args.length) super(...args)
      else super(Right.now() + by)
    }

    static now() { return Right.now() + by }
  }
}

/** until waits for something that is no element: looked at again and again until it is true. */
export async function until(what, look, timeout = patience) {
  const end = Date.now() + timeout
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
