// A picture in at most 30 bytes (ThumbHash by Evan Wallace, public domain idea): a few cosines of brightness and colour. Read here only; what
// does not make sense gives nothing.

export interface Pixels { width: number; height: number; pixels: Uint8ClampedArray<ArrayBuffer> }

const side = 32
const shortest = 5
const longest = 30

function bytesOf(hash: string): Uint8Array | undefined {
  try {
    const raw = atob(hash)
    if (raw.length < shortest || raw.length > longest) return undefined
    return Uint8Array.from(raw, (c) => c.charCodeAt(0))
  } catch { return undefined }
}

/** blurred gives the pixels of a hash in base64; undefined for what is none. */
export function blurred(hash: string): Pixels | undefined {
  const bytes = bytesOf(hash)
  if (!bytes) return undefined
  const at = (i: number): number => bytes[i] ?? 0
  const head = at(0) | (at(1) << 8) | (at(2) << 16), tail = at(3) | (at(4) << 8)
  const hasAlpha = (head >> 23) !== 0, landscape = (tail >> 15) !== 0
  const lx = Math.max(3, landscape ? (hasAlpha ? 5 : 7) : tail & 7), ly = Math.max(3, landscape ? tail & 7 : hasAlpha ? 5 : 7)
  let nibble = 0
  const start = hasAlpha ? 6 : 5
  const channel = (nx: number, ny: number, scale: number): number[] => {
    const ac: number[] = []
    for (let cy = 0; cy < ny; cy++) for (let cx = cy ? 0 : 1; cx * ny < nx * (ny - cy); cx++) { ac.push(((((at(start + (nibble >> 1)) >> ((nibble & 1) << 2)) & 15) / 7.5) - 1) * scale); nibble++ }
    return ac
  }
  const l = channel(lx, ly, ((head >> 18) & 31) / 31), p = channel(3, 3, (((tail >> 3) & 63) / 63) * 1.25), q = channel(3, 3, (((tail >> 9) & 63) / 63) * 1.25)
  const means = { l: (head & 63) / 63, p: ((head >> 6) & 63) / 31.5 - 1, q: ((head >> 12) & 63) / 31.5 - 1 }
  const ratio = lx / ly
  const width = Math.round(ratio > 1 ? side : side * ratio), height = Math.round(ratio > 1 ? side / ratio : side)
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      const wave = (nx: number, ny: number, ac: number[], mean: number): number => {
        let sum = mean, j = 0
        for (let cy = 0; cy < ny; cy++) {
          const fy = Math.cos((Math.PI / height) * (y + .5) * cy) * 2
          for (let cx = cy ? 0 : 1; cx * ny < nx * (ny - cy); cx++, j++) sum += (ac[j] ?? 0) * Math.cos((Math.PI / width) * (x + .5) * cx) * fy
        }
        return sum
      }
      const light = wave(lx, ly, l, means.l), pp = wave(3, 3, p, means.p), qq = wave(3, 3, q, means.q)
      const blue = light - (2 / 3) * pp, red = (3 * light - blue + qq) / 2
      pixels.set([255 * red, 255 * (red - qq), 255 * blue, 255], i)
    }
  }
  return { width, height, pixels }
}
