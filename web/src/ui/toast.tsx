// Short words about what has just been done, and the one polite live region of the page: what is said there is heard once.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'

interface Shown { id: number; text: string; action?: { label: string; act: () => void } | undefined }

const shown = signal<Shown[]>([])
const spoken = signal('')
const maxShown = 3
const stays = 6000
let next = 1

/** toast shows a sentence for a few seconds, with at most one thing to do (such as undo), and says it. */
export function toast(text: string, action?: { label: string; act: () => void }): void {
  const id = next++
  shown.value = [...shown.value, { id, text, action }].slice(-maxShown)
  say(text)
  setTimeout(() => drop(id), stays)
}

/** say has a screen reader speak a sentence, politely. */
export function say(text: string): void {
  spoken.value = ''
  queueMicrotask(() => { spoken.value = text })
}

function drop(id: number): void {
  shown.value = shown.value.filter((s) => s.id !== id)
}

/** Toasts draws both; the shell has it once. */
export function Toasts(): JSX.Element {
  return (
    <>
      <div class="toasts" role="log" aria-live="off">{/* said below, in one voice with all else */}
        {shown.value.map((s) => (
          <div class="toast" key={s.id}>
            {s.text}
            {s.action && <button type="button" onClick={() => { s.action?.act(); drop(s.id) }}>{s.action.label}</button>}
          </div>
        ))}
      </div>
      <div class="vh" aria-live="polite" id="said">{spoken}</div>
    </>
  )
}
