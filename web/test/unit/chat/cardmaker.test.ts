// The card of the link that is being written: when it is offered, made and taken along, and what it never does.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CardMaker } from '../../../src/features/chat/cardmaker.ts'
import { pageIn } from '../../../src/features/chat/links.ts'
import type { Choices, LinkPreview } from '../../../src/core/model.ts'

const url = 'https://example.org/a'
const preview: LinkPreview = { url, title: 'A' }

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

/** A maker, what its engine was asked, and how the engine answers. */
function begin(choice?: Choices['linkCards'], more: { makes?: boolean | Error; card?: (url: string) => Promise<LinkPreview | undefined> } = {}) {
  const asked: string[] = []
  const chosen: Partial<Choices>[] = []
  const { makes = true } = more
  const maker = new CardMaker({
    makesCards: () => makes instanceof Error ? Promise.reject(makes) : Promise.resolve(makes),
    card: (about) => { asked.push(about); return more.card?.(about) ?? Promise.resolve({ ...preview, url: about }) },
    choose: (change) => { chosen.push(change); return Promise.resolve() },
  })
  if (choice) maker.chosen(choice)
  return { maker, asked, chosen, wait: () => vi.advanceTimersByTimeAsync(1000) }
}

test('who has not decided is asked, and nothing is read before they answer', async () => {
  const { maker, asked, wait } = begin('ask')
  maker.write(`see ${url}`)
  expect(maker.shown.value).toBeUndefined()
  await wait()
  expect(maker.shown.value).toEqual({ state: 'offer', url, first: true })
  expect(asked).toEqual([])
  expect(maker.take(`see ${url}`)).toBeUndefined()
})

test.each(['always', 'each', 'never'] as const)('the answer %s is kept, and the question is not asked again', async (answer) => {
  const { maker, asked, chosen, wait } = begin('ask')
  maker.write(url)
  await wait()
  await maker.decide(answer)
  expect(chosen).toEqual([{ linkCards: answer }])
  expect(asked).toEqual(answer === 'never' ? [] : [url])
  expect(maker.shown.value).toEqual(answer === 'never' ? undefined : { state: 'ready', url, preview })
  maker.take(url)
  maker.write('https://other.example/')
  await wait()
  expect(maker.shown.value?.state).toBe(({ always: 'ready', each: 'offer', never: undefined } as const)[answer])
  if (maker.shown.value?.state === 'offer') expect(maker.shown.value.first).toBe(false)
  expect(asked).toHaveLength({ always: 2, each: 1, never: 0 }[answer])
})

test('with always the card is made by itself, once the address is whole', async () => {
  const { maker, asked, wait } = begin('always')
  for (const part of ['https://ex.a', 'https://ex.ample', 'https://ex.ample/p']) {
    maker.write(part)
    await vi.advanceTimersByTimeAsync(300)
  }
  expect(asked).toEqual([])
  maker.write('https://ex.ample/p and more')
  await wait()
  expect(asked).toEqual(['https://ex.ample/p'])
  maker.write('https://ex.ample/p and still more')
  expect(maker.take('https://ex.ample/p and still more')).toMatchObject({ url: 'https://ex.ample/p' })
  expect(maker.shown.value).toBeUndefined()
})

test('a message that leaves before the card is ready leaves without it', async () => {
  let give: (card: LinkPreview) => void = () => undefined
  const { maker, wait } = begin('always', { card: () => new Promise((resolve) => { give = resolve }) })
  maker.write(url)
  await wait()
  expect(maker.shown.value).toEqual({ state: 'making', url })
  expect(maker.take(url)).toBeUndefined()
  give(preview)
  await wait()
  expect(maker.shown.value).toBeUndefined()
})

test('a card that comes for another link than the one in the field is not shown', async () => {
  const gives = new Map<string, (card: LinkPreview) => void>()
  const { maker, wait } = begin('always', { card: (about) => new Promise((resolve) => { gives.set(about, resolve) }) })
  maker.write('https://one.example/')
  await wait()
  maker.write('https://two.example/')
  await wait()
  gives.get('https://one.example/')?.({ url: 'https://one.example/', title: '1' })
  await wait()
  expect(maker.shown.value).toEqual({ state: 'making', url: 'https://two.example/' })
})

test('what was left off stays off for that link, and only until the message has left', async () => {
  const { maker, asked, wait } = begin('always')
  maker.write(url)
  await wait()
  maker.leaveOff()
  expect(maker.take('x')).toBeUndefined()
  maker.write(url)
  await wait()
  maker.leaveOff()
  maker.write('')
  maker.write(url)
  await wait()
  expect(maker.shown.value).toBeUndefined()
  expect(maker.take(url)).toBeUndefined()
  maker.write(url)
  await wait()
  expect(maker.shown.value?.state).toBe('ready')
  expect(asked).toEqual([url]) // what is known is not asked again
})

test('a link that is not in what is sent takes no card along', async () => {
  const { maker, wait } = begin('always')
  maker.write(url)
  await wait()
  expect(maker.take('without it')).toBeUndefined()
})

test('the card of a message that is corrected stays while its link does, and nobody is asked for it', async () => {
  const { maker, asked, wait } = begin('never')
  maker.given(preview)
  maker.write(`now ${url}`)
  expect(maker.shown.value).toEqual({ state: 'ready', url, preview })
  maker.write('now nothing')
  expect(maker.shown.value).toBeUndefined()
  maker.write(url)
  await wait()
  expect(maker.take(url)).toEqual(preview)
  expect(asked).toEqual([])
})

test.each([['a server that makes none', false], ['no connection', new Error('offline')]] as const)('with %s nothing is offered, and nothing is told', async (_, makes) => {
  for (const choice of ['ask', 'always'] as const) {
    const { maker, asked, wait } = begin(choice, { makes })
    maker.write(url)
    await wait()
    expect(maker.shown.value).toBeUndefined()
    expect(asked).toEqual([])
  }
})

test('who asked for a card is told that there is none; who did not ask is not', async () => {
  const { maker, wait } = begin('each', { card: () => Promise.resolve(undefined) })
  maker.write(url)
  await wait()
  await maker.make(url, true)
  expect(maker.shown.value).toEqual({ state: 'none', url })
  const silent = begin('always', { card: () => Promise.reject(new Error('resource-constraint')) })
  silent.maker.write(url)
  await silent.wait()
  expect(silent.maker.shown.value).toBeUndefined()
})

test('a choice that is known only later counts for what is written already', async () => {
  const { maker, wait } = begin()
  maker.write(url)
  await wait()
  expect(maker.shown.value).toBeUndefined()
  maker.chosen('ask')
  await wait()
  expect(maker.shown.value?.state).toBe('offer')
  maker.chosen('never') // in the settings, in another tab
  expect(maker.shown.value).toBeUndefined()
})

test.each<[string, string | undefined]>([
  ['', undefined], ['no link', undefined], ['https://', undefined], ['https://localhost', undefined], ['https://exampl', undefined], ['xmpp:a@b.example', undefined],
  ['mailto:a@b.example', undefined], ['https://user@evil.example/', undefined], ['https://exa mple.org', undefined], ['https://example.', undefined],
  ['https://a.example/' + 'x'.repeat(2100), undefined],
  ['see https://example.org.', 'https://example.org'], ['(https://example.org/a)', 'https://example.org/a'], ['https://en.example/wiki/A_(b)', 'https://en.example/wiki/A_(b)'],
  ['HTTP://Example.org/', undefined], ['https://Example.org/?q=1#x', 'https://Example.org/?q=1#x'], ['http://127.0.0.1:8080/p', 'http://127.0.0.1:8080/p'], ['https://a.example https://b.example', 'https://a.example'],
  ['xmpp:a@b.example https://b.example/x', 'https://b.example/x'], ['https://مثال.إختبار/', 'https://مثال.إختبار/'],
])('in %s the page is %s', (text, found) => { expect(pageIn(text)).toBe(found) })
