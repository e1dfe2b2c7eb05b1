// What few messages need is loaded when the first of them is seen, with its texts.
import { signal } from '@preact/signals'
import { loadPart } from '../../i18n/t.ts'

/** What shows and makes what can be opened once, as soon as it is here. */
export const once = signal<typeof import('./Once.tsx') | undefined>(undefined)

let asked: Promise<void> | undefined

/** wantOnce has it loaded; what could not be had is tried again the next time. */
export function wantOnce(): void {
  asked ??= Promise.all([import('./Once.tsx'), loadPart('once')]).then(([part]) => { once.value = part }).catch((error: unknown) => { asked = undefined; console.warn('view once', error) })
}
