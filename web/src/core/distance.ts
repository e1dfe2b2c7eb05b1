import type { Place } from './model.ts'

const metresOfDegree = 111_320

/** metres is how far two places are apart, near enough for short ways. */
export function metres(a: Place, b: Place): number {
  const across = ((a.longitude - b.longitude + 540) % 360 - 180) * Math.cos((a.latitude * Math.PI) / 180)
  return Math.hypot(a.latitude - b.latitude, across) * metresOfDegree
}
