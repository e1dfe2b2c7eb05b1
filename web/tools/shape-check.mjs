// The shape of the sources (web/README.md): how long files may be, and what may import what.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src', import.meta.url))
const longest = 600
const problems = []

/** Who may import from where: the first folder of the importer, and what it may reach besides itself. */
const doors = {
  core: [],
  i18n: [],
  ui: ['i18n', 'core/model.ts', 'core/engine.ts'],
  features: ['ui', 'i18n', 'app', 'core/model.ts', 'core/engine.ts', 'core/accounts.ts', 'core/admin.ts', 'core/groups.ts', 'core/communities.ts', 'core/channels.ts', 'core/pay.ts', 'core/qr', 'core/status.ts'],
  app: ['ui', 'i18n', 'core', 'features'],
  sw: ['core', 'i18n', 'app/routes.ts'],
}

function check(file, code) {
  const lines = code.split('\n').length
  if (lines > longest) problems.push(`${file}: ${lines} lines; ${longest} at most`)
  const [area, second] = file.split('/')
  const allowed = doors[area]
  if (!allowed) return
  for (const [, path] of code.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const target = join(file, '..', path)
    const [to, toSecond] = target.split('/')
    if (to === area && (area !== 'features' || toSecond === second)) continue
    if (area === 'features' && to === 'features') { problems.push(`${file}: imports another feature, ${target}`); continue }
    if (!allowed.some((a) => target === a || target.startsWith(`${a}/`))) problems.push(`${file}: may not import ${target}`)
  }
  if (/:\s*any\b|<any>|as any\b/.test(code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))) problems.push(`${file}: any`)
  if (/\.innerHTML|dangerouslySetInnerHTML|style="/.test(code)) problems.push(`${file}: markup or style in a string`)
}

function walk(path) {
  for (const name of readdirSync(path)) {
    const full = join(path, name)
    if (statSync(full).isDirectory()) walk(full)
    else if (/\.tsx?$/.test(name)) check(full.slice(src.length + 1), readFileSync(full, 'utf8'))
    else if (name.endsWith('.css') && /url\(["']?(?:https?:)?\/\//.test(readFileSync(full, 'utf8'))) problems.push(`${full.slice(src.length + 1)}: asks another host`)
  }
}
walk(src)

for (const problem of problems) console.error(problem)
console.log(problems.length ? `${problems.length} problems with the shape` : 'the shape is well')
process.exitCode = problems.length ? 1 : 0
