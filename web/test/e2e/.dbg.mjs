import { browser, Person } from './person.mjs'
import { Server } from './server.mjs'
const chromium = await browser(); const server = await Server.make(); await server.start()
const p = await Person.make(chromium, 'nadia'); p.allowed=[]
p.page.on('console', m => console.log('console', m.type(), m.text().slice(0,300)))
await p.join(server.invite('-admin'))
await p.page.goto(server.origin + '/admin')
await p.page.waitForTimeout(6000)
console.log(await p.page.locator('.pane').allInnerTexts())
await p.page.screenshot({ path: '/tmp/adm-e2e/dbg.png' })
console.log(p.problems, server.lines)
await chromium.close(); await server.end()
