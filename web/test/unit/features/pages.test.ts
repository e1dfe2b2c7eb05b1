// The parts of the pages that know no DOM: what is typed, scanned, searched and compared.
import { describe, expect, it, vi } from 'vitest'
import type { Accounts } from '../../../src/core/accounts.ts'
import { suggest, tidy, wellFormed } from '../../../src/features/onboarding/names.ts'
import { makePassword, shortest } from '../../../src/features/onboarding/password.ts'
import { within } from '../../../src/features/media/canvas.ts'
import { excerpt } from '../../../src/features/search/excerpt.ts'
import { compareFiles } from '../../../src/features/settings/integrity.ts'
import { addressIn } from '../../../src/ui/address.ts'

const text = (parts: { text: string; marked: boolean }[]): string => parts.map((p) => (p.marked ? `[${p.text}]` : p.text)).join('')

describe('names', () => {
  it('are made of what was typed', () => {
    expect(tidy('  Nadia  Ouazzani ')).toBe('nadia.ouazzani')
    for (const good of ['nadia', 'a', 'नादिया'.slice(0, 1), 'n.o-2', '나']) expect(wellFormed(good), good).toBe(true)
    for (const bad of ['', '.a', 'a.', 'a@b', 'a b', 'a/b', '<a>', 'x'.repeat(65)]) expect(wellFormed(bad), bad).toBe(false)
  })
  it('are suggested only when they are free', async () => {
    const asked: string[] = []
    const accounts = { free: async (_: string, name: string) => { asked.push(name); return asked.length % 2 ? 'free' : 'taken' } } as unknown as Accounts
    const found = await suggest(accounts, 'token', 'amina7')
    expect(found.length).toBe(2)
    for (const name of found) { expect(name.startsWith('amina')).toBe(true); expect(wellFormed(name)).toBe(true); expect(name).not.toBe('amina7') }
  })
})

describe('passwords', () => {
  it('are strong, readable and never the same', () => {
    const all = new Set(Array.from({ length: 200 }, makePassword))
    expect(all.size).toBe(200)
    for (const one of all) { expect(one).toMatch(/^([a-z]{4}-){5}[2-9]{2}$/); expect(one.length).toBeGreaterThan(shortest) }
  })
})

describe('addresses', () => {
  it('are found in what is typed or scanned', () => {
    const keys = `omemo-sid-4711=${'3f'.repeat(32)}`
    for (const [typed, want] of [[' Nadia@Palabre.example ', 'nadia@palabre.example'], ['xmpp:nadia@palabre.example', 'nadia@palabre.example'], [`xmpp:na%C3%AFa@x.org?${keys}`, 'naïa@x.org'],
      ['nadia', undefined], ['https://x.org/a@b', undefined], ['xmpp:%E0%A4%A@x', undefined], ['a@b@c', undefined]] as const) expect(addressIn(typed), typed).toBe(want)
  })
})

describe('excerpt', () => {
  it('marks what was found', () => { expect(text(excerpt('à demain 8 h', [[2, 8]]))).toBe('à [demain] 8 h') })
  it('cuts a long text around the first mark', () => {
    const long = `${'x'.repeat(500)} demain ${'y'.repeat(500)}`
    const cut = text(excerpt(long, [[501, 507]]))
    expect(cut).toContain('[demain]')
    expect(cut.length).toBeLessThan(180)
    expect(cut.startsWith('…') && cut.endsWith('…')).toBe(true)
  })
  it('is not confused by marks that lie outside, overlap or are reversed', () => {
    expect(text(excerpt('abc', [[-1, 2], [2, 9], [2, 1]]))).toBe('abc')
    expect(text(excerpt('abcdef', [[3, 5], [1, 4]]))).toBe('a[bcd]ef')
  })
})

describe('the frame of a picture', () => {
  it('stays inside and keeps a size', () => {
    expect(within({ x: -5, y: 900, w: 5, h: 5 }, 1000, 800)).toEqual({ x: 0, y: 768, w: 32, h: 32 })
    expect(within({ x: 10, y: 10, w: 5000, h: 5000 }, 1000, 800)).toEqual({ x: 0, y: 0, w: 1000, h: 800 })
    expect(within({ x: 0, y: 0, w: 1, h: 1 }, 10, 8)).toEqual({ x: 0, y: 0, w: 8, h: 8 })
  })
})

describe('integrity', () => {
  const hex = async (bytes: string): Promise<string> => [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(bytes)))].map((b) => b.toString(16).padStart(2, '0')).join('')
  const serve = async (kept: string, running: string[] = []): Promise<ReturnType<typeof compareFiles>> => {
    const files = [{ path: 'assets/a.js', sha256: await hex('good') }, { path: 'index.html', sha256: await hex('page') }]
    const sum = await hex(files.map((f) => `${f.sha256}  ${f.path}\n`).join(''))
    vi.stubGlobal('location', { origin: 'https://x.org' })
    vi.stubGlobal('performance', { getEntriesByType: () => running.map((name) => ({ name })) })
    vi.stubGlobal('caches', { match: async (path: string) => (path === '/assets/a.js' ? new Response(kept) : undefined) })
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ sum, files })))
    try { return await compareFiles() } finally { vi.unstubAllGlobals() }
  }
  it('is content with the files that the server tells', async () => { expect(await serve('good')).toMatchObject({ compared: 1, differing: [] }) })
  it('names a file that was changed', async () => { expect((await serve('evil'))?.differing).toEqual(['assets/a.js']) })
  it('names a file that runs and that the server does not know', async () => { expect((await serve('good', ['https://x.org/assets/b.js', 'https://x.org/sw.js']))?.differing).toEqual(['assets/b.js']) })
})
