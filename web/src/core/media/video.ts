// Videos made ready to be sent, on this device: no larger than a screen, in a form that phones play, without what cameras write into them (where and
// when). H.264 in MP4 where the browser can, because everything plays it; VP9 or VP8 in WebM elsewhere. It runs in a worker (video-worker.ts), which is
// loaded with the first video that is sent: to read and write files of video it needs Mediabunny (MPL-2.0).

import {
  BlobSource, BufferTarget, Conversion, getFirstEncodableAudioCodec, getFirstEncodableVideoCodec, Input, MATROSKA, MP4, Mp4OutputFormat, Output, QTFF, Quality, WEBM, WebMOutputFormat,
  type ConversionOptions, type InputVideoTrack, type OutputFormat,
} from 'mediabunny'
import { expected, planVideo, type Plan, type VideoSize } from './plan.ts'

/** A video that is ready. */
export interface ReadyVideo { blob: Blob; width: number; height: number; seconds: number }

/** What is made is held in memory: no more than so many bytes. */
const MEMORY = 256 << 20
/** Packets that are looked at to know how many pictures there are in a second. */
const LOOKED = 120
/** Seconds between two pictures that stand by themselves. */
const KEY = 5
/** So many seconds may be missing at the end. */
const SLACK = 0.5
/** So much larger may a file become that only lost what cameras write into it. */
const SPARE = 64 << 10

/**
 * Makes a video ready; undefined for what is sent as it is, because the browser cannot read it, or it would become too large for memory. `progress` is
 * told shares of 0–1.
 */
export async function prepareVideo(file: Blob, size: VideoSize, progress: (share: number) => void): Promise<ReadyVideo | undefined> {
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] })
  try {
    if (!await input.canRead()) return undefined
    const track = await input.getPrimaryVideoTrack()
    if (!track) return undefined
    const seconds = await input.computeDuration()
    const plan = await planOf(track, seconds, file.size, size)
    const smaller = plan.worth && expected(plan, seconds) < MEMORY ? await convert(input, plan, progress) : undefined
    if (smaller && smaller.size < file.size * 0.95) return { blob: smaller, width: plan.width, height: plan.height, seconds }
    const clean = file.size < MEMORY ? await copy(input) : undefined
    if (!clean || clean.size > file.size + SPARE) return undefined
    return { blob: clean, width: await track.getDisplayWidth(), height: await track.getDisplayHeight(), seconds }
  } finally {
    input.dispose()
  }
}

async function planOf(track: InputVideoTrack, seconds: number, bytes: number, size: VideoSize): Promise<Plan> {
  const { averagePacketRate } = await track.computePacketStats(LOOKED)
  return planVideo({ width: await track.getDisplayWidth(), height: await track.getDisplayHeight(), seconds, rate: averagePacketRate, bytes }, size)
}

/** Makes it smaller; undefined when the browser cannot do that with all that is in it. */
async function convert(input: Input, plan: Plan, progress: (share: number) => void): Promise<Blob | undefined> {
  if (typeof VideoEncoder === 'undefined' || typeof VideoDecoder === 'undefined') return undefined
  const { width, height, rate, bits } = plan
  const quality = new Quality({ bitrate: bits })
  const codec = await getFirstEncodableVideoCodec(['avc', 'vp9', 'vp8'], { width, height, quality })
  if (!codec) return undefined
  const mp4 = codec === 'avc'
  const audio = await getFirstEncodableAudioCodec(mp4 ? ['aac', 'opus'] : ['opus'])
  return run(input, mp4 ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat(), {
    video: { codec, width, height, fit: 'contain', frameRate: rate, quality, keyFrameInterval: KEY, allowRotationMetadata: false },
    audio: audio ? { codec: audio } : {},
  }, progress)
}

/** The same pictures and sound in a new file, which has nothing else in it. */
async function copy(input: Input): Promise<Blob | undefined> {
  const format = await input.getFormat()
  const webm = format === WEBM || format === MATROSKA
  return run(input, webm ? new WebMOutputFormat() : new Mp4OutputFormat({ fastStart: 'in-memory' }), {})
}

async function run(input: Input, format: OutputFormat, how: Pick<ConversionOptions, 'video' | 'audio'>, progress?: (share: number) => void): Promise<Blob | undefined> {
  const target = new BufferTarget()
  const conversion = await Conversion.init({ input, output: new Output({ format, target }), tags: {}, ...how })
  const lost = conversion.discardedTracks.some(({ track }) => track.isVideoTrack() || track.isAudioTrack())
  if (!conversion.isValid || lost) return undefined
  if (progress) conversion.onProgress = progress
  try {
    await conversion.execute()
  } catch (error) {
    console.warn('video', error)
    return undefined
  }
  const { buffer } = target
  const made = buffer && new Blob([buffer], { type: format.mimeType })
  return made && await isWhole(made, input) ? made : undefined
}

/** Whether what was made has the pictures and the sound of what it was made of, to their ends: nobody shall lose a film to a faulty encoder. */
async function isWhole(made: Blob, input: Input): Promise<boolean> {
  const output = new Input({ source: new BlobSource(made), formats: [MP4, WEBM] })
  try {
    const lengths = async (of: Input) => Promise.all([of.getPrimaryVideoTrack(), of.getPrimaryAudioTrack()].map(async (track) => (await track)?.computeDuration()))
    const [before, after] = [await lengths(input), await lengths(output)]
    const whole = before.every((seconds, i) => seconds === undefined ? after[i] === undefined : (after[i] ?? -Infinity) > seconds * 0.95 - SLACK)
    if (!whole) console.warn('video', 'not whole', before, after)
    return whole
  } finally {
    output.dispose()
  }
}
