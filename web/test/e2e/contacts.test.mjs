// What is decided about contacts without a connection is kept, is shown as waiting, also after a reload, and leaves by itself.
import { after, before, test } from 'node:test'
import { Person } from './person.mjs'
import { Town } from './town.mjs'

let town, amina, nadia, zaid
const minute = 60_000

before(async () => {
  town = await Town.found({ options: { amina: { size: [1280, 800] } } })
  ;({ amina, nadia } = town)
  zaid = await Person.make(town.chromium, 'zaid', { lang: 'en' })
  await zaid.join(town.server.invite())
})

after(() => town?.end())

const person = (name) => amina.page.locator('.peer', { hasText: name })

test('added and renamed offline: kept over a reload, and done when there is a connection', { timeout: 3 * minute }, async () => {
  await amina.page.goto(`${amina.origin}/contacts`)
  await person('nadia').waitFor()
  await town.bad.tell('stall')
  await amina.button('con.add').first().click()
  await amina.page.getByLabel(amina.t('con.address'), { exact: true }).fill(zaid.jid)
  await amina.button('con.addDo').click()
  await amina.page.locator('.comp textarea').waitFor() // one can write at once
  await amina.page.goto(`${amina.origin}/contacts/${encodeURIComponent(nadia.jid)}`)
  await amina.page.getByRole('button', { name: amina.t('ab.rename'), exact: true }).click()
  await amina.page.getByLabel(amina.t('ab.renameLabel'), { exact: true }).fill('Nadia from the market')
  await amina.button('ab.save').click()
  await amina.page.getByText(amina.t('ab.waits')).first().waitFor()
  await amina.page.close({ runBeforeUnload: false })
  amina.page = await amina.tab()
  await amina.page.goto(`${amina.origin}/contacts`)
  for (const name of ['zaid', 'Nadia from the market']) await person(name).getByText(amina.t('con.waits')).waitFor()
  await amina.shot('contacts-waiting')
  await amina.page.goto(`${amina.origin}/happening`)
  await amina.page.getByText(amina.t('hap.step.add')).waitFor()
  await amina.page.getByText(amina.t('hap.step.rename')).waitFor()
  await amina.shot('happening-waiting')
  await town.bad.tell('reset')
  await town.bad.tell('flow')
  await zaid.page.goto(`${zaid.origin}/contacts`)
  await zaid.page.getByRole('button', { name: zaid.t('con.accept') }).first().click({ timeout: minute })
  await amina.page.goto(`${amina.origin}/contacts`)
  await person('Nadia from the market').waitFor()
  await amina.page.getByText(amina.t('con.waits')).first().waitFor({ state: 'detached', timeout: minute })
  await person('zaid').waitFor()
  await amina.shot('contacts-done')
})

test('the consoles are silent', () => {
  for (const one of [amina, nadia, zaid]) one.clean()
})
