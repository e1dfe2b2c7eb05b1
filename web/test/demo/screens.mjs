// The screens that are looked at: where, how wide, in which theme and language, and what is done before the picture.
import { groups } from './group-screens.mjs'
import { pages } from './pages.mjs'

const chat = (jid) => `/chat/${encodeURIComponent(jid)}`
const shop = chat('atlas@boutique.example'), family = chat('famille@rooms.palabre.example'), aicha = chat('aicha@palabre.example')
const phone = [390, 844], tablet = [820, 1180], desk = [1440, 900], narrow = [320, 640]

const menu = async (page) => { await page.locator('.it .m').last().click({ button: 'right', position: { x: 30, y: 12 } }); await page.waitForSelector('.menu') }
const rowMenu = async (page) => { await page.locator('.row').nth(1).click({ button: 'right' }); await page.waitForSelector('.menu') }
const press = (selector) => async (page) => { await page.locator(selector).first().click() }
const top = async (page) => { await page.locator('.log').evaluate((e) => { e.scrollTop = 0 }) }

const linkWritten = async (page) => { await page.locator('.comp textarea').fill('Regarde : https://atlas.example/oasis'); await page.locator('.card-ask').waitFor() }
const carded = (answer) => async (page) => { await linkWritten(page); await page.locator('.card-ask button').nth(answer).click(); await page.locator('.card-of b').waitFor() }

export const screens = [
  { name: 'list-phone', path: '/' },
  { name: 'list-phone-2x', path: '/', scale: 2 },
  { name: 'list-phone-dark', path: '/?net=offline', dark: true },
  { name: 'list-phone-ar', path: '/', lang: 'ar' },
  { name: 'list-phone-hi', path: '/', lang: 'hi', dark: true },
  { name: 'list-phone-zoom', path: '/', zoom: 2 },
  { name: 'list-narrow', path: '/?net=offline', size: narrow },
  { name: 'list-empty', path: '/?empty' },
  { name: 'list-menu', path: '/', act: rowMenu },
  { name: 'list-pick', path: '/', act: async (page) => { await rowMenu(page); await page.getByRole('menuitem').nth(5).click() } },
  { name: 'list-mute', path: '/', act: async (page) => { await rowMenu(page); await page.getByRole('menuitem').nth(2).click() } },
  { name: 'list-tablet', path: '/', size: tablet },
  { name: 'list-tablet-ar', path: '/', size: tablet, lang: 'ar' },
  { name: 'chat-phone', path: shop },
  { name: 'chat-phone-2x', path: shop, scale: 2 },
  { name: 'chat-phone-dark', path: `${shop}?net=offline`, dark: true },
  { name: 'chat-phone-ar', path: aicha, lang: 'ar' },
  { name: 'chat-phone-hi', path: family, lang: 'hi' },
  { name: 'chat-phone-zoom', path: shop, zoom: 2 },
  { name: 'chat-narrow', path: family, size: narrow },
  { name: 'chat-group', path: family },
  { name: 'chat-group-top', path: family, act: top },
  { name: 'chat-group-dark', path: family, dark: true },
  { name: 'chat-person', path: aicha, act: top },
  { name: 'chat-failed', path: chat('youssef@palabre.example') },
  { name: 'chat-open', path: chat('priya@palabre.example') },
  { name: 'chat-photo', path: chat('joao@palabre.example'), act: async (page) => { await page.locator('.pic .cover').click(); await page.waitForTimeout(1800) } },
  { name: 'chat-menu', path: family, act: menu },
  { name: 'chat-menu-dark', path: shop, dark: true, act: menu },
  { name: 'chat-emoji', path: shop, act: async (page) => { await page.locator('.comp .box .ib').first().click(); await page.waitForSelector('.emoji .grid') } },
  { name: 'chat-emoji-found', path: shop, act: async (page) => { await page.locator('.comp .box .ib').first().click(); await page.waitForSelector('.emoji .grid'); await page.locator('.emoji input').fill('coeur') } },
  { name: 'chat-attach', path: shop, act: press('.comp .box .ib:nth-of-type(2)') },
  { name: 'chat-reply', path: family, act: async (page) => { await menu(page); await page.getByRole('menuitem').nth(1).click(); await page.locator('.comp textarea').fill('Oui, on partage. @') } },
  { name: 'chat-card-ask', path: aicha, act: linkWritten },
  { name: 'chat-card-ask-ar', path: aicha, lang: 'ar', dark: true, act: linkWritten },
  { name: 'chat-card-ask-narrow', path: aicha, size: narrow, zoom: 2, act: linkWritten },
  { name: 'chat-card', path: aicha, act: carded(1) },
  { name: 'chat-card-dark', path: aicha, dark: true, lang: 'hi', act: carded(1) },
  { name: 'chat-card-sent', path: aicha, act: async (page) => { await carded(0)(page); await page.locator('.comp .send').click(); await page.locator('.it .link').last().waitFor() } },
  { name: 'chat-card-desk', path: aicha, size: desk, act: carded(0) },
  { name: 'chat-forward', path: family, act: async (page) => { await menu(page); await page.getByRole('menuitem').nth(2).click() } },
  { name: 'chat-delete', path: shop, act: async (page) => { await menu(page); await page.getByRole('menuitem').last().click() } },
  { name: 'chat-select', path: family, act: async (page) => { await menu(page); await page.getByRole('menuitem', { name: 'Sélectionner' }).click(); await page.locator('.it').last().click(); await page.locator('.it').nth(4).click() } },
  { name: 'chat-record', path: shop, act: async (page) => { await page.locator('.send').focus(); await page.keyboard.press('Enter'); await page.waitForTimeout(1500) } },
  { name: 'chat-tablet', path: shop, size: tablet },
  { name: 'chat-desk', path: shop, size: desk },
  { name: 'chat-desk-dark', path: family, size: desk, dark: true },
  { name: 'chat-desk-ar', path: family, size: desk, lang: 'ar' },
  { name: 'chat-long', path: `${chat('long@palabre.example')}?many=10000`, size: desk },
  { name: 'chat-contrast', path: family, prefs: { contrast: 'high' } },
  { name: 'chat-contrast-dark', path: family, prefs: { contrast: 'high' }, dark: true },
  { name: 'list-contrast', path: '/', prefs: { contrast: 'high' } },
  { name: 'chat-lowdata', path: chat('joao@palabre.example'), prefs: { lowData: 'on' } },
  { name: 'chat-poll', path: family, act: async (page) => { await page.locator('.comp .box .ib').nth(1).click(); await page.locator('.attach button').nth(-2).click() } },
  { name: 'chat-event', path: family, act: async (page) => { await page.locator('.comp .box .ib').nth(1).click(); await page.locator('.attach button').last().click(); await page.locator('.ev-form').waitFor() } },
  { name: 'chat-info', path: shop, act: async (page) => { await menu(page); await page.getByRole('menuitem', { name: 'Infos' }).click() } },
  { name: 'chat-locked', path: aicha, act: async (page) => { await page.locator('.gone .more').click() } },
  { name: 'chat-date', path: shop, act: async (page) => { await page.locator('.hd .ib').last().click(); await page.getByRole('menuitem', { name: 'Aller à une date' }).click() } },
  { name: 'new', path: '/new' },
  { name: 'new-code', path: '/new/code' },
  { name: 'new-desk', path: '/new', size: desk },
  { name: 'keys', path: '/', size: desk, act: async (page) => { await page.keyboard.press('?') } },
  // The pictures of the README, made smaller, are docs/pictures.
  { name: 'readme-desk', path: shop, size: [1280, 800], lang: 'en', scale: 1.5 },
  { name: 'readme-chat', path: family, lang: 'ar', dark: true, scale: 2 },
  { name: 'readme-list', path: '/', lang: 'hi', scale: 2 },
  ...groups,
  ...pages,
]
