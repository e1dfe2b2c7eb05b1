// Every language says everything, and says it rightly: the same parts and keys as English, the same {names}, every plural category that the
// language has, and no words for people outside the locale files.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../src', import.meta.url))
const folder = join(src, 'i18n')
const languages = ['en', 'fr', 'pt-BR', 'es', 'hi', 'ar', 'it', 'sw']
const problems = []

const parts = ['', ...readdirSync(join(folder, 'en')).filter((f) => f.endsWith('.json')).map((f) => f.slice(0, -5))]
const read = (language, part) => {
  const file = join(folder, part ? `${language}/${part}.json` : `${language}.json`)
  try { return JSON.parse(readFileSync(file, 'utf8')) } catch (error) { problems.push(`${file.slice(src.length)}: ${error.code === 'ENOENT' ? 'is missing' : error.message}`); return undefined }
}
const names = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]))].sort().join(' ')
const texts = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry))
/** What the most general form of an entry needs; a form for one may leave the number out. */
const wanted = (entry) => names(typeof entry === 'string' ? entry : entry.other ?? '')

function compare(language, part, english, local) {
  const where = `${language}${part ? `/${part}` : ''}`
  const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories
  for (const key of Object.keys(english)) {
    const entry = local[key]
    if (entry === undefined) { problems.push(`${where}: ${key} is missing`); continue }
    if ((typeof entry === 'object') !== (typeof english[key] === 'object')) { problems.push(`${where}: ${key} has plurals in one language only`); continue }
    if (typeof entry === 'object') {
      for (const c of categories) if (typeof entry[c] !== 'string') problems.push(`${where}: ${key} has no form for ${c}`)
      for (const c of Object.keys(entry)) if (!categories.includes(c)) problems.push(`${where}: ${key} has a form ${c} that the language has not`)
    }
    if (wanted(entry) !== wanted(english[key])) problems.push(`${where}: ${key} has {${wanted(entry)}} where English has {${wanted(english[key])}}`)
    const allowed = new Set(texts(english[key]).flatMap((text) => names(text).split(' ')))
    for (const text of texts(entry)) {
      if (!text.trim()) problems.push(`${where}: ${key} is empty`)
      if (language === 'fr' && /\S [:;?!»]|« /.test(text)) problems.push(`${where}: ${key} has a space where a line may break`)
      for (const name of names(text).split(' ')) if (name && !allowed.has(name)) problems.push(`${where}: ${key} has {${name}}, which nobody fills in`)
    }
  }
  for (const key of Object.keys(local)) if (!(key in english)) problems.push(`${where}: ${key} is not in English`)
}

const seen = new Map()
for (const part of parts) {
  const english = read('en', part)
  if (!english) continue
  for (const key of Object.keys(english)) {
    if (seen.has(key)) problems.push(`en: ${key} is in ${seen.get(key) || 'the first texts'} and in ${part}`)
    seen.set(key, part)
  }
  for (const language of languages) { const local = read(language, part); if (local) compare(language, part, english, local) }
}

/** Texts and labels that are written into markup, instead of taken from the locale files. */
const literal = [/>\s*([^<>{}\n]*\p{L}{2,}[^<>{}\n]*?)\s*<\//gu, /\b(?:aria-label|placeholder|title|alt|label)="([^"]*\p{L}{2,}[^"]*)"/gu]
const allowed = new Set(['Palabre', 'Shift', 'Enter', 'Esc', 'Alt'])
function scan(path) {
  if (statSync(path).isDirectory()) { for (const name of readdirSync(path)) scan(join(path, name)); return }
  if (!path.endsWith('.tsx')) return
  const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  for (const pattern of literal) for (const [whole, text] of code.matchAll(pattern)) if (!allowed.has(text) && !/=>|\bPromise\b|[;=()]/.test(whole)) problems.push(`${path.slice(src.length)}: “${text}” is written into the markup`)
}
scan(src)

/** Keys that no text uses any more: each must stand somewhere in the sources, whole or as the beginning of one that is put together. */
const sources = []
function gather(path) {
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) gather(join(path, name))
  else if (/\.tsx?$/.test(path)) sources.push(readFileSync(path, 'utf8'))
}
gather(src)
const all = sources.join('\n')
for (const key of seen.keys()) {
  const starts = [...key.matchAll(/[.-]/g)].map((m) => key.slice(0, m.index + 1))
  if (!all.includes(`'${key}'`) && !all.includes(`"${key}"`) && !starts.some((s) => all.includes(`\`${s}\${`)) ) problems.push(`en: ${key} is used nowhere`)
}

for (const problem of problems) console.error(problem)
console.log(problems.length ? `${problems.length} problems with the texts` : `${seen.size} texts in ${languages.length} languages, well`)
process.exitCode = problems.length ? 1 : 0
