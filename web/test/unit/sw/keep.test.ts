// The decoder of codes is kept for a start without network exactly where the browser has none of its own.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keep, keepLanguage, keepPaying, type Build } from '../../../src/sw/keep.ts'

const build: Build = { version: '1', files: ['index.html', 'assets/app.js'], locales: { en: ['assets/en.js'] }, lacking: { BarcodeDetector: ['assets/decode.js'] }, reading: ['assets/keys.js'], paying: { files: ['assets/pay.js'], locales: { en: ['assets/pay-en.js'], fr: ['assets/pay-fr.js'] } } }
const decoder = '/assets/decode.js'

/** Caches of the browser, as far as they are used. */
class Boxes {
  readonly boxes = new Map<string, Map<string, string>>()
  open(name: string) {
    const box = this.boxes.get(name) ?? new Map<string, string>()
    this.boxes.set(name, box)
    return Promise.resolve({
      match: (url: string) => Promise.resolve(box.has(url) ? new Response(box.get(url)) : undefined),
      put: async (url: string, response: Response) => { box.set(url, await response.text()) },
    })
  }
  match(): Promise<undefined> { return Promise.resolve(undefined) }
}

let boxes: Boxes
beforeEach(() => {
  boxes = new Boxes()
  vi.stubGlobal('caches', boxes)
  vi.stubGlobal('fetch', (url: string) => Promise.resolve(new Response(url)))
})
afterEach(() => { vi.unstubAllGlobals() })

async function kept(): Promise<string[]> {
  await keep(build)
  return [...boxes.boxes.get('palabre-1')?.keys() ?? []].sort()
}

test('a browser that reads codes need not keep the decoder', async () => {
  vi.stubGlobal('BarcodeDetector', { getSupportedFormats: () => Promise.resolve(['ean_13', 'qr_code']) })
  expect(await kept()).toEqual(['/', '/assets/app.js', '/assets/keys.js'])
})

test.each([
  ['there is none', undefined],
  ['it is there in name only', { getSupportedFormats: () => Promise.resolve([]) }],
  ['it knows other codes only', { getSupportedFormats: () => Promise.resolve(['ean_13']) }],
  ['it fails when it is asked', { getSupportedFormats: () => Promise.reject(new Error('service')) }],
])('%s: the decoder is kept', async (_, detector) => {
  if (detector) vi.stubGlobal('BarcodeDetector', detector)
  expect(await kept()).toContain(decoder)
})

test('where somebody pays, what that needs is kept, in their language, also with the next version', async () => {
  vi.stubGlobal('BarcodeDetector', { getSupportedFormats: () => Promise.resolve(['qr_code']) })
  expect(await kept()).not.toContain('/assets/pay.js')
  await keepPaying(build)
  expect([...boxes.boxes.get('palabre-1')?.keys() ?? []]).toEqual(expect.arrayContaining(['/assets/pay.js', '/assets/pay-en.js']))
  await keepLanguage({ ...build, locales: { fr: [] } }, 'fr')
  expect([...boxes.boxes.get('palabre-1')?.keys() ?? []]).toContain('/assets/pay-fr.js')
  await keep({ ...build, version: '2' })
  expect([...boxes.boxes.get('palabre-2')?.keys() ?? []]).toEqual(expect.arrayContaining(['/assets/pay.js', '/assets/pay-fr.js']))
})
