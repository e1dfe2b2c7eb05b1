// The leading tab of the account in use, for what is asked of it from outside the engine.

import type { Led } from './lead.ts'

let led: Led | undefined

/** Reaches it; undefined before an account is open. */
export const current = (): Led | undefined => led

/** An account was opened in this tab. */
export function setCurrent(opened: Led): void {
  led = opened
}
