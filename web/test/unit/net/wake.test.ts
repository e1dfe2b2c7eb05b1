// Whether anybody looks, in whichever tab.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { tellAwake, watchWake } from '../../../src/core/net/wake.ts'

class Page extends EventTarget {
  visibilityState = 'visible'
  show(state: 'visible' | 'hidden'): void {
    this.visibilityState = state
    this.dispatchEvent(new Event('visibilitychange'))
  }
}

let page: Page
beforeEach(() => {
  page = new Page()
  vi.stubGlobal('document', page)
  const world = new EventTarget()
  vi.stubGlobal('addEventListener', world.addEventListener.bind(world))
  vi.stubGlobal('dispatchEvent', world.dispatchEvent.bind(world))
})
afterEach(() => { vi.unstubAllGlobals() })

function connection() {
  const told = { hidden: undefined as boolean | undefined, nudges: 0 }
  return { told, nudge: () => { told.nudges++ }, setHidden: (hidden: boolean) => { told.hidden = hidden } }
}

test('a page that comes back, and the network, wake the connection', () => {
  const to = connection()
  const stop = watchWake(to)
  expect(to.told).toEqual({ hidden: false, nudges: 0 })
  page.show('hidden')
  expect(to.told).toEqual({ hidden: true, nudges: 0 })
  page.show('visible')
  expect(to.told).toEqual({ hidden: false, nudges: 1 })
  dispatchEvent(new Event('online'))
  expect(to.told.nudges).toBe(2)
  stop()
  page.show('hidden')
  dispatchEvent(new Event('online'))
  expect(to.told).toEqual({ hidden: false, nudges: 2 })
})

test('another tab that is looked at keeps it awake', async () => {
  page.show('hidden')
  const to = connection()
  const stop = watchWake(to, 'me@x')
  expect(to.told.hidden).toBe(true)
  const other = new Page()
  vi.stubGlobal('document', other) // the other tab has a page of its own
  const quiet = tellAwake('me@x')
  vi.stubGlobal('document', page)
  await vi.waitFor(() => expect(to.told).toEqual({ hidden: false, nudges: 1 }), 20_000)
  quiet()
  await vi.waitFor(() => expect(to.told.hidden).toBe(true), 20_000)
  stop()
})
