// Moving pictures (GIF) made into small silent videos that begin anew when they end, on this device: a tenth of their bytes, and they can be stopped. It runs in the
// worker of videos (video-worker.ts). What this browser cannot do, a picture that does not move, and what would not become smaller stays as it is.

import { BufferTarget, CanvasSource, getFirstEncodableVideoCodec, Mp4OutputFormat, Output, Quality, WebMOutputFormat } from 'mediabunny'
import { MAX_POSTER } from '../model.ts'
import { thumbhash, THUMB } from './thumb.ts'

/** A moving picture as a video, and what it looks like before it is fetched. */
export interface ReadyLoop { blob: Blob; width: number; height: number; seconds: number; thumbhash: string; poster?: string }

/** The longer side of what is sent, in pixels, and of its poster. */
const SIDE = 640
const POSTER = 160
/** Pictures, seconds and bytes of what is made smaller; what is larger stays as it is. */
const MAX_FRAMES = 1200
const MAX_SECONDS = 60
const MAX_BYTES = 50 << 20
const MAX_PIXELS = 4096 * 4096
/** How long a picture stays that does not say, or says that it does not: as browsers show it, in microseconds. */
const USUAL = 100_000
const SHORTEST = 20_000
/** Bits for each pixel of each picture. */
const BITS = 0.09

const even = (pixels: number): number => Math.max(2, Math.round(pixels / 2) * 2)

/** How large what is made of a picture is, in pixels: its longer side is at most SIDE, and both are even. */
export function sizeOf(width: number, height: number): { width: number; height: number } {
  const factor = Math.min(1, SIDE / Math.max(width, height))
  return { width: even(width * factor), height: even(height * factor) }
}

/** How long a picture is shown, in seconds. */
export const lasts = (micros: number | null | undefined): number => (micros && micros >= SHORTEST ? micros : USUAL) / 1e6

/** Makes a video of a moving picture; undefined for what stays as it is. `progress` is told shares of 0–1. */
export async function prepareLoop(file: Blob, progress: (share: number) => void): Promise<ReadyLoop | undefined> {
  if (typeof ImageDecoder === 'undefined' || typeof VideoEncoder === 'undefined' || file.size > MAX_BYTES) return undefined
  const decoder = new ImageDecoder({ data: await file.arrayBuffer(), type: 'image/gif' })
  try {
    await Promise.all([decoder.tracks.ready, decoder.completed])
    const count = decoder.tracks.selectedTrack?.frameCount ?? 0
    return count > 1 && count <= MAX_FRAMES ? await encode(decoder, count, file.size, progress) : undefined
  } finally {
    decoder.close()
  }
}

async function encode(decoder: ImageDecoder, count: number, bytes: number, progress: (share: number) => void): Promise<ReadyLoop | undefined> {
  const { image: first } = await decoder.decode({ frameIndex: 0 })
  const [wide, tall] = [first.displayWidth, first.displayHeight]
  const { width, height } = sizeOf(wide, tall)
  const looks = wide * tall <= MAX_PIXELS ? await looksOf(first, width, height) : undefined
  first.close()
  const quality = new Quality({ bitrate: Math.max(100_000, Math.round(width * height * 15 * BITS)) })
  const codec = looks && await getFirstEncodableVideoCodec(['avc', 'vp9', 'vp8'], { width, height, quality })
  if (!looks || !codec) return undefined
  const [canvas, target] = [new OffscreenCanvas(width, height), new BufferTarget()]
  const format = codec === 'avc' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat()
  const output = new Output({ format, target })
  const source = new CanvasSource(canvas, { codec, quality })
  output.addVideoTrack(source)
  await output.start()
  let seconds = 0
  for (let i = 0; i < count; i++) {
    const { image } = await decoder.decode({ frameIndex: i })
    const time = lasts(image.duration)
    lay(canvas, image, width, height)
    image.close()
    await source.add(seconds, time)
    seconds += time
    if (seconds > MAX_SECONDS) {
      await output.cancel()
      return undefined
    }
    progress(i / count)
  }
  await output.finalize()
  const blob = target.buffer && new Blob([target.buffer], { type: format.mimeType })
  return blob && blob.size < bytes * 0.95 ? { blob, width, height, seconds, ...looks } : undefined
}

/** A video has no holes: they are white. */
function lay(canvas: OffscreenCanvas, image: CanvasImageSource, width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, width, height)
  context.drawImage(image, 0, 0, width, height)
  return context
}

async function looksOf(image: CanvasImageSource, width: number, height: number): Promise<Pick<ReadyLoop, 'thumbhash' | 'poster'>> {
  const within = (side: number) => {
    const factor = Math.min(1, side / Math.max(width, height))
    return [Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))] as const
  }
  const [w, h] = within(THUMB)
  const hash = thumbhash(w, h, lay(new OffscreenCanvas(w, h), image, w, h).getImageData(0, 0, w, h).data)
  const small = within(POSTER)
  const canvas = new OffscreenCanvas(...small)
  lay(canvas, image, ...small)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.6 })
  const data = btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(''))
  const poster = `data:${blob.type};base64,${data}`
  return { thumbhash: hash, ...(poster.length <= MAX_POSTER && blob.type === 'image/webp' ? { poster } : {}) }
}
