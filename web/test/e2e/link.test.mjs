// Linking a device without its password: what was said before is there, and nothing is handed over when something is wrong.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Person } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia

before(async () => {
  town = await Town.found()
  ;({ amina, nadia } = town)
})

after(() => town?.end())

/** Another browser for amina's account, in English, not signed in, at the page that links. */
async function another(name, size = [1280, 800]) {
  const person = await Person.make(town.chromium, name, { lang: 'en', size })
  Object.assign(person, { origin: amina.origin, jid: amina.jid })
  await person.page.goto(`${person.origin}/welcome`)
  await person.button('ob.linkThis').click()
  return person
}

/** A second tab of the device that is signed in, at the page that gives. */
async function giving() {
  const page = await amina.tab()
  await page.goto(`${amina.origin}/devices`)
  await page.getByRole('button', { name: amina.t('dev.link'), exact: true }).click()
  await page.locator('.qr svg').waitFor()
  const button = (key) => page.getByRole('button', { name: amina.t(key), exact: true })
  return { page, button, shot: (what) => process.env.SHOTS ? page.screenshot({ path: `${process.env.SHOTS}/amina-${what}.png` }) : undefined }
}

async function copied(page, label) {
  await page.getByRole('button', { name: label, exact: true }).click()
  return page.evaluate(() => navigator.clipboard.readText())
}

async function paste(page, label, next, code) {
  await page.getByLabel(label, { exact: true }).fill(code)
  await page.getByRole('button', { name: next, exact: true }).click()
}

const digits = async (page) => (await page.locator('.digits [aria-hidden]').textContent()).replace(/\D/g, '')

/** The talk is there, and what is said now is seen on all three. */
async function goesOn(device, word) {
  await device.open(nadia.jid)
  await device.sees('we have begun')
  assert.deepEqual((await device.texts()).slice(0, 2), ['begin', 'we have begun'])
  await device.write(`${word} from ${device.name}`)
  await nadia.sees(`${word} from ${device.name}`)
  await amina.sees(`${word} from ${device.name}`)
  await nadia.write(`${word} to all`)
  await device.sees(`${word} to all`)
  await amina.sees(`${word} to all`)
  assert.equal(await device.message(`${word} to all`).count(), 1)
}

test('the device that is signed in shows the code: same digits, and the talk is there', async () => {
  const laptop = await another('laptop')
  const old = await giving()
  await old.shot('link-1-code')
  const code = await copied(old.page, amina.t('link.copy'))
  assert.match(code, new RegExp(`^${amina.origin}/link#xmpp:amina@localhost\\?link;v=0;role=old;`))
  await laptop.shot('link-1-choose')
  await paste(laptop.page, laptop.t('link.paste'), laptop.t('link.next'), code)
  const [here, there] = [await digits(old.page), await digits(laptop.page)]
  assert.match(here, /^\d{6}$/)
  assert.equal(here, there)
  await old.shot('link-2-digits')
  await laptop.shot('link-2-digits')
  await laptop.button('link.same').click()
  await laptop.page.getByRole('heading', { name: laptop.t('link.agreed') }).waitFor()
  await laptop.shot('link-3-agreed')
  await old.button('link.same').click()
  await old.page.getByRole('heading', { name: amina.t('link.done') }).waitFor()
  await laptop.page.getByRole('heading', { name: laptop.t('link.done') }).waitFor()
  await laptop.shot('link-4-done')
  await laptop.button('link.open').click()
  await laptop.page.locator('.row').first().waitFor()
  await goesOn(laptop, 'linked')
  await old.button('link.finish').click()
  await old.page.getByText(amina.t('dev.verified'), { exact: true }).nth(1).waitFor() // this device, and the one that was just compared
  await old.page.getByRole('listitem').filter({ hasText: /Chrome/ }).nth(1).waitFor()
  assert.equal(await old.page.getByText(amina.t('dev.passwordOnly')).count(), 0, 'no device knows the password')
  // It returns by a token of its own.
  await laptop.page.reload()
  await goesOn(laptop, 'returned')
  laptop.clean()
  await laptop.end()
  await old.page.close()
})

test('the new device shows the code, and the keyboard is enough', async () => {
  const tablet = await another('tablet', [820, 1180])
  const { page } = tablet
  await tablet.button('link.showHere').press('Enter')
  await page.getByLabel(tablet.t('link.address'), { exact: true }).fill('amina')
  await page.keyboard.press('Enter')
  await page.locator('.qr svg').waitFor()
  await tablet.shot('link-1-code')
  await page.getByRole('button', { name: tablet.t('link.copy'), exact: true }).press('Enter')
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^xmpp:amina@localhost\?link;v=0;role=new;/)
  const old = await giving()
  await old.button('link.scanNew').click()
  await old.shot('link-scan')
  // The camera is refused: it says so, and a picture of the code does it.
  await old.page.evaluate(() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError')) })
  await old.button('link.scan').click()
  await old.page.getByText(amina.t('scan.none')).waitFor()
  const [chooser] = await Promise.all([old.page.waitForEvent('filechooser'), old.page.getByRole('button', { name: amina.t('scan.picture') }).click()])
  await chooser.setFiles({ name: 'code.png', mimeType: 'image/png', buffer: await page.locator('.qr').screenshot() })
  assert.equal(await digits(old.page), await digits(page))
  // The question has the focus; neither answer is the default one.
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), tablet.t('link.compare'))
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await old.button('link.same').press('Enter')
  await tablet.button('link.open').press('Enter')
  await page.locator('.row').first().waitFor()
  await goesOn(tablet, 'shown')
  tablet.clean()
  await tablet.end()
  await old.page.close()
})

test('other digits, a cancelled link, a used code and nonsense: each says so, gives nothing, and can be begun again', async () => {
  const phone = await another('phone', [390, 844])
  const { page } = phone
  const says = (text) => page.locator('.link-step', { hasText: text }).waitFor()
  const retry = async () => { await page.getByRole('button', { name: phone.t('again'), exact: true }).click() }
  await paste(page, phone.t('link.paste'), phone.t('link.next'), 'a shopping list')
  await says(phone.t('link.malformed'))
  await phone.shot('link-malformed')
  await retry()

  const old = await giving()
  const first = await copied(old.page, amina.t('link.copy'))
  await paste(page, phone.t('link.paste'), phone.t('link.next'), first)
  await digits(page)
  await old.button('link.differ').click()
  await old.page.locator('.link-step', { hasText: amina.t('link.differing') }).waitFor()
  await old.shot('link-differing')
  await says(phone.t('link.differing'))
  await retry()
  await paste(page, phone.t('link.paste'), phone.t('link.next'), first) // used already
  await says(phone.t('link.differing'))
  await retry()

  await old.page.getByRole('button', { name: amina.t('again'), exact: true }).click()
  await old.page.locator('.qr svg').waitFor()
  await paste(page, phone.t('link.paste'), phone.t('link.next'), await copied(old.page, amina.t('link.copy')))
  await digits(page)
  await old.button('cancel').click()
  await says(phone.t('link.cancelled'))
  await retry()

  // A page that is closed counts as cancelled, too.
  const gone = await giving()
  await page.goto(await copied(gone.page, amina.t('link.copy'))) // as the camera app of a phone opens it
  await digits(page)
  await gone.page.close({ runBeforeUnload: true })
  await says(phone.t('link.cancelled'))
  await retry()

  // Nothing was given: the first screen is still there after a reload, and the account has no device more.
  await page.goto(`${phone.origin}/`)
  await phone.button('ob.linkThis').waitFor()
  phone.clean()
  await phone.end()
  await old.page.close()
})

test('a device that signed in with the password gets the history by a link, and keeps its own way in', async () => {
  const reader = await Person.make(town.chromium, 'reader', { lang: 'en', size: [1280, 800] })
  Object.assign(reader, { origin: amina.origin, jid: amina.jid })
  const { page } = reader
  await page.goto(`${reader.origin}/signin`)
  await page.getByLabel(reader.t('ob.address'), { exact: true }).fill(amina.jid)
  await page.locator('input[autocomplete=current-password]').fill(amina.password)
  await reader.button('ob.signIn').click()
  await page.getByLabel(reader.t('ob.recCode'), { exact: true }).waitFor()
  await reader.button('ob.linkThis').click()
  const old = await giving()
  await paste(page, reader.t('link.paste'), reader.t('link.next'), await copied(old.page, amina.t('link.copy')))
  assert.equal(await digits(page), await digits(old.page))
  await old.button('link.same').click()
  await reader.button('link.same').click()
  await reader.button('link.open').click()
  await page.locator('.row').first().waitFor()
  await goesOn(reader, 'read')
  reader.clean()
  await reader.end()
  await old.page.close()
})

test('without the server it says so, and goes on when it is back', async () => {
  const desk = await another('desk')
  const old = await giving()
  const code = await copied(old.page, amina.t('link.copy'))
  await desk.context.setOffline(true)
  await desk.page.getByText(desk.t('link.noNet')).waitFor()
  await paste(desk.page, desk.t('link.paste'), desk.t('link.next'), code)
  await desk.context.setOffline(false)
  assert.equal(await digits(desk.page), await digits(old.page))
  await desk.button('link.same').click()
  await old.button('link.same').click()
  await desk.button('link.open').click()
  await desk.page.locator('.row').first().waitFor()
  await goesOn(desk, 'after')
  desk.clean()
  await desk.end()
  await old.page.close()
})
