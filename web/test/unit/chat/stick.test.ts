// Who is at the end of a conversation stays there when what is shown grows by itself; who reads further up is left where they are.
import { expect, test } from 'vitest'
import { Stick } from '../../../src/features/chat/stick.ts'

/** A log of 400 px, of which its stick sees what a browser would tell. */
function log(scrollHeight: number): { box: HTMLElement; stick: Stick } {
  const box = { scrollHeight, scrollTop: 0, clientHeight: 400, querySelector: () => ({}), querySelectorAll: () => [] } as unknown as HTMLElement
  const stick = new Stick(() => box)
  stick.restore(undefined, true)
  return { box, stick }
}

const grow = (box: HTMLElement, by: number): void => { Object.assign(box, { scrollHeight: box.scrollHeight + by }) }

test('a card that grows leaves the end in view', () => {
  const { box, stick } = log(1_000)
  Object.assign(box, { scrollTop: 600 })
  stick.scrolled()
  grow(box, 250)
  stick.grew()
  expect(box.scrollTop).toBe(1_250)
})

test('who reads further up stays there', () => {
  const { box, stick } = log(1_000)
  Object.assign(box, { scrollTop: 100 })
  stick.scrolled()
  grow(box, 250)
  stick.grew()
  expect(box.scrollTop).toBe(100)
})
