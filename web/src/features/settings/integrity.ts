// Whether what runs here is what the server says. The server tells the digest of every file (docs: `palabre integrity`); compared are the files
// that this browser keeps for a start without network, and those that this page runs. index.html is left out: the server writes the language in.

interface Told { sum: string; files: { path: string; sha256: string }[] }

/** What comparing gave. */
export interface Compared { sum: string; compared: number; differing: string[] }

const maxFiles = 2000

function isTold(value: unknown): value is Told {
  const told = value as Partial<Told> | null
  return !!told && typeof told.sum === 'string' && Array.isArray(told.files) && told.files.length <= maxFiles && told.files.every((f) => typeof f.path === 'string' && typeof f.sha256 === 'string')
}

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, '0')).join('')
const digest = async (bytes: BufferSource): Promise<string> => hex(await crypto.subtle.digest('SHA-256', bytes))

/** The paths of our own files that this page has loaded. */
function running(): Set<string> {
  const own = performance.getEntriesByType('resource').map((e) => new URL(e.name, location.origin)).filter((u) => u.origin === location.origin && u.pathname.startsWith('/assets/'))
  return new Set(own.map((u) => u.pathname.slice(1)))
}

async function bytesHere(path: string, runs: boolean): Promise<ArrayBuffer | undefined> {
  const kept = await globalThis.caches?.match(`/${path}`)
  if (kept) return kept.arrayBuffer()
  if (!runs) return undefined
  const loaded = await fetch(`/${path}`, { cache: 'force-cache', credentials: 'omit' })
  return loaded.ok ? loaded.arrayBuffer() : undefined
}

/** compareFiles asks the server and compares; undefined when it tells nothing or cannot be reached. */
export async function compareFiles(): Promise<Compared | undefined> {
  const answer = await fetch('/integrity.json', { cache: 'no-store', credentials: 'omit' }).catch(() => undefined)
  const told: unknown = answer?.ok ? await answer.json().catch(() => undefined) : undefined
  if (!isTold(told) || !told.files.length) return undefined
  const runs = running()
  const differing: string[] = []
  let compared = 0
  for (const { path, sha256 } of told.files) {
    if (path === 'index.html') continue
    const bytes = await bytesHere(path, runs.has(path)).catch(() => undefined)
    runs.delete(path)
    if (!bytes) continue
    compared++
    if (await digest(bytes) !== sha256) differing.push(path)
  }
  differing.push(...runs) // what runs and the server does not know
  const lines = told.files.map((f) => `${f.sha256}  ${f.path}\n`).join('')
  if (await digest(new TextEncoder().encode(lines)) !== told.sum) differing.push('integrity.json')
  return { sum: told.sum, compared, differing }
}
