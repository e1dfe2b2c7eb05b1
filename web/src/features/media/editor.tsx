// A picture before it is sent: cut, turned, drawn upon, with a caption, in full quality or not.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import cropIcon from 'icon:crop'
import rotate from 'icon:rotate-cw'
import pencil from 'icon:pencil'
import type { Prepared } from '../../app/media.ts'
import { t } from '../../i18n/t.ts'
import { Button, IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'
import { over } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { blobOf, canvasOf, cut, drawn, stroke, turned, within, type Area } from './canvas.ts'
import { CropFrame } from './CropFrame.tsx'
import './media.css'

const steps = 6
const colours = ['#ffffff', '#111111', '#e5484d', '#f0a020', '#30a46c', '#0090c0']

/** prepare opens the editor; undefined when it was closed without sending, or when the file is no picture. */
export async function prepare(file: Blob, caption: string): Promise<Prepared | undefined> {
  let made: Prepared | undefined
  const first = await canvasOf(file).catch(() => undefined)
  if (!first) { toast(t('med.failed')); return undefined }
  await over((done) => <Editor file={file} first={first} caption={caption} close={done} send={(result) => { made = result; done() }} />)
  return made
}

interface EditorProps { file: Blob; first: HTMLCanvasElement; caption: string; close: () => void; send: (made: Prepared) => void }

function Editor({ file, first, caption: before, close, send }: EditorProps): JSX.Element {
  const root = useRef<HTMLDivElement>(null)
  const [past, setPast] = useState([first])
  const [mode, setMode] = useState<'none' | 'crop' | 'draw'>('none')
  const [area, setArea] = useState<Area>({ x: 0, y: 0, w: first.width, h: first.height })
  const [colour, setColour] = useState(2)
  const [caption, setCaption] = useState(before)
  const [hd, setHd] = useState(false)
  useTrap(root)
  const now = past[past.length - 1] ?? first
  const add = (canvas: HTMLCanvasElement): void => setPast((all) => [...(all.length >= steps ? all.slice(-steps + 1) : all), canvas])
  const toggle = (wanted: 'crop' | 'draw'): void => {
    if (wanted === 'crop') setArea({ x: now.width * .08, y: now.height * .08, w: now.width * .84, h: now.height * .84 })
    setMode(mode === wanted ? 'none' : wanted)
  }
  const cropped = (): HTMLCanvasElement => cut(now, within(area, now.width, now.height))
  const finish = async (): Promise<void> => {
    const last = mode === 'crop' ? cropped() : now
    const blob = last === first ? file : await blobOf(last)
    if (blob) send({ blob, width: last.width, height: last.height, caption: caption.trim(), hd })
  }
  return (
    <div class="viewer editor" role="dialog" aria-modal="true" aria-label={t('med.edit')} tabIndex={-1} ref={root} data-theme="dark" onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); mode === 'none' ? close() : setMode('none') } }}>
      <header>
        <IconButton icon="x" label={t('close')} act={close} />
        <span class="grow" />
        <IconButton icon="undo" flip label={t('med.undo')} disabled={past.length < 2} act={() => setPast((all) => (all.length > 1 ? all.slice(0, -1) : all))} />
        <IconButton path={rotate} label={t('med.rotate')} act={() => { setMode('none'); add(turned(now)) }} />
        <IconButton path={cropIcon} label={t('med.crop')} pressed={mode === 'crop'} act={() => toggle('crop')} />
        <IconButton path={pencil} label={t('med.draw')} pressed={mode === 'draw'} act={() => toggle('draw')} />
      </header>
      <Stage canvas={now} mode={mode} colour={colours[colour] ?? '#fff'} draw={(points) => add(drawn(now, points, colours[colour] ?? '#fff'))}>
        {mode === 'crop' && <CropFrame area={area} width={now.width} height={now.height} change={setArea} />}
      </Stage>
      <footer>
        {mode === 'draw' && <div class="line-of" role="group" aria-label={t('med.draw')}>{colours.map((_, i) => <button type="button" key={i} class={`ink k${i}`} aria-label={t('med.colour', { n: i + 1 })} aria-pressed={colour === i} onClick={() => setColour(i)} />)}</div>}
        {mode === 'crop' ? <div class="line-of"><small class="grow">{t('med.cropHint')}</small><Button kind="p" act={() => { add(cropped()); setMode('none') }}>{t('med.done')}</Button></div>
          : (
            <form class="line-of" onSubmit={(e) => { e.preventDefault(); void finish() }}>
              <input type="text" dir="auto" maxLength={2000} aria-label={t('med.caption')} placeholder={t('med.caption')} value={caption} onInput={(e) => setCaption(e.currentTarget.value)} />
              <button type="button" class="chip" aria-pressed={hd} title={t('med.hdHint')} onClick={() => setHd(!hd)}>{t('med.hd')}<span class="vh"> {t('med.hdHint')}</span></button>
              <Button kind="p" icon="check" submit>{t('med.done')}</Button>
            </form>
          )}
      </footer>
    </div>
  )
}

interface StageProps { canvas: HTMLCanvasElement; mode: string; colour: string; draw: (points: { x: number; y: number }[]) => void; children: JSX.Element | false }

function Stage({ canvas, mode, colour, draw, children }: StageProps): JSX.Element {
  const shown = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const line = useRef<{ x: number; y: number }[]>([])
  const [fit, setFit] = useState({ w: 0, h: 0 })
  const paint = (): void => {
    const to = shown.current
    if (!to) return
    to.width = canvas.width
    to.height = canvas.height
    to.getContext('2d')?.drawImage(canvas, 0, 0)
  }
  useEffect(paint, [canvas])
  useEffect(() => {
    const element = box.current
    if (!element) return
    const look = (): void => { const s = Math.min(element.clientWidth / canvas.width, element.clientHeight / canvas.height); setFit({ w: canvas.width * s, h: canvas.height * s }) }
    const size = new ResizeObserver(look)
    size.observe(element)
    look()
    return () => size.disconnect()
  }, [canvas])
  const at = (e: PointerEvent): { x: number; y: number } => {
    const b = (e.currentTarget as Element).getBoundingClientRect()
    return { x: (e.clientX - b.left) * canvas.width / b.width, y: (e.clientY - b.top) * canvas.height / b.height }
  }
  const down = (e: PointerEvent): void => { if (mode !== 'draw') return; (e.currentTarget as Element).setPointerCapture(e.pointerId); line.current = [at(e)] }
  const move = (e: PointerEvent): void => { if (!line.current.length || !shown.current) return; line.current.push(at(e)); stroke(shown.current, line.current.slice(-2), colour) }
  const up = (): void => { if (line.current.length) draw(line.current); line.current = [] }
  return (
    <div class="stage" ref={box}>
      <div class="frame" style={{ width: `${fit.w}px`, height: `${fit.h}px` }}>
        <canvas ref={shown} role="img" aria-label={t('med.edit')} style={{ width: `${fit.w}px`, height: `${fit.h}px` }} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up} />
        {children}
      </div>
    </div>
  )
}
