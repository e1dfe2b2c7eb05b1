// The sizes of the build against the budgets (WEB.md §4), in bytes after gzip: what the first visit loads in one language, each part that is
// loaded later, and all that is kept for a start without network, which must be complete. Fails on a breach.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url))
const budget = { first: 70_000, engine: 60_000, part: 35_000, locale: 6_000, all: 300_000, lacking: 15_000, reading: 12_000, paying: 103_000 }
/** Parts with a limit of their own, and why: Mediabunny reads and writes MP4, MOV and WebM; it is loaded with the first video that somebody sends, which
 * it makes smaller by many times its own size, and is not kept for a start without network. */
const own = { 'assets/video-worker-': 115_000 }
const gz = (name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length
const list = JSON.parse(readFileSync(join(dist, 'files.json'), 'utf8'))
const locales = JSON.parse(readFileSync(join(dist, 'locales.json'), 'utf8'))
const html = readFileSync(join(dist, 'index.html'), 'utf8')
const links = [...html.matchAll(/<(?:script|link)\b[^>]*(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"[^>]*>/g)]
/** What the first screen waits for; what is asked for with low priority (the engine) comes behind it. */
const asked = links.filter(([tag]) => !tag.includes('fetchpriority="low"')).map((m) => m[1])
const behind = links.filter(([tag]) => tag.includes('fetchpriority="low"')).map((m) => m[1])
const rows = []
let bad = 0

function row(name, bytes, limit) {
  const over = bytes > limit
  if (over) bad++
  rows.push(`${over ? 'OVER' : '  ok'}  ${(bytes / 1000).toFixed(1).padStart(6)} / ${(limit / 1000).toFixed(0).padStart(3)} KB  ${name}`)
}

const common = ['index.html', ...asked].reduce((sum, name) => sum + gz(name), 0)
for (const [language, file] of Object.entries(locales)) {
  row(`first visit, ${language}`, common + gz(file), budget.first)
  row(`first texts, ${language}`, gz(file), budget.locale)
}
row('the engine, behind the first screen', behind.reduce((sum, name) => sum + gz(name), 0), budget.engine)
const later = readdirSync(join(dist, 'assets')).map((n) => `assets/${n}`).filter((n) => statSync(join(dist, n)).isFile() && !asked.includes(n) && !behind.includes(n) && !Object.values(locales).includes(n))
for (const name of later.sort((a, b) => gz(b) - gz(a)).slice(0, 12)) row(name, gz(name), own[Object.keys(own).find((start) => name.startsWith(start))] ?? budget.part)
for (const [what, files] of Object.entries(list.lacking)) row(`kept besides, only where the browser has no ${what}`, files.reduce((sum, name) => sum + gz(name), 0), budget.lacking)
row('kept besides, to read what comes until the next version', list.reading.reduce((sum, name) => sum + gz(name), 0), budget.reading)
for (const [language, files] of Object.entries(list.paying.locales)) row(`kept besides, only where somebody pays, ${language}`, [...list.paying.files, ...files].reduce((sum, name) => sum + gz(name), 0), budget.paying)
for (const [language, files] of Object.entries(list.locales)) row(`everything kept, ${language}`, [...list.files, ...files].reduce((sum, name) => sum + gz(name), 0), budget.all)

/** What a file begins with, by its own text; what it loads later begins with a bracket. */
const begins = (name) => name.endsWith('.js') ? [...readFileSync(join(dist, name), 'utf8').matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g)].map(([, other]) => `assets/${other}`) : []
/** No file is kept without all that it begins with. */
const complete = (what, files, also = []) => {
  for (const name of files) for (const other of begins(name)) if (!files.includes(other) && !also.includes(other)) { bad++; rows.push(`LACKS ${other}, with which ${name} begins (${what})`) }
}
complete('everything kept', list.files)
complete('who pays', list.paying.files, list.files)
complete('to read what comes', list.reading, list.files)
for (const [what, files] of Object.entries(list.lacking)) complete(what, files, list.files)

console.log(rows.join('\n'))
process.exitCode = bad ? 1 : 0
