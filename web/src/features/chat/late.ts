// What few conversations need is loaded when the first of them is seen, with its texts.
import { signal, type Signal } from '@preact/signals'
import { loadPart } from '../../i18n/t.ts'

/** What shows and makes what can be opened once, as soon as it is here. */
export const once = signal<typeof import('./Once.tsx') | undefined>(undefined)
/** What a broadcast list shows besides. */
export const broadcast = signal<typeof import('./Broadcast.tsx') | undefined>(undefined)

/** What plays moving pictures. */
export const loop = signal<typeof import('./Loop.tsx') | undefined>(undefined)

/** Has something loaded, one at a time; what could not be had is tried again the next time. */
function wanting<T>(into: Signal<T | undefined>, load: () => Promise<T>, texts?: string): () => void {
  let asked: Promise<void> | undefined
  return () => { asked ??= Promise.all([load(), texts && loadPart(texts)]).then(([part]) => { into.value = part }).catch((error: unknown) => { asked = undefined; console.warn('part', error) }) }
}

/** wantOnce has what is about opening once loaded. */
export const wantOnce = wanting(once, () => import('./Once.tsx'), 'once')
/** wantBroadcast has what is about broadcast lists loaded. */
export const wantBroadcast = wanting(broadcast, () => import('./Broadcast.tsx'), 'broadcast')
/** wantLoop has what plays moving pictures loaded. */
export const wantLoop = wanting(loop, () => import('./Loop.tsx'))
