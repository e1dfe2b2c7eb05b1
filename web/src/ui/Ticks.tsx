import type { JSX } from 'preact'
import type { State } from '../core/model.ts'
import { t } from '../i18n/t.ts'

const outlines: Record<State, JSX.Element> = {
  waiting: <><circle cx="9" cy="9" r="6.200" stroke-dasharray="2.600 2.200" /><path d="M9 5.600V9l2.300 1.500" /></>,
  sent: <path d="M3.500 9.800l3.300 3.300 7-7.200" />,
  delivered: <><path d="M1.200 9.800l3.100 3.100 6.700-7" /><path d="M8 12.200l.8.700L16 5.600" /></>,
  read: <><path d="M1.200 9.800l3.100 3.100 6.700-7" /><path d="M8 12.200l.8.700L16 5.600" /></>,
  failed: <><circle cx="9" cy="9" r="6.600" /><path d="M9 5.600v4M9 12.300v.1" /></>,
}

/** Ticks show how far a message of one's own has come: clock, one tick, two, two in lagoon, or a red circle; each with its name. */
export function Ticks({ state, quiet }: { state: State; quiet?: boolean }): JSX.Element {
  const name = quiet ? { 'aria-hidden': true } as const : { role: 'img', 'aria-label': t(`state.${state}`) } as const
  return <span class={`st ${state}`} {...name}><svg viewBox="0 0 18 18">{outlines[state]}</svg></span>
}
