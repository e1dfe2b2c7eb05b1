// Fingers, wheel and pointer over a picture: larger, smaller, moved, the next one, away.
import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

const most = 8
const far = 60
const double = 300

interface Pan {
  ref: RefObject<HTMLDivElement | null>
  scale: number
  zoom: (by: number) => void
  handlers: { onPointerDown: (e: PointerEvent) => void; onPointerMove: (e: PointerEvent) => void; onPointerUp: (e: PointerEvent) => void; onPointerCancel: (e: PointerEvent) => void; onWheel: (e: WheelEvent) => void }
}

/** usePan moves what `ref` holds; `key` names the picture, and a new one begins anew. `step` hears swipes sideways, `away` those downwards. */
export function usePan(key: string, step: (by: number) => void, away: () => void): Pan {
  const ref = useRef<HTMLDivElement>(null)
  const at = useRef({ scale: 1, x: 0, y: 0 })
  const fingers = useRef(new Map<number, { x: number; y: number }>())
  const begun = useRef({ x: 0, y: 0, time: 0, moved: false })
  const last = useRef(0)
  const [scale, setScale] = useState(1)
  const show = (): void => {
    const { x, y, scale: s } = at.current
    if (ref.current) ref.current.style.transform = `translate(${x}px, ${y}px) scale(${s})`
    setScale(s)
  }
  const set = (s: number, x: number, y: number): void => {
    const scale = Math.max(1, Math.min(most, s))
    const box = ref.current?.getBoundingClientRect()
    const base = box ? { w: box.width / at.current.scale, h: box.height / at.current.scale } : { w: 0, h: 0 }
    const room = { x: base.w * (scale - 1) / 2, y: base.h * (scale - 1) / 2 }
    at.current = { scale, x: scale === 1 ? 0 : Math.max(-room.x, Math.min(room.x, x)), y: scale === 1 ? 0 : Math.max(-room.y, Math.min(room.y, y)) }
    show()
  }
  useEffect(() => { at.current = { scale: 1, x: 0, y: 0 }; show() }, [key])
  const zoom = (by: number): void => set(at.current.scale * by, at.current.x * by, at.current.y * by)
  const spread = (): number => { const [a, b] = [...fingers.current.values()]; return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0 }

  const onPointerDown = (e: PointerEvent): void => {
    if ((e.target as Element).closest('video,button')) return
    ;(e.currentTarget as Element).setPointerCapture(e.pointerId)
    fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
    if (fingers.current.size === 1) begun.current = { x: e.clientX, y: e.clientY, time: Date.now(), moved: false }
    else begun.current.moved = true
  }
  const onPointerMove = (e: PointerEvent): void => {
    const before = fingers.current.get(e.pointerId)
    if (!before) return
    const was = spread()
    fingers.current.set(e.pointerId, { x: e.clientX, y: e.clientY })
    if (fingers.current.size === 2 && was) { zoom(spread() / was); return }
    if (at.current.scale > 1) set(at.current.scale, at.current.x + e.clientX - before.x, at.current.y + e.clientY - before.y)
  }
  const onPointerUp = (e: PointerEvent): void => {
    if (!fingers.current.delete(e.pointerId) || fingers.current.size || begun.current.moved) return
    const dx = e.clientX - begun.current.x, dy = e.clientY - begun.current.y
    if (Math.hypot(dx, dy) < 8) tap()
    else if (at.current.scale === 1 && Math.abs(dx) > far && Math.abs(dx) > 1.5 * Math.abs(dy)) step((dx < 0 ? 1 : -1) * (document.documentElement.dir === 'rtl' ? -1 : 1))
    else if (at.current.scale === 1 && dy > 1.5 * far && e.pointerType !== 'mouse') away()
  }
  const tap = (): void => {
    if (Date.now() - last.current < double) { at.current.scale > 1 ? set(1, 0, 0) : zoom(2.5); last.current = 0 } else last.current = Date.now()
  }
  const onWheel = (e: WheelEvent): void => { e.preventDefault(); zoom(e.deltaY < 0 ? 1.15 : 1 / 1.15) }
  return { ref, scale, zoom, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: (e) => { fingers.current.delete(e.pointerId) }, onWheel } }
}
