// Recording a voice note: sound, its length, and 40 heights of its waveform (WEB.md §2.6). mp4 first, because iPhones do not play webm.
import { signal } from '@preact/signals'
import { lowData } from '../../ui/prefs.ts'

/** A finished recording. */
export interface Recorded { blob: Blob; seconds: number; waveform: number[] }

/** What is being recorded: how it began, whether it goes on without a finger, and what came out when it was stopped to listen. */
export const recording = signal<{ since: number; locked: boolean; level: number; done?: Recorded } | undefined>(undefined)

const kinds = ['audio/mp4;codecs=opus', 'audio/mp4', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus']
const bars = 40
const highest = 15
const lookMs = 100
const longestMs = 15 * 60_000
const shortest = .7

let recorder: MediaRecorder | undefined
let stream: MediaStream | undefined
let context: AudioContext | undefined
let looking: ReturnType<typeof setInterval> | undefined
let peaks: number[] = []
let pieces: Blob[] = []

/** start asks for the microphone and records. It rejects when a person or the device refuses. */
export async function start(locked: boolean): Promise<void> {
  cancel()
  stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } })
  const mimeType = kinds.find((k) => MediaRecorder.isTypeSupported(k))
  recorder = new MediaRecorder(stream, { ...(mimeType ? { mimeType } : {}), audioBitsPerSecond: lowData.value ? 12_000 : 16_000 })
  pieces = []
  peaks = []
  recorder.addEventListener('dataavailable', (e) => pieces.push(e.data))
  recorder.start(1000)
  recording.value = { since: Date.now(), locked, level: 0 }
  listen(stream)
}

function listen(from: MediaStream): void {
  context = new AudioContext()
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  context.createMediaStreamSource(from).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  looking = setInterval(() => {
    analyser.getFloatTimeDomainData(samples)
    const level = Math.min(1, Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length) * 4)
    peaks.push(level)
    const now = recording.value
    if (!now || now.done) return
    if (Date.now() - now.since > longestMs) { void stop(); return }
    recording.value = { ...now, level }
  }, lookMs)
}

/** lock lets the recording go on without a finger. */
export function lock(): void {
  if (recording.value) recording.value = { ...recording.value, locked: true }
}

/** stop ends the recording and keeps it to listen to; undefined when it was too short to be meant. */
export async function stop(): Promise<Recorded | undefined> {
  const active = recorder, begun = recording.value
  if (!active || !begun) return undefined
  if (begun.done) return begun.done
  const seconds = (Date.now() - begun.since) / 1000
  const ended = new Promise((done) => active.addEventListener('stop', done, { once: true }))
  active.stop()
  await ended
  const done = { blob: new Blob(pieces, { type: active.mimeType }), seconds, waveform: waveform(peaks) }
  release()
  if (seconds < shortest) { recording.value = undefined; return undefined }
  recording.value = { ...begun, locked: true, done }
  return done
}

/** cancel throws the recording away. */
export function cancel(): void {
  if (recorder && recorder.state !== 'inactive') recorder.stop()
  release()
  recording.value = undefined
}

function release(): void {
  clearInterval(looking)
  stream?.getTracks().forEach((track) => track.stop())
  void context?.close().catch(() => undefined)
  recorder = undefined
  stream = undefined
  context = undefined
}

/** waveform reduces levels of 0–1 to 40 heights of 0–15, the loudest at the top. */
export function waveform(levels: number[]): number[] {
  const loudest = Math.max(.05, ...levels)
  return Array.from({ length: bars }, (_, i) => {
    const part = levels.slice(Math.floor((i * levels.length) / bars), Math.max(Math.floor((i * levels.length) / bars) + 1, Math.floor(((i + 1) * levels.length) / bars)))
    return Math.round((Math.max(0, ...part) / loudest) * highest)
  })
}
