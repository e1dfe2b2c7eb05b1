// What axe finds on a page, for everybody who looks at one.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { until } from './person.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What is wrong with the screen as it is. */
export async function faults(page) {
  const client = await page.context().newCDPSession(page)
  await client.send('Page.setBypassCSP', { enabled: true })
  const found = await page.evaluate(async (source) => {
    if (!globalThis.axe) (0, eval)(source)
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] })
    const wide = [...document.querySelectorAll('.pane,.sheet,.dialog,.log,.scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `wider than its place: ${e.className}`)
    return [...violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 2).map((n) => `${n.html.slice(0, 140)} ${n.any[0]?.message ?? ''}`).join(' | ')}`), ...wide]
  }, axe)
  await client.detach()
  return found
}

/** A person's screen is taken as a picture, and axe finds nothing on it. */
export async function well(person, what) {
  await person.shot(what)
  await until('what was just said has gone', async () => !await person.page.locator('.toast').count())
  assert.deepEqual(await faults(person.page), [], `${what}, ${person.name}`)
}
