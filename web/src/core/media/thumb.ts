// A picture in at most 30 bytes, to be shown blurred until it is loaded: the slowest cosines of its brightness and colours, in the layout of
// ThumbHash (Evan Wallace, public domain). Pictures that are partly transparent are laid on white.

/** The longer side of what is hashed, in pixels. */
export const THUMB = 64
const MAX_L = 7

interface Channel { mean: number; scale: number; waves: number[] }

/** The hash of a picture of at most 64 × 64 pixels (RGBA), in base64. */
export function thumbhash(width: number, height: number, rgba: Uint8ClampedArray): string {
  if (width < 1 || height < 1 || width > THUMB || height > THUMB || rgba.length < width * height * 4) throw new RangeError('size of a thumbnail')
  const { l, p, q } = colours(width, height, rgba)
  const lx = Math.max(1, Math.round(MAX_L * width / Math.max(width, height)))
  const ly = Math.max(1, Math.round(MAX_L * height / Math.max(width, height)))
  const light = transform(l, width, height, Math.max(3, lx), Math.max(3, ly))
  const yellow = transform(p, width, height, 3, 3)
  const red = transform(q, width, height, 3, 3)
  const landscape = width > height
  const head = Math.round(63 * light.mean) | Math.round(31.5 + 31.5 * yellow.mean) << 6 | Math.round(31.5 + 31.5 * red.mean) << 12 | Math.round(31 * light.scale) << 18
  const tail = (landscape ? ly : lx) | Math.round(63 * yellow.scale) << 3 | Math.round(63 * red.scale) << 9 | (landscape ? 1 << 15 : 0)
  const bytes = [head & 255, head >> 8 & 255, head >> 16 & 255, tail & 255, tail >> 8 & 255]
  const waves = [light, yellow, red].flatMap((c) => c.waves)
  for (let i = 0; i < waves.length; i += 2) bytes.push(nibble(waves[i]) | nibble(waves[i + 1] ?? 0) << 4)
  return btoa(String.fromCharCode(...bytes))
}

const nibble = (wave = 0) => Math.max(0, Math.min(15, Math.round(15 * wave)))

/** Brightness, yellow against blue, red against green. */
function colours(width: number, height: number, rgba: Uint8ClampedArray): { l: number[]; p: number[]; q: number[] } {
  const [l, p, q]: [number[], number[], number[]] = [[], [], []]
  for (let i = 0; i < width * height * 4; i += 4) {
    const alpha = (rgba[i + 3] ?? 255) / 255
    const [r, g, b] = [0, 1, 2].map((c) => 1 - alpha + alpha * (rgba[i + c] ?? 0) / 255) as [number, number, number]
    l.push((r + g + b) / 3)
    p.push((r + g) / 2 - b)
    q.push(r - g)
  }
  return { l, p, q }
}

/** The cosines of a channel that are kept, each 0–1 around the middle. */
function transform(channel: number[], width: number, height: number, nx: number, ny: number): Channel {
  let mean = 0
  let scale = 0
  const waves: number[] = []
  for (let cy = 0; cy < ny; cy++) {
    for (let cx = 0; cx * ny < nx * (ny - cy); cx++) {
      const f = wave(channel, width, height, cx, cy)
      if (cx || cy) {
        waves.push(f)
        scale = Math.max(scale, Math.abs(f))
      } else mean = f
    }
  }
  return { mean, scale, waves: waves.map((f) => scale ? 0.5 + 0.5 / scale * f : 0.5) }
}

function wave(channel: number[], width: number, height: number, cx: number, cy: number): number {
  let f = 0
  for (let y = 0; y < height; y++) {
    const fy = Math.cos(Math.PI / height * cy * (y + 0.5))
    for (let x = 0; x < width; x++) f += (channel[x + y * width] ?? 0) * Math.cos(Math.PI / width * cx * (x + 0.5)) * fy
  }
  return f / (width * height)
}
