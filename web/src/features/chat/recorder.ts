// Recording a voice note: sound, its length, and 40 heights of its waveform (WEB.md §2.6). mp4 first, because iPhones do not play webm. Every second
// what was recorded is kept as the chat's draft, so that it outlives the tab; a lock says which tab has it in its hands.
import { signal } from '@preact/signals'
import { engine } from '../../app/session.ts'
import { lowData } from '../../ui/prefs.ts'

/** A finished recording; `kept`: it is the chat's voice draft of that name. */
export interface Recorded { blob: Blob; seconds: number; waveform: number[]; kept?: string }

/** What is being recorded: how it began, whether it goes on without a finger, and what came out when it was stopped to listen. */
export const recording = signal<{ since: number; locked: boolean; level: number; done?: Recorded } | undefined>(undefined)

const kinds = ['audio/mp4;codecs=opus', 'audio/mp4', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus']
const bars = 40
const highest = 15
const lookMs = 100
const pieceMs = 1000
const longestMs = 15 * 60_000
const shortest = .7

/** The draft of the chat is in another tab. */
export class InOtherTab extends Error {}

/** A recording in the hands of this tab. */
class Take {
  readonly id: string = crypto.randomUUID()
  readonly since = Date.now()
  kept = false
  private readonly pieces: Blob[] = []
  private readonly levels: number[] = []
  private told = 0
  private written: Promise<void> = Promise.resolve()
  private lost = false
  private readonly recorder: MediaRecorder
  private readonly context = new AudioContext()
  private readonly looking: ReturnType<typeof setInterval>
  private readonly ended: Promise<unknown>

  constructor(readonly jid: string, private readonly stream: MediaStream, private readonly trouble: () => void) {
    const mimeType = kinds.find((k) => MediaRecorder.isTypeSupported(k))
    this.recorder = new MediaRecorder(stream, { ...(mimeType ? { mimeType } : {}), audioBitsPerSecond: lowData.value ? 12_000 : 16_000 })
    this.recorder.addEventListener('dataavailable', (e) => this.take(e.data))
    this.ended = new Promise((done) => this.recorder.addEventListener('stop', done, { once: true }))
    this.recorder.start(pieceMs)
    this.looking = setInterval(this.listen(), lookMs)
  }

  get seconds(): number { return (Date.now() - this.since) / 1000 }

  private listen(): () => void {
    const analyser = this.context.createAnalyser()
    analyser.fftSize = 1024
    this.context.createMediaStreamSource(this.stream).connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    return () => {
      analyser.getFloatTimeDomainData(samples)
      const level = Math.min(1, Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length) * 4)
      this.levels.push(level)
      const now = recording.value
      if (!now || now.done || current !== this) return
      if (this.seconds * 1000 > longestMs) { void stop(); return }
      recording.value = { ...now, level }
    }
  }

  /** Keeps a piece after those before it. When one could not be kept, the later ones are of no use: who records is told, and goes on. */
  private take(sound: Blob): void {
    if (!sound.size) return
    const n = this.pieces.push(sound) - 1
    const { seconds } = this
    const levels = this.levels.slice(this.told)
    this.told = this.levels.length
    this.written = this.written.then(async () => {
      if (this.lost) return
      await engine().keepVoice(this.jid, this.id, { n, mime: this.recorder.mimeType, sound: await sound.arrayBuffer(), seconds, levels })
      this.kept = true
    }).catch((error: unknown) => {
      console.warn('voice draft', error)
      this.lost = true
      this.trouble()
    })
  }

  /** Ends it; fulfils when all that can be kept is. */
  async end(): Promise<Recorded> {
    const { seconds } = this
    if (this.recorder.state !== 'inactive') this.recorder.stop()
    clearInterval(this.looking)
    await this.ended
    for (const track of this.stream.getTracks()) track.stop()
    void this.context.close().catch(() => undefined)
    await this.written
    return { blob: new Blob(this.pieces, { type: this.recorder.mimeType }), seconds, waveform: waveform(this.levels), ...(this.kept ? { kept: this.id } : {}) }
  }
}

let current: Take | undefined
/** The chat whose microphone is on the screen. */
let here: string | undefined
/** Lets the draft go that this tab has in its hands. */
let letGo: () => void = () => undefined

/** Has a draft in the hands of this tab alone, until it lets go. Waits while another tab has it; undefined when `signal` ended that. */
function hold(id: string, signal?: AbortSignal): Promise<(() => void) | undefined> {
  return new Promise((held) => {
    navigator.locks.request(`palabre-voice-${id}`, { ...(signal ? { signal } : {}) }, () => new Promise<void>((free) => held(free))).catch(() => held(undefined))
  })
}

/** isHere is whether a chat's microphone is still on the screen. */
export const isHere = (jid: string): boolean => here === jid

/** begin says whose microphone is on the screen, until leave. */
export function begin(jid: string): void { here = jid }

/** start asks for the microphone and records. It rejects when a person or the device refuses, and with InOtherTab; `trouble` is told when it cannot be kept. */
export async function start(jid: string, locked: boolean, trouble: () => void): Promise<void> {
  if (await engine().voiceDraft(jid)) throw new InOtherTab()
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } })
  if (here !== jid || recording.value) { // the chat was left meanwhile, or its draft came back
    for (const track of stream.getTracks()) track.stop()
    throw new InOtherTab()
  }
  let take: Take
  try { take = current = new Take(jid, stream, trouble) } catch (error) {
    for (const track of stream.getTracks()) track.stop() // nobody records, so nothing may listen
    throw error
  }
  recording.value = { since: take.since, locked, level: 0 }
  const free = await hold(take.id)
  if (free) letGo = free
}

/** lock lets the recording go on without a finger. */
export function lock(): void {
  if (recording.value) recording.value = { ...recording.value, locked: true }
}

/** stop ends the recording and keeps it to listen to; undefined when it was too short to be meant. */
export async function stop(): Promise<Recorded | undefined> {
  const take = current, begun = recording.value
  if (begun?.done) return begun.done
  if (!take || !begun) return undefined
  current = undefined
  const done = await take.end()
  if (done.seconds < shortest) {
    if (isHere(take.jid)) forget()
    if (done.kept) await engine().dropVoice(take.jid, done.kept)
    return undefined
  }
  if (isHere(take.jid)) recording.value = { ...begun, locked: true, done }
  return done
}

/** cancel throws the recording away. */
export async function cancel(jid: string): Promise<void> {
  const take = current
  const kept = take ? (await abandon(take)).kept : recording.value?.done?.kept
  forget()
  if (kept) await engine().dropVoice(jid, kept)
}

/** leave puts down what is being recorded, or waits: it stays the draft of its chat. What is too short to be meant goes. */
export async function leave(jid: string): Promise<void> {
  const take = current
  const free = letGo
  letGo = () => undefined
  recording.value = undefined
  if (here === jid) here = undefined
  const left = take && await abandon(take)
  if (left?.kept && left.seconds < shortest) await engine().dropVoice(jid, left.kept)
  free()
}

/** restore brings the draft of a chat back, as soon as no other tab has it. */
export async function restore(jid: string, id: string, signal: AbortSignal): Promise<void> {
  if (current?.id === id || recording.value?.done?.kept === id) return
  const free = await hold(id, signal)
  if (!free) return
  const draft = await engine().voiceDraft(jid).catch(() => undefined)
  if (draft?.id !== id || signal.aborted || recording.value) return free()
  letGo = free
  recording.value = { since: 0, locked: true, level: 0, done: { blob: draft.blob, seconds: draft.seconds, waveform: waveform(draft.levels), kept: id } }
}

/** forget ends this tab's part: it was sent, or thrown away. */
export function forget(): void {
  recording.value = undefined
  letGo()
  letGo = () => undefined
}

function abandon(take: Take): Promise<Recorded> {
  current = undefined
  return take.end()
}

/** waveform reduces levels of 0–1 to 40 heights of 0–15, the loudest at the top. */
export function waveform(levels: number[]): number[] {
  const loudest = Math.max(.05, ...levels)
  return Array.from({ length: bars }, (_, i) => {
    const part = levels.slice(Math.floor((i * levels.length) / bars), Math.max(Math.floor((i * levels.length) / bars) + 1, Math.floor(((i + 1) * levels.length) / bars)))
    return Math.round((Math.max(0, ...part) / loudest) * highest)
  })
}
