// Pictures made ready to be sent: turned upright, without what cameras write into them (where and when), no larger than a screen, in the smallest
// form that the browser can write.

import { THUMB, thumbhash } from './thumb.ts'

/** How a picture is sent: as usual, larger when somebody asks for it, or as a sticker (XEP-0449). */
export type Size = 'usual' | 'hd' | 'sticker'
/** The longer side of what is sent, in pixels. */
export const SIDE: Record<Size, number> = { usual: 1280, hd: 2560, sticker: 512 }
const QUALITY: Record<Size, number> = { usual: 0.7, hd: 0.85, sticker: 0.85 }
/** Pictures beyond this are not opened: a small file can hold more pixels than a phone has memory. */
const MAX_PIXELS = 100e6

/** A picture that is ready. */
export interface Ready { blob: Blob; width: number; height: number; thumbhash: string }

/**
 * Makes a picture ready; undefined for what the browser cannot open (it is sent as it is, as a file). Animated pictures are left as they are. What
 * would become larger stays as it was, unless it carries metadata.
 */
export async function prepareImage(file: Blob, size: Size = 'usual'): Promise<Ready | undefined> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => undefined)
  if (!picture) return undefined
  try {
    if (picture.width * picture.height > MAX_PIXELS) return undefined
    const hash = thumbnail(picture)
    if (file.type === 'image/gif') return { blob: file, width: picture.width, height: picture.height, thumbhash: hash }
    const factor = Math.min(1, SIDE[size] / Math.max(picture.width, picture.height))
    const [width, height] = [Math.max(1, Math.round(picture.width * factor)), Math.max(1, Math.round(picture.height * factor))]
    const blob = await encode(draw(picture, width, height), QUALITY[size], size === 'sticker' ? 'image/png' : 'image/jpeg')
    return blob && { blob, width, height, thumbhash: hash }
  } finally {
    picture.close()
  }
}

/** A square picture of a person, at most 192 pixels wide. */
export async function prepareAvatar(file: Blob): Promise<{ blob: Blob; width: number; height: number } | undefined> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => undefined)
  if (!picture) return undefined
  const side = Math.min(picture.width, picture.height)
  const size = Math.min(192, side)
  const canvas = new OffscreenCanvas(size, size)
  canvas.getContext('2d')?.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, size, size)
  picture.close()
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 }) // every app reads it
  return { blob, width: size, height: size }
}

function draw(picture: ImageBitmap, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas')
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, width, height)
  return canvas
}

/** WebP where the browser writes it, `otherwise` elsewhere: one that cannot gives a PNG without a word. Stickers have holes, which JPEG has not. */
async function encode(canvas: OffscreenCanvas, quality: number, otherwise: string): Promise<Blob | undefined> {
  for (const type of ['image/webp', otherwise]) {
    const blob = await canvas.convertToBlob({ type, quality })
    if (blob.type === type) return blob
  }
  return undefined
}

function thumbnail(picture: ImageBitmap): string {
  const factor = Math.min(1, THUMB / Math.max(picture.width, picture.height))
  const [width, height] = [Math.max(1, Math.round(picture.width * factor)), Math.max(1, Math.round(picture.height * factor))]
  const data = draw(picture, width, height).getContext('2d')?.getImageData(0, 0, width, height)
  if (!data) throw new Error('no canvas')
  return thumbhash(width, height, data.data)
}
