// The picture of a QR code, apart from what shows it: it is loaded when the first one is shown.
import { encode } from 'uqr'

/** draw gives a code as the path of its dark squares, and how many squares its side has. It throws for more than 2 KB. */
export function draw(text: string): { path: string; size: number } {
  const { data, size } = encode(text, { ecc: 'M', border: 2 })
  return { path: data.map((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')).join('')).join(''), size }
}
