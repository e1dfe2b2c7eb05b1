// What the service worker keeps so that the client starts without network: every file of one version, whole or not at all. The version before
// stays one round longer, because an open page may still ask for its parts (WEB.md §1.2).

/** Files of a build: for everybody, by language, for browsers that lack a thing, for reading what comes as long as this version runs, and
 * for devices on which somebody pays. */
export interface Build { version: string; files: string[]; locales: Record<string, string[]>; lacking: { BarcodeDetector: string[] }; reading: string[]; paying: { files: string[]; locales: Record<string, string[]> } }

interface Detector { getSupportedFormats(): Promise<string[]> }

const prefix = 'palabre-'
const notes = 'palabre:notes'
const languageNote = '/-/language'
const beforeNote = '/-/before'
const payingNote = '/-/paying'

async function note(key: string): Promise<string | undefined> {
  const found = await (await caches.open(notes)).match(key)
  return found?.text()
}

async function write(key: string, value: string): Promise<void> {
  await (await caches.open(notes)).put(key, new Response(value))
}

/** The name under which a version is kept. */
export const nameOf = (build: Build): string => prefix + build.version
const address = (file: string): string => (file === 'index.html' ? '/' : `/${file}`)

/** keep fetches every file of a build that is not here yet. It rejects when one cannot be had: then the version before goes on. */
export async function keep(build: Build): Promise<void> {
  const language = await note(languageNote)
  const cache = await caches.open(nameOf(build))
  const paying = await note(payingNote) ? payingOf(build, language) : []
  const wanted = [...build.files, ...paying, ...build.reading, ...(language ? build.locales[language] ?? [] : []), ...(await readsCodes() ? [] : build.lacking.BarcodeDetector)].map(address)
  await Promise.all(wanted.map((url) => bring(cache, url)))
}

/** What payments need, in one language. */
const payingOf = ({ paying }: Build, language = 'en'): string[] => [...paying.files, ...paying.locales[language] ?? []]

/** keepPaying adds what payments need, now and for the versions to come: on this device somebody pays, and may have to without network. */
export async function keepPaying(build: Build): Promise<void> {
  await write(payingNote, 'yes')
  await bringMissing(build, payingOf(build, await languageHere()))
}

async function bringMissing(build: Build, files: string[]): Promise<void> {
  const cache = await caches.open(nameOf(build))
  await Promise.all(files.map(async (file) => { if (!await cache.match(address(file))) await bring(cache, address(file)) }))
}

/** Whether the browser reads codes by itself, asked as ui/Scan.tsx asks it; where workers are not told, the decoder of our own is kept. */
async function readsCodes(): Promise<boolean> {
  const { BarcodeDetector: own } = globalThis as { BarcodeDetector?: Detector }
  return await own?.getSupportedFormats().then((all) => all.includes('qr_code'), () => false) ?? false
}

/** Files whose name carries the hash of their content are taken from the version before where they are in it. */
async function bring(cache: Cache, url: string): Promise<void> {
  const known = url.startsWith('/assets/') ? await caches.match(url) : undefined
  const response = known ?? await fetch(url, { cache: 'no-cache', credentials: 'same-origin' })
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  await cache.put(url, response)
}

/** keepLanguage adds the texts of a language, now and for the versions to come. */
export async function keepLanguage(build: Build, language: string): Promise<void> {
  const files = build.locales[language]
  if (!files) return
  await write(languageNote, language)
  await bringMissing(build, [...files, ...(await note(payingNote) ? payingOf(build, language) : [])])
}

/** languageHere is the language of the person, as the page told last. */
export async function languageHere(): Promise<string> {
  return await note(languageNote) ?? 'en'
}

/** tidy deletes all versions but this one and the one before. */
export async function tidy(build: Build): Promise<void> {
  const mine = nameOf(build)
  const before = await note(beforeNote)
  for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== mine && name !== before) await caches.delete(name)
  await write(beforeNote, mine)
}

/** answer gives a kept file, from this version first; undefined when it is not kept. */
export async function answer(build: Build, url: string): Promise<Response | undefined> {
  return await (await caches.open(nameOf(build))).match(url) ?? await caches.match(url)
}
