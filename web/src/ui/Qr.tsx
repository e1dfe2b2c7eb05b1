import type { JSX } from 'preact'
import { encode } from 'uqr'

/** Qr draws a QR code; `label` says what scanning it does. It throws for more than 2 KB. */
export function Qr({ text, label }: { text: string; label: string }): JSX.Element {
  const { data, size } = encode(text, { ecc: 'M', border: 2 })
  const path = data.map((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('')
  return <div class="qr"><svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}><path d={path} fill="#000" /></svg></div>
}
