// How many panes fit: one below 45 rem, two above, a third from 80 rem (WEB.md §3). In rem of the text size that a person chose, because who
// enlarges text has less room.
import { computed, signal } from '@preact/signals'
import { prefs } from './prefs.ts'

const rem = 16
const side = signal(innerWidth)
addEventListener('resize', () => { side.value = innerWidth })
const browserRem = parseFloat(getComputedStyle(document.documentElement).fontSize) / prefs.textSize.peek() || rem
const room = computed(() => side.value / (browserRem * prefs.textSize.value))

/** wide is whether the list and a conversation stand beside each other. */
export const wide = computed(() => room.value >= 45)
/** desk is whether a third pane fits beside them. */
export const desk = computed(() => room.value >= 80)
