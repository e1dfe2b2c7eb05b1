// How many panes fit: one below 720 px, two or three above (WEB.md §3). A person who enlarges text has less room, so the limits are in rem.
import { signal } from '@preact/signals'

function watch(query: string): { value: boolean } {
  const list = matchMedia(query)
  const now = signal(list.matches)
  list.addEventListener('change', () => { now.value = list.matches })
  return now
}

/** wide is whether the list and a conversation stand beside each other. */
export const wide = watch('(min-width: 45rem)')
/** desk is whether a third pane fits beside them. */
export const desk = watch('(min-width: 80rem)')
