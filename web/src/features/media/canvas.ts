// What the editor does to a picture: turned, cut and drawn upon, always on a new canvas, so that a step can be taken back.

/** A part of a picture, in its own pixels. */
export interface Area { x: number; y: number; w: number; h: number }

/** The longest side that is edited; larger pictures are made smaller first. */
export const longest = 2560

/** canvasOf draws a picture, upright, at most 2560 px long. It rejects for what is no picture. */
export async function canvasOf(file: Blob): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height))
  const canvas = make(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)))
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  return canvas
}

function make(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  return canvas
}

/** turned is the picture a quarter clockwise. */
export function turned(from: HTMLCanvasElement): HTMLCanvasElement {
  const to = make(from.height, from.width)
  const c = to.getContext('2d')
  c?.translate(to.width, 0)
  c?.rotate(Math.PI / 2)
  c?.drawImage(from, 0, 0)
  return to
}

/** cut is a part of the picture; what lies outside of it is left out of the part. */
export function cut(from: HTMLCanvasElement, { x, y, w, h }: Area): HTMLCanvasElement {
  const to = make(Math.max(1, Math.round(w)), Math.max(1, Math.round(h)))
  to.getContext('2d')?.drawImage(from, -Math.round(x), -Math.round(y))
  return to
}

/** drawn is the picture with a line through points upon it. */
export function drawn(from: HTMLCanvasElement, points: { x: number; y: number }[], colour: string): HTMLCanvasElement {
  const to = cut(from, { x: 0, y: 0, w: from.width, h: from.height })
  stroke(to, points, colour)
  return to
}

/** stroke draws a line at once; its width goes with the picture. */
export function stroke(canvas: HTMLCanvasElement, points: { x: number; y: number }[], colour: string): void {
  const c = canvas.getContext('2d')
  const first = points[0]
  if (!c || !first) return
  c.strokeStyle = colour
  c.lineWidth = Math.max(3, Math.max(canvas.width, canvas.height) / 130)
  c.lineCap = c.lineJoin = 'round'
  c.beginPath()
  c.moveTo(first.x, first.y)
  for (const p of points) c.lineTo(p.x, p.y)
  if (points.length === 1) c.lineTo(first.x + .1, first.y)
  c.stroke()
}

/** within keeps an area inside a picture and at least 32 pixels wide and high (less in smaller pictures). */
export function within({ x, y, w, h }: Area, width: number, height: number): Area {
  const least = Math.min(32, width, height)
  const ww = Math.max(least, Math.min(w, width)), hh = Math.max(least, Math.min(h, height))
  return { x: Math.max(0, Math.min(x, width - ww)), y: Math.max(0, Math.min(y, height - hh)), w: ww, h: hh }
}

/** blobOf is the canvas as a file. */
export function blobOf(canvas: HTMLCanvasElement): Promise<Blob | undefined> {
  return new Promise((done) => canvas.toBlob((blob) => done(blob ?? undefined), 'image/jpeg', .92))
}
