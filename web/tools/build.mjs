// Builds dist/: the client, and then the service worker, which is one file at a fixed address and knows every other by name.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const configFile = process.env.CONFIG ?? `${root}/vite.config.mjs`
const dist = resolve(process.env.OUT ?? 'dist')
await build({ configFile, logLevel: 'warn', ...(process.env.OUT ? { build: { outDir: process.env.OUT, emptyOutDir: true } } : {}) })

/** The files that come from public/ as they are; their content counts in the version, because their names say nothing. */
const plain = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  .map((f) => relative(dist, join(f.parentPath ?? f.path, f.name))).filter((f) => !f.startsWith('assets/') && !/^\.keep|\.json$|^sw\.js$/.test(f)).sort()
const list = JSON.parse(readFileSync(`${dist}/files.json`, 'utf8'))
const pages = new Set([...list.files, ...plain.filter((f) => f === 'index.html' || f === 'wallpaper.svg' || f === 'icons/palabre.svg')])
const hash = createHash('sha256').update(list.version)
for (const name of plain) hash.update(name).update(readFileSync(join(dist, name)))
const known = { version: hash.digest('hex').slice(0, 16), files: [...pages].sort(), locales: list.locales, lacking: list.lacking, reading: list.reading, paying: list.paying }
writeFileSync(`${dist}/files.json`, `${JSON.stringify(known, null, 1)}\n`)

const worker = `${root}/src/sw/sw.ts`
if (existsSync(worker)) {
  await build({
    configFile: false, logLevel: 'warn', publicDir: false, define: { __BUILD__: JSON.stringify(known) },
    build: {
      target: 'es2022', outDir: dist, emptyOutDir: false, sourcemap: false, reportCompressedSize: false, modulePreload: false,
      rolldownOptions: { input: worker, output: { entryFileNames: 'sw.js', format: 'iife' } },
    },
  })
}
