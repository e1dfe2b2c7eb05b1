// Reads a QR code with the camera, in the browser's own way where it has one, and else with a small decoder that is loaded for it.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n/t.ts'
import { Button } from './controls.tsx'
import { over, Sheet } from './overlay.tsx'
import './css/pages.css'

interface Detector { detect(source: CanvasImageSource): Promise<{ rawValue: string }[]> }
interface Detecting { new (options: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> }
type Read = (canvas: HTMLCanvasElement) => Promise<string | undefined>

const side = 640
const pauseMs = 120
const maxText = 4096

async function reader(): Promise<Read> {
  const Own = (globalThis as { BarcodeDetector?: Detecting }).BarcodeDetector
  // The service worker asks the same before it keeps the decoder: whoever needs it has it without network.
  if (Own) try {
    if (!(await Own.getSupportedFormats()).includes('qr_code')) throw new Error('no codes')
    const detector = new Own({ formats: ['qr_code'] })
    return async (canvas) => (await detector.detect(canvas))[0]?.rawValue
  } catch { /* it is there in name only: the decoder of our own does it */ }
  const { default: decode } = await import('qr/decode.js')
  return async (canvas) => {
    const pixels = canvas.getContext('2d', { willReadFrequently: true })?.getImageData(0, 0, canvas.width, canvas.height)
    if (!pixels) return undefined
    try { return decode({ width: pixels.width, height: pixels.height, data: pixels.data }) } catch { return undefined }
  }
}

function draw(source: HTMLVideoElement | ImageBitmap, canvas: HTMLCanvasElement): boolean {
  const [w, h] = source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight] : [source.width, source.height]
  if (!w || !h) return false
  const scale = Math.min(1, side / Math.min(w, h))
  canvas.width = Math.round(w * scale)
  canvas.height = Math.round(h * scale)
  canvas.getContext('2d', { willReadFrequently: true })?.drawImage(source, 0, 0, canvas.width, canvas.height)
  return true
}

/** scan opens a sheet with the camera and fulfils with what a code says, at most 4096 characters; undefined when it was closed. */
export async function scan(title: string): Promise<string | undefined> {
  let found: string | undefined
  await over((done) => <Sheet title={title} close={done}><Camera found={(text) => { found = text.slice(0, maxText); done() }} /></Sheet>)
  return found
}

function Camera({ found }: { found: (text: string) => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const file = useRef<HTMLInputElement>(null)
  const [state, setState] = useState<'asking' | 'looking' | 'none'>('asking')
  const [nothing, setNothing] = useState(false)
  useEffect(() => {
    const over = new AbortController()
    look(video.current, over.signal, () => setState('looking')).then((text) => { if (text) found(text) }, () => setState('none'))
    return () => over.abort()
  }, [])
  const choose = async (picked: File | undefined): Promise<void> => {
    setNothing(false)
    const text = picked && await readPicture(picked)
    if (text) found(text)
    else if (picked) setNothing(true)
  }
  return (
    <div class="scan">
      {state === 'none' ? <p role="alert">{t('scan.none')}</p>
        : <div class="finder"><video ref={video} playsInline muted aria-label={t('scan.camera')} /><i aria-hidden="true" /></div>}
      <p role="status">{nothing ? t('scan.nothing') : state === 'none' ? '' : t('scan.hold')}</p>
      <input type="file" accept="image/*" class="vh" ref={file} tabIndex={-1} aria-hidden="true" onChange={(e) => void choose(e.currentTarget.files?.[0])} />
      <Button kind="s" icon="image" act={() => file.current?.click()}>{t('scan.picture')}</Button>
    </div>
  )
}

async function look(video: HTMLVideoElement | null, signal: AbortSignal, begun: () => void): Promise<string | undefined> {
  if (!video) return undefined
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  const stop = (): void => { for (const track of stream.getTracks()) track.stop() }
  if (signal.aborted) { stop(); return undefined }
  signal.addEventListener('abort', stop)
  video.srcObject = stream
  await video.play()
  begun()
  const read = await reader()
  const canvas = document.createElement('canvas')
  while (!signal.aborted) {
    const text = draw(video, canvas) ? await read(canvas) : undefined
    if (text) { stop(); return text }
    await new Promise((go) => setTimeout(go, pauseMs))
  }
  return undefined
}

/** readPicture reads the code in a picture; undefined for none, or when it is no picture. */
export async function readPicture(file: Blob): Promise<string | undefined> {
  try {
    const bitmap = await createImageBitmap(file)
    const canvas = document.createElement('canvas')
    draw(bitmap, canvas)
    bitmap.close()
    return await (await reader())(canvas)
  } catch { return undefined }
}
