// The pages beside the conversations that are looked at; the fields are those of screens.mjs.
const chat = (jid) => `/chat/${encodeURIComponent(jid)}`
const family = chat('famille@rooms.palabre.example'), aicha = chat('aicha@palabre.example')
const tablet = [820, 1180], desk = [1440, 900], narrow = [320, 640]
const click = (selector, nth = 0) => async (page) => { await page.locator(selector).nth(nth).click() }
const scroll = async (page) => { await page.locator('.scroll').last().evaluate((e) => { e.scrollTop = e.scrollHeight }) }
const named = async (page) => { await page.locator('form input').first().fill('nadia'); await page.waitForSelector('.state-line.ok'); await page.locator('form .btn.p').click() }

const edit = (how) => async (page) => {
  const made = await page.evaluate(async () => { const c = document.createElement('canvas'); c.width = 1200; c.height = 900; const g = c.getContext('2d'); g.fillStyle = '#2c7f95'; g.fillRect(0, 0, 1200, 900); g.fillStyle = '#e8d3a2'; g.fillRect(0, 600, 1200, 300); return c.toDataURL('image/png').split(',')[1] })
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), (async () => { await page.locator('.comp .box .ib').nth(1).click(); await page.locator('.attach button').first().click() })()])
  await chooser.setFiles({ name: 'plage.png', mimeType: 'image/png', buffer: Buffer.from(made, 'base64') })
  await page.locator('.preview .do .ib').first().click()
  await page.waitForSelector('.editor canvas')
  await page.locator('.editor header .ib').nth(how === 'draw' ? 4 : 3).click()
  if (how === 'draw') { await page.mouse.move(100, 400); await page.mouse.down(); for (let i = 0; i < 20; i++) await page.mouse.move(100 + i * 9, 400 + 40 * Math.sin(i / 2)); await page.mouse.up() }
}

export const pages = [
  { name: 'p-welcome', path: '/welcome' }, { name: 'p-welcome-ar', path: '/welcome', lang: 'ar', dark: true }, { name: 'p-welcome-desk', path: '/welcome', size: desk },
  { name: 'p-join', path: '/join/abcdefgh12' }, { name: 'p-join-used', path: '/join/used567890' }, { name: 'p-join-narrow', path: '/join/abcdefgh12', size: narrow, zoom: 1.6 },
  { name: 'p-join-taken', path: '/join/abcdefgh12', act: async (page) => { await page.locator('form input').first().fill('amina'); await page.waitForSelector('.gate .chip') } },
  { name: 'p-join-pass', path: '/join/abcdefgh12', act: named }, { name: 'p-join-pass-hi', path: '/join/abcdefgh12', lang: 'hi', dark: true, act: named },
  { name: 'p-me', path: '/welcome?step=me' }, { name: 'p-recovery', path: '/welcome?step=recovery', dark: true }, { name: 'p-history', path: '/welcome?step=history' }, { name: 'p-install', path: '/welcome?step=install' },
  { name: 'p-signin', path: '/signin' }, { name: 'p-signin-wrong', path: '/signin', dark: true, act: async (page) => { await page.locator('input').first().fill('nadia'); await page.locator('input').nth(1).fill('wrong'); await page.locator('form .btn.p').click(); await page.waitForSelector('.net.bad') } },
  { name: 'p-link', path: '/link' }, { name: 'p-link-show', path: '/link', act: async (page) => { await page.locator('.page .btn.t').click(); await page.locator('form input').fill('nadia'); await page.locator('form .btn.p').click(); await page.waitForSelector('.qr') } }, { name: 'p-invitation', path: '/welcome?step=invitation', act: async (page) => { await page.locator('input').fill('x'); await page.locator('form .btn.p').click() } },
  { name: 'p-scan', path: '/link', act: async (page) => { await click('.btn.p')(page); await page.waitForTimeout(900) } },
  { name: 'p-settings', path: '/settings' }, { name: 'p-settings-ar', path: '/settings', lang: 'ar' }, { name: 'p-settings-desk', path: '/settings/profile', size: desk },
  ...['profile', 'privacy', 'notify', 'chats', 'data', 'language', 'account', 'keys', 'help', 'about'].map((p, i) => ({ name: `p-set-${p}`, path: `/settings/${p}`, dark: i % 3 === 1 })),
  { name: 'p-set-data-ar', path: '/settings/data', lang: 'ar', dark: true }, { name: 'p-set-chats-narrow', path: '/settings/chats', size: narrow, zoom: 2 }, { name: 'p-set-account-pass', path: '/settings/account', act: click('.card .btn') },
  { name: 'p-set-account-delete', path: '/settings/account', act: async (page) => { await page.locator('.card .btn.d').click() } },
  { name: 'p-devices', path: '/devices' }, { name: 'p-devices-dark', path: '/devices', dark: true, lang: 'hi' }, { name: 'p-devices-link', path: '/devices/link' }, { name: 'p-devices-link-desk', path: '/devices/link', size: desk, dark: true }, { name: 'p-link-compare', path: '/devices/link?step=comparing' }, { name: 'p-link-compare-ar', path: '/devices/link?step=comparing', lang: 'ar', dark: true, size: narrow }, { name: 'p-link-agreed', path: '/devices/link?step=agreed', lang: 'hi' }, { name: 'p-link-done', path: '/devices/link?step=done', size: tablet }, { name: 'p-link-failed', path: '/devices/link?step=contested' }, { name: 'p-devices-narrow', path: '/devices', size: narrow, zoom: 1.6 },
  { name: 'p-contacts', path: '/contacts' }, { name: 'p-contacts-ar', path: '/contacts', lang: 'ar', dark: true }, { name: 'p-contacts-add', path: '/contacts', act: click('.top .ib') }, { name: 'p-contacts-invite', path: '/contacts', act: click('button.act') },
  { name: 'p-contacts-desk', path: '/contacts/aicha%40palabre.example', size: desk }, { name: 'p-about', path: '/contacts/aicha%40palabre.example' }, { name: 'p-about-dark', path: '/contacts/aicha%40palabre.example', dark: true, act: scroll },
  { name: 'p-about-detail', path: `${aicha}/about`, size: desk }, { name: 'p-about-block', path: '/contacts/aicha%40palabre.example', act: async (page) => { await page.locator('.act.bad').last().click(); await page.locator('.radios input').nth(1).check() } },
  { name: 'p-about-expires', path: '/contacts/aicha%40palabre.example', act: async (page) => { await page.locator('.card.flat').nth(1).locator('button.act').click() } },
  { name: 'p-security', path: `${aicha}/security` }, { name: 'p-security-ar', path: `${aicha}/security`, lang: 'ar', dark: true }, { name: 'p-security-desk', path: `${aicha}/security`, size: desk }, { name: 'p-security-end', path: `${aicha}/security`, act: scroll },
  { name: 'p-search', path: '/search?q=demain' }, { name: 'p-search-desk', path: '/search?q=on', size: desk, dark: true }, { name: 'p-search-none', path: '/search?q=xyzzy' }, { name: 'p-search-empty', path: '/search', lang: 'ar' },
  { name: 'p-media', path: `${family}/media` }, { name: 'p-media-files', path: `${family}/media`, act: click('.chip', 2) }, { name: 'p-media-desk', path: `${family}/media`, size: desk, dark: true },
  { name: 'p-viewer', path: `${family}/media`, act: async (page) => { await click('.square')(page); await click('.not-here .btn')(page); await page.waitForTimeout(1800) } },
  { name: 'p-happening', path: '/happening' }, { name: 'p-happening-off', path: '/happening?net=offline', dark: true }, { name: 'p-happening-ar', path: '/happening?net=offline', lang: 'ar' }, { name: 'p-happening-desk', path: '/happening?net=offline', size: desk }, { name: 'p-happening-narrow', path: '/happening', size: narrow, zoom: 2 },
  { name: 'p-editor', path: family, act: edit('draw') }, { name: 'p-editor-crop', path: family, lang: 'ar', act: edit('crop') },
  { name: 'p-camera', path: family, size: desk, act: async (page) => { await page.locator('.comp .box .ib').nth(1).click(); await page.locator('.attach button').nth(1).click(); await page.waitForTimeout(1500) } },
  { name: 'p-tablet', path: '/settings/notify', size: tablet },
]
