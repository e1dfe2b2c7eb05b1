// The screens of groups that are looked at; the fields are those of screens.mjs.
const chat = (jid) => `/chat/${encodeURIComponent(jid)}`
const family = chat('famille@rooms.palabre.example'), council = chat('conseil@groups.palabre.example'), slow = chat('voisins@groups.palabre.example')
const desk = [1440, 900], narrow = [320, 640]
const choose = async (page) => { for (const n of [0, 2, 3, 5]) await page.locator('.choice').nth(n).click() }
const name = async (page) => { await choose(page); await page.locator('.bottom .btn').click(); await page.locator('.page input').nth(1).fill('Les amis du lac') }
const made = async (page) => { await page.locator('form .btn.p').click(); await page.locator('.qr').waitFor() }
const menu = async (page) => { await page.locator('.members .act').nth(4).click(); await page.waitForSelector('.menu') }
const item = (n) => async (page) => { await menu(page); await page.getByRole('menuitem').nth(n).click() }
const messageMenu = async (page) => { await page.locator('.it .m').last().click({ button: 'right', position: { x: 30, y: 12 } }); await page.waitForSelector('.menu') }
const kinds = ['', '-dark', '-ar', '-desk', '-narrow']
const looks = { '': {}, '-dark': { dark: true }, '-ar': { lang: 'ar' }, '-desk': { size: desk }, '-narrow': { size: narrow, zoom: 2 } }
const all = (screen) => kinds.map((k) => ({ ...screen, ...looks[k], name: screen.name + k }))

export const groups = [
  ...all({ name: 'g-new', path: '/groups/new', act: choose }),
  ...all({ name: 'g-name', path: '/groups/new', act: name }),
  { name: 'g-made', path: '/groups/new', act: async (page) => { await name(page); await page.locator('form .btn.p').click(); await page.waitForSelector('.comp') } },
  ...all({ name: 'g-chat', path: family, act: async (page) => { await page.locator('.log').evaluate((e) => { e.scrollTop = 0 }) } }),
  { name: 'g-mention', path: family, act: async (page) => { await page.locator('.comp textarea').pressSequentially('Bonjour @'); await page.waitForSelector('.picks') } },
  { name: 'g-news', path: chat('ce2@rooms.palabre.example') },
  { name: 'g-open', path: chat('mairie@groups.palabre.example'), dark: true },
  ...all({ name: 'g-slow', path: slow }),
  { name: 'g-over', path: chat('voyage@groups.palabre.example') },
  ...all({ name: 'g-invited', path: chat('chorale@groups.palabre.example') }),
  { name: 'g-take-menu', path: family, act: messageMenu },
  { name: 'g-take', path: family, act: async (page) => { await messageMenu(page); await page.locator('.menu .bad').first().click(); await page.waitForSelector('.dialog') } },
  ...all({ name: 'g-about', path: `${council}/about` }),
  { name: 'g-about-end', path: `${council}/about`, act: async (page) => { await page.locator('.members').evaluate((e) => e.scrollIntoView()) } },
  { name: 'g-member', path: `${council}/about`, act: menu },
  { name: 'g-member-ar', path: `${council}/about`, act: menu, lang: 'ar', size: desk },
  { name: 'g-hand', path: `${council}/about`, act: item(3) },
  { name: 'g-remove', path: `${council}/about`, act: item(4), dark: true },
  { name: 'g-leave', path: `${council}/about`, act: async (page) => { await page.locator('.act.bad').nth(1).click(); await page.waitForSelector('.dialog') } },
  ...['add', 'edit', 'settings', 'links', 'requests', 'banned', 'owner'].flatMap((page) => all({ name: `g-${page}`, path: `${council}/group/${page}` })),
  { name: 'g-link', path: `${council}/group/links`, act: made }, { name: 'g-link-desk', path: `${council}/group/links`, act: made, size: desk, dark: true },
  ...all({ name: 'g-come', path: '/g#gueliz@groups.palabre.example?join;token=abc' }),
  { name: 'g-come-waits', path: '/g#approval@groups.palabre.example', act: async (page) => { await page.locator('form .btn.p').click(); await page.locator('.come [role=status]').waitFor() } }, { name: 'g-come-open', path: '/g#open@groups.palabre.example', lang: 'ar', dark: true },
  { name: 'g-come-over', path: '/g#over@groups.palabre.example' }, { name: 'g-come-none', path: '/g' },
  { name: 'g-find', path: '/groups/find' },
]
