// What follows once somebody is in. Each step is an address, so that a reload stays where it was.
import { keptLink } from '../../app/groups.ts'
import { chatPath } from '../../app/router.ts'
import { installable, installed, iosWeb } from '../../app/install.ts'

/** The steps after the account is there. */
export type Step = 'me' | 'recovery' | 'history' | 'install'

/** nextSteps is the address of a step; `to` is with whom the first chat opens. */
export function nextSteps(step: Step, to?: string | null): string {
  return `/welcome?step=${step}${to ? `&to=${encodeURIComponent(to)}` : ''}`
}

/** ending is where the last step leads: to the group whose link was opened first, to the chat with who invited, or to the list. */
export const ending = (to: string | null): string => (keptLink() ? '/g' : to ? chatPath(to) : '/')

/** afterKeys is what follows the keys: the hint to install, unless we are installed or cannot be. */
export const afterKeys = (to: string | null): string => (installed() || !(installable.value || iosWeb()) ? ending(to) : nextSteps('install', to))
