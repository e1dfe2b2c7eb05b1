// Paying, as a person does it with the client: for the tests of payments.
import { until } from './person.mjs'

/** What everybody confirms with, unless a test says otherwise. */
export const pin = '428519'

/** Gives a person devices without passkeys, so that they choose a PIN. Before the page loads. */
export const withoutPasskeys = (who) => who.context.addInitScript(() => { delete globalThis.PublicKeyCredential })

/** Gives the device of a page a sensor that knows the finger, until the function that it gives says otherwise. It lasts until axe looks at the page, which takes it away. */
export async function finger(page) {
  const device = await page.context().newCDPSession(page)
  await device.send('WebAuthn.enable')
  const { authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
  return (isUserVerified) => device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
}

/** Opens a page of a person's server. */
export const go = (who, path) => who.page.goto(`${who.origin}${path}`)

/** The bubble of a payment in the open chat. */
export const card = (who, what) => who.page.locator('.pay-card', { hasText: what })

/** The same once it is done. */
export const done = (who, what) => who.page.locator('.pay-card[data-pay=done]', { hasText: what })

/** The bubble in which somebody asks for money. */
export const request = (who, what) => who.page.locator('.mon:not(.pay-card)', { hasText: what })

/** Types how much and what for, on the page that pays somebody, and goes on to the sheet. */
export async function types(who, amount, what) {
  await who.page.locator('.amount.big input').fill(amount)
  await who.page.getByLabel(who.t('pay.for'), { exact: true }).fill(what)
  await who.button('pay.next').click()
}

/** Makes the key of this device in the open sheet, which asks for a PIN. */
export async function makeKey(who, { code = pin, look } = {}) {
  const sheet = who.page.locator('.sheet')
  await sheet.getByLabel(who.t('pc.pinNew'), { exact: true }).fill(code)
  await sheet.getByLabel(who.t('pc.pinAgain'), { exact: true }).fill(code)
  await look?.(who, 'pay-key')
  await sheet.getByRole('button', { name: who.t('pc.makeKeyDo') }).click()
}

/** Confirms what the open sheet asks, and makes the key of the device the first time. `look` sees each step. What the sheet says against it is thrown. */
export async function confirm(who, { code = pin, look } = {}) {
  const sheet = who.page.locator('.sheet')
  const fresh = sheet.getByLabel(who.t('pc.pinNew'), { exact: true })
  const known = sheet.getByLabel(who.t('pc.pin'), { exact: true })
  await fresh.or(known).first().waitFor()
  if (await fresh.count()) await makeKey(who, { code, look })
  await known.fill(code)
  await look?.(who, 'pay-sheet')
  await sheet.locator('.btn.p').click()
  await closed(who)
}

/** Waits until the sheet has gone. */
export async function closed(who) {
  const sheet = who.page.locator('.sheet')
  await until(`${who.name}'s sheet has gone`, async () => {
    const wrong = sheet.locator('.wrong')
    if (await wrong.count()) throw new Error(`${who.name}: ${await wrong.first().textContent()}`)
    return !await sheet.count()
  })
}

/** What the server's book says is in each wallet, by name. */
export const wallets = (server) => Object.fromEntries(server.run('ledger', 'list', '-config', server.config).split('\n').flatMap((line) => {
  const [, amount, name] = /^\s*(\S+) .*\bwallet\/\w+\/(\w+)@localhost$/.exec(line) ?? []
  return name ? [[name, amount]] : []
}))
