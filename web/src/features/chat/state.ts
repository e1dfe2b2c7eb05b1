// What the parts of an open conversation share: which chat, its window, what is answered or edited, what is selected.
import { signal } from '@preact/signals'
import type { Chat, Message } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import { toast } from '../../ui/toast.tsx'
import type { Timeline } from './timeline.ts'

/** The chat that is open. */
export const open = signal<Chat | undefined>(undefined)
/** The window over its messages. */
export const timeline = signal<Timeline | undefined>(undefined)
/** The message that is being answered. */
export const replying = signal<Message | undefined>(undefined)
/** The message of one's own that is being corrected. */
export const editing = signal<Message | undefined>(undefined)
/** Ids of selected messages; none means that nothing is being selected. */
export const selected = signal<ReadonlySet<string>>(new Set())
/** The message to which the eye is led. */
export const flashed = signal<string | undefined>(undefined)

const flashMs = 1700
/** What takes longer to be loaded is said to be loading. */
const quickMs = 700
/** Frames that a message which is in the page may take to be drawn. */
const mostFrames = 30
let scrollTo: (id: string) => boolean = () => false

/** onJump says how a message that is in the page is brought into view. */
export function onJump(scroll: (id: string) => boolean): void { scrollTo = scroll }

/** loadAround shows the window around a message or a place. False, said in words, when it cannot be had: then everything stays as it is. */
export async function loadAround(line: Timeline, at: string | number): Promise<boolean> {
  const slow = setTimeout(() => toast(t('jump.loading')), quickMs)
  const found = await line.around(at).catch((error: unknown) => { console.warn('jump', error); return false }).finally(() => clearTimeout(slow))
  if (!found && timeline.value === line) toast(t('jump.missing'))
  return found && timeline.value === line
}

/** jump brings a message into view, loading what stands around it if need be. */
export async function jump(id: string): Promise<void> {
  const line = timeline.value
  if (!line) return
  if (!line.messages.value.some((m) => m.id === id)) {
    if (!await loadAround(line, id)) return
  }
  for (let frames = 0; !scrollTo(id); frames++) { // it is drawn with one of the next frames
    if (frames === mostFrames) return
    await new Promise(requestAnimationFrame)
  }
  flashed.value = id
  setTimeout(() => { if (flashed.value === id) flashed.value = undefined }, flashMs)
}

/** select adds a message to the selection or takes it out. */
export function select(id: string): void {
  const next = new Set(selected.value)
  if (!next.delete(id)) next.add(id)
  selected.value = next
}

/** deselect ends selecting. */
export function deselect(): void { selected.value = new Set() }

/** chosen are the selected messages, in their order. */
export function chosen(): Message[] {
  return (timeline.value?.messages.value ?? []).filter((m) => selected.value.has(m.id))
}
