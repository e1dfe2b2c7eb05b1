import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { t } from '../../i18n/t.ts'
import { within, type Area } from './canvas.ts'

const keyStep = .02

interface FrameProps { area: Area; width: number; height: number; change: (area: Area) => void }

/** CropFrame is what stays of a picture: moved with a finger or the arrow keys, made larger at its corner or with Shift and the arrows. */
export function CropFrame({ area, width, height, change }: FrameProps): JSX.Element {
  const held = useRef<{ x: number; y: number; corner: boolean; scale: number } | undefined>(undefined)
  const down = (e: PointerEvent): void => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect()
    ;(e.currentTarget as Element).setPointerCapture(e.pointerId)
    held.current = { x: e.clientX, y: e.clientY, corner: (e.target as Element).tagName === 'I', scale: area.w / Math.max(1, box.width) }
  }
  const move = (e: PointerEvent): void => {
    const h = held.current
    if (!h) return
    const dx = (e.clientX - h.x) * h.scale, dy = (e.clientY - h.y) * h.scale
    held.current = { ...h, x: e.clientX, y: e.clientY }
    change(within(h.corner ? { ...area, w: area.w + dx, h: area.h + dy } : { ...area, x: area.x + dx, y: area.y + dy }, width, height))
  }
  const key = (e: KeyboardEvent): void => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
    const by = steps[e.key]
    if (!by) return
    e.preventDefault()
    const dx = by[0] * width * keyStep, dy = by[1] * height * keyStep
    change(within(e.shiftKey ? { ...area, w: area.w + dx, h: area.h + dy } : { ...area, x: area.x + dx, y: area.y + dy }, width, height))
  }
  const up = (): void => { held.current = undefined }
  const percent = (n: number, of: number): string => `${(100 * n) / of}%`
  return (
    <div class="crop" role="application" tabIndex={0} aria-label={`${t('med.crop')}. ${t('med.cropHint')}`} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up} onKeyDown={key}
      style={{ left: percent(area.x, width), top: percent(area.y, height), width: percent(area.w, width), height: percent(area.h, height) }}><i aria-hidden="true" /></div>
  )
}
