// Fingers: a long press opens what the right button opens, and a swipe moves something sideways. Each comes for one element, and for all that
// stand in one.

const holdMs = 450
const slack = 10

interface Point { x: number; y: number }
type Open = (at: Point, target: Element) => void
interface Hold { onPointerDown: (e: PointerEvent) => void; onContextMenu: (e: MouseEvent) => void }

/** holdIn gives the handlers by which a long press, the right button and the menu key open a menu at the place of the pointer. */
export function holdIn(open: Open): Hold {
  let byFinger = false
  return {
    onPointerDown(event) {
      byFinger = event.pointerType !== 'mouse'
      if (!byFinger || !event.isPrimary) return
      const target = event.target as Element
      const start = { x: event.clientX, y: event.clientY }
      const timer = setTimeout(() => { stop(); swallowClick(false); navigator.vibrate?.(10); open(start, target) }, holdMs)
      const move = (e: PointerEvent): void => { if (Math.hypot(e.clientX - start.x, e.clientY - start.y) > slack) stop() }
      const stop = (): void => {
        clearTimeout(timer)
        removeEventListener('pointermove', move); removeEventListener('pointerup', stop); removeEventListener('pointercancel', stop)
      }
      addEventListener('pointermove', move); addEventListener('pointerup', stop); addEventListener('pointercancel', stop)
    },
    onContextMenu(event) {
      const target = event.target as Element
      if (target.closest('a[target]') && !byFinger) return
      event.preventDefault()
      if (byFinger) return
      const box = target.getBoundingClientRect()
      const byKey = event.clientX === 0 && event.clientY === 0
      open(byKey ? { x: box.left + Math.min(48, box.width / 2), y: box.top + box.height / 2 } : { x: event.clientX, y: event.clientY }, target)
    },
  }
}

/** hold is holdIn for who does not ask where. */
export const hold = (open: (at: Point) => void): Hold => holdIn((at) => open(at))

const clickMs = 50

/** The click that ends a long press or a swipe is not a click; one after it is. `lifted`: the finger is up already. */
function swallowClick(lifted: boolean): void {
  const stop = (event: Event): void => { event.preventDefault(); event.stopPropagation() }
  const soon = (): void => { setTimeout(() => removeEventListener('click', stop, true), clickMs) }
  addEventListener('click', stop, { capture: true, once: true })
  if (lifted) soon()
  else addEventListener('pointerup', soon, { once: true })
}

const swipeDone = 72
const swipeMax = 110
type Swiped = (way: 'start' | 'end', target: Element) => void

/** swipeIn moves an element sideways with a finger; `done` hears in which direction of reading it was let go far enough. */
export function swipeIn(find: (target: Element) => HTMLElement | null, done: Swiped): { onTouchStart: (e: TouchEvent) => void } {
  return {
    onTouchStart(event) {
      const touch = event.touches[0]
      const target = event.target as Element
      const element = find(target)
      if (event.touches.length !== 1 || !touch || !element || target.closest('input,pre')) return
      const sign = document.documentElement.dir === 'rtl' ? -1 : 1
      let by = 0, sideways: boolean | undefined
      const move = (e: TouchEvent): void => {
        const at = e.touches[0]
        if (!at) return
        const dx = at.clientX - touch.clientX, dy = at.clientY - touch.clientY
        if (sideways === undefined && Math.hypot(dx, dy) > slack) sideways = Math.abs(dx) > 2 * Math.abs(dy)
        if (sideways === false) { end(); return }
        if (!sideways) return
        by = Math.max(-swipeMax, Math.min(swipeMax, dx))
        element.style.transform = `translateX(${by}px)`
      }
      const end = (): void => {
        element.style.transform = ''
        removeEventListener('touchmove', move); removeEventListener('touchend', end); removeEventListener('touchcancel', end)
        if (Math.abs(by) >= swipeDone) { swallowClick(true); done(by * sign > 0 ? 'start' : 'end', target) }
        by = 0
      }
      addEventListener('touchmove', move, { passive: true }); addEventListener('touchend', end); addEventListener('touchcancel', end)
    },
  }
}

/** swipe is swipeIn for one element. */
export const swipe = (done: (way: 'start' | 'end') => void): { onTouchStart: (e: TouchEvent) => void } => ({
  onTouchStart: (event) => swipeIn(() => event.currentTarget as HTMLElement, done).onTouchStart(event),
})
