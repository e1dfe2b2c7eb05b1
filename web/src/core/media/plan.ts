// How small a video is made before it is sent: as large as a phone shows it, with as many bits as its pixels need.

/** How a video is sent: as usual, or larger when somebody asks for it. */
export type VideoSize = 'usual' | 'hd'

/** What is known of a video: as it is shown (turned upright), its length, pictures for each second, size in bytes. */
export interface Facts { width: number; height: number; seconds: number; rate: number; bytes: number }

/** What becomes of it. */
export interface Plan {
  width: number
  height: number
  /** Pictures for each second. */
  rate: number
  /** Of the pictures alone, in bits per second. */
  bits: number
  /** It is much larger than it has to be: to make it smaller is worth the time. */
  worth: boolean
}

/** The longer side of what is sent, in pixels. */
export const VIDEO_SIDE: Record<VideoSize, number> = { usual: 1280, hd: 1920 }
/** The most pictures for each second. */
const RATE = 30
/** Bits for each pixel of each picture; less than the least is not looked at with pleasure. */
const BITS = 0.07
const LEAST = 250_000
/** What sound takes, in bits per second. */
const SOUND = 128_000
/** What is not larger than this times what it would become is left as it is. */
const ENOUGH = 1.25

const even = (pixels: number) => Math.max(2, Math.round(pixels / 2) * 2)

/** Plans the video that is sent. */
export function planVideo({ width, height, seconds, rate, bytes }: Facts, size: VideoSize): Plan {
  const factor = Math.min(1, VIDEO_SIDE[size] / Math.max(width, height))
  const [w, h] = [even(width * factor), even(height * factor)]
  const pictures = Math.min(RATE, rate > 1 ? rate : RATE)
  const bits = Math.max(LEAST, Math.round(w * h * pictures * BITS))
  return { width: w, height: h, rate: Math.round(pictures), bits, worth: bytes * 8 > (bits + SOUND) * seconds * ENOUGH }
}

/** How large the result will be about, in bytes. */
export const expected = ({ bits }: Plan, seconds: number): number => (bits + SOUND) * seconds / 8
