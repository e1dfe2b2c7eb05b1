// The texts as people get them: plural forms of each language, values put in, and Arabic's six categories.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

beforeEach(() => {
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined })
  vi.stubGlobal('navigator', { languages: ['fr-CH', 'en'] })
  vi.stubGlobal('document', { documentElement: { lang: '', dir: '' }, cookie: '' })
  vi.resetModules()
})
afterEach(() => vi.unstubAllGlobals())

it('takes the first language of the browser that there is', async () => {
  const { preferred } = await import('../../../src/i18n/t.ts')
  expect(preferred()).toBe('fr')
  vi.stubGlobal('navigator', { languages: ['de', 'pt-PT'] })
  expect(preferred()).toBe('pt-BR')
  vi.stubGlobal('navigator', { languages: ['de'] })
  expect(preferred()).toBe('en')
})

it('puts values in, and chooses the form', async () => {
  const { speak, t } = await import('../../../src/i18n/t.ts')
  await speak('fr')
  expect(t('chats.unread', { n: 1 })).toBe('1 message non lu')
  expect(t('chats.unread', { n: 2 })).toBe('2 messages non lus')
  expect(t('said.elsewhere', { name: '{name}' })).toBe('Nouveau message de {name}')
})

it.each([[0, 'لا رسائل غير مقروءة'], [1, 'رسالة واحدة غير مقروءة'], [2, 'رسالتان غير مقروءتين'], [5, 'رسائل'], [11, 'رسالة'], [100, 'رسالة']])('counts in Arabic: %d', async (n, wanted) => {
  const { speak, t } = await import('../../../src/i18n/t.ts')
  await speak('ar')
  expect(t('chats.unread', { n })).toContain(wanted)
  expect(document.documentElement.dir).toBe('rtl')
})

it('shows the key of a text that is missing, never nothing', async () => {
  const { speak, t } = await import('../../../src/i18n/t.ts')
  await speak('en')
  expect(t('no.such.key' as 'busy')).toBe('no.such.key')
})

it('keeps a part when the language changes', async () => {
  const { loadPart, speak, t } = await import('../../../src/i18n/t.ts')
  await speak('en')
  await loadPart('chat')
  expect(t('send')).toBe('Send')
  await speak('fr')
  expect(t('send')).toBe('Envoyer')
})
