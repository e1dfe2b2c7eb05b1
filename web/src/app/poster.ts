// What a video looks like: its size, its length, and a small picture out of it that goes with the message.
import { MAX_POSTER } from '../core/model.ts'

/** What is known of a video before it is sent; the length is not told by all files. */
export interface Looks { width: number; height: number; seconds?: number; poster?: string }

const sides = [320, 240, 160]
const types = ['image/webp', 'image/jpeg']
const quality = .5
/** No video needs so long to be looked at. */
const longestMs = 8000
/** The picture is taken at a tenth of the video, and not after its first seconds: the very first is often black. */
const part = .1
const latest = 3

/** lookAt opens a video and takes a picture out of it; it rejects for what the browser does not play. */
export async function lookAt(file: Blob): Promise<Looks> {
  const video = document.createElement('video')
  const url = URL.createObjectURL(file)
  video.muted = true
  video.preload = 'auto'
  try {
    const loaded = told(video, 'loadeddata')
    video.src = url
    await loaded
    const { videoWidth: width, videoHeight: height, duration } = video
    const known = Number.isFinite(duration)
    const looks: Looks = { width, height, ...(known ? { seconds: duration } : {}) }
    const poster = await picture(video, known ? Math.min(latest, duration * part) : 0).catch(() => undefined)
    return { ...looks, ...(poster ? { poster } : {}) }
  } finally {
    video.removeAttribute('src')
    video.load()
    URL.revokeObjectURL(url)
  }
}

async function picture(video: HTMLVideoElement, at: number): Promise<string | undefined> {
  if (at > 0) {
    const there = told(video, 'seeked')
    video.currentTime = at
    await there
  }
  const canvas = document.createElement('canvas')
  for (const side of sides) {
    const factor = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight))
    canvas.width = Math.max(1, Math.round(video.videoWidth * factor))
    canvas.height = Math.max(1, Math.round(video.videoHeight * factor))
    canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height)
    const made = types.map((type) => canvas.toDataURL(type, quality)).find((address, i) => address.startsWith(`data:${types[i]}`))
    if (made && made.length <= MAX_POSTER) return made
  }
  return undefined
}

function told(video: HTMLVideoElement, event: 'loadeddata' | 'seeked'): Promise<void> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error('the video takes too long')), longestMs)
    const end = (act: () => void) => () => { clearTimeout(timer); act() }
    video.addEventListener(event, end(done), { once: true })
    video.addEventListener('error', end(() => failed(new Error('not a video that this browser knows'))), { once: true })
  })
}
