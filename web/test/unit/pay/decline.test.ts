// Saying no to a request, or to a share of a split, is for good: it is asked first.
import { expect, test, vi } from 'vitest'

const asked = vi.hoisted(() => ({ yes: false, text: '', did: [] as unknown[][] }))
vi.mock('icon:hand-coins', () => ({ default: '' }))
vi.mock('../../../src/features/chat/TermsCard.tsx', () => ({ TermsCard: vi.fn() }))
vi.mock('../../../src/ui/Icon.tsx', () => ({ Icon: vi.fn() }))
vi.mock('../../../src/ui/controls.tsx', () => ({ Button: vi.fn(), Field: vi.fn(), Pill: vi.fn() }))
vi.mock('../../../src/ui/overlay.tsx', () => ({ confirm: ({ text }: { text: string }) => { asked.text = text; return Promise.resolve(asked.yes) }, choose: vi.fn(), over: vi.fn(), Dialog: vi.fn() }))
vi.mock('../../../src/ui/toast.tsx', () => ({ toast: vi.fn() }))
vi.mock('../../../src/app/paid.ts', () => ({ usePaid: vi.fn() }))
vi.mock('../../../src/app/pay.ts', () => ({ payNow: vi.fn(), whyPay: vi.fn() }))
vi.mock('../../../src/app/session.ts', () => ({ nameOf: (jid: string) => jid, engine: () => ({ pay: () => Promise.resolve({ ask: (...all: unknown[]) => { asked.did.push(all); return Promise.resolve() } }) }) }))

test('nothing is declined before somebody has said that they mean it', async () => {
  const { decline } = await import('../../../src/features/chat/RequestCard.tsx')
  await decline('a-share-of-dinner-01', 'nadia@example')
  expect(asked.did).toEqual([])
  asked.yes = true
  await decline('a-share-of-dinner-01', 'nadia@example')
  expect(asked.did).toEqual([['decline', 'a-share-of-dinner-01']])
})

test('who declines one that comes again is told that it does not come any more', async () => {
  const { decline } = await import('../../../src/features/chat/RequestCard.tsx')
  await decline('rent-of-november-0001', 'nadia@example')
  expect(asked.text).toBe('pc.declineText')
  await decline('rent-of-november-0001', 'nadia@example', { every: 'month', turn: 1, times: 12, last: 0 })
  expect(asked.text).toBe('pc.declineAgain')
})
