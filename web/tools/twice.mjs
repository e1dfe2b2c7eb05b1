// Builds the client twice and compares every file: only when the same sources always give the same bytes do the hashes that `palabre integrity` prints
// prove something. The second build has another folder, language and time zone.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const builder = fileURLToPath(new URL('build.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'palabre-twice-'))

/** The hash of every file that a build makes, by name. */
function hashes(out, env) {
  execFileSync(process.execPath, [builder], { env: { ...process.env, ...env, OUT: out }, stdio: ['ignore', 'ignore', 'inherit'] })
  return new Map(readdirSync(out, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => join(f.parentPath, f.name))
    .map((path) => [relative(out, path), createHash('sha256').update(readFileSync(path)).digest('hex')]))
}

try {
  const first = hashes(join(folder, 'one'), {})
  const second = hashes(join(folder, 'another/place'), { TZ: 'Pacific/Auckland', LANG: 'ar_MA.UTF-8', LC_ALL: 'ar_MA.UTF-8' })
  const differing = [...new Set([...first.keys(), ...second.keys()])].filter((name) => first.get(name) !== second.get(name)).sort()
  for (const name of differing) console.error(`two builds differ: ${name}`)
  if (differing.length || first.size < 10) process.exitCode = 1
  else console.log(`two builds gave the same ${first.size} files`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
