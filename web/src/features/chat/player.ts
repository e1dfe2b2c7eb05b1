// The one player of voice notes: only one sounds at a time, and when it ends the next one that was not heard yet begins.
import { signal } from '@preact/signals'
import type { Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { prefs } from '../../ui/prefs.ts'
import { whenHere } from './bytes.ts'
import { timeline } from './state.ts'

/** Speeds, in the order in which a button changes them. */
export const rates: readonly number[] = [1, 1.5, 2]

/** What sounds, or has stopped in the middle. */
export const playing = signal<{ id: string; on: boolean; at: number; length: number } | undefined>(undefined)

const audio = new Audio()
let url = ''
let current: Message | undefined

audio.preload = 'auto'
audio.addEventListener('timeupdate', tell)
audio.addEventListener('play', tell)
audio.addEventListener('pause', tell)
audio.addEventListener('ended', () => { playing.value = undefined; void next() })

function tell(): void {
  if (!current || audio.ended) return
  const known = 'media' in current.content ? current.content.media.seconds ?? 0 : 0
  playing.value = { id: current.id, on: !audio.paused, at: audio.currentTime, length: Number.isFinite(audio.duration) ? audio.duration : known }
}

/** toggle plays a voice note or stops it; false when its bytes are not here. */
export async function toggle(message: Message): Promise<boolean> {
  if (current?.id === message.id && url) {
    if (audio.paused) await audio.play(); else audio.pause()
    return true
  }
  if (!('media' in message.content)) return false
  const blob = await engine().bytes(message.content.media.key)
  if (!blob) return false
  if (url) URL.revokeObjectURL(url)
  current = message
  audio.src = url = URL.createObjectURL(blob)
  audio.playbackRate = prefs.voiceRate.value
  await audio.play()
  if (!message.own && !message.content.media.played) void engine().played(message.id)
  return true
}

/** seek goes to a place, in seconds. */
export function seek(message: Message, seconds: number): void {
  if (current?.id !== message.id) return
  audio.currentTime = seconds
  tell()
}

/** faster changes the speed to the next. */
export function faster(): void {
  const at = rates.indexOf(prefs.voiceRate.value)
  const next = rates[(at + 1) % rates.length] ?? 1
  prefs.voiceRate.value = next
  audio.playbackRate = next
}

/** hush stops whatever sounds, as when the conversation is left. */
export function hush(): void {
  audio.pause()
  if (url) URL.revokeObjectURL(url)
  url = ''
  current = undefined
  playing.value = undefined
}

async function next(): Promise<void> {
  const all = timeline.value?.messages.value ?? []
  const after = all.slice(all.findIndex((m) => m.id === current?.id) + 1).find((m) => m.content.type === 'voice' && !m.own && !m.content.media.played && !m.retracted)
  if (!after || await toggle(after)) return
  // It has to come first; meanwhile somebody may have begun another one.
  if ('media' in after.content && await whenHere(after, after.content.media.key) && !playing.value) await toggle(after)
}
