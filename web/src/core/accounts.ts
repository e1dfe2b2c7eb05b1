// What can be asked before somebody is signed in, and about the accounts of this browser. The screens of features/onboarding and settings use
// it; app/open.ts says who keeps the promise.

import type { AccountSummary, JID, LinkState, Micros } from './model.ts'

/** Why somebody did not get in. `detail` is the server's own sentence, if it said one.
 * - `taken`, `unusable`: the name, or what was typed as one · `weak`: the password is refused
 * - `invitation`: unknown, used up, over, or taken back · `closed`: an account needs an invitation here
 * - `password`: address and password do not belong together · `disabled`: the account is suspended
 * - `unreachable`: no server answers · `certificate`: it answers, but not for this name · `insecure`: the page came without https
 * - `busy`: too many tries from here · `storage`: this browser keeps nothing (a private window, or full) · `server`: anything else */
export type TroubleCode =
  | 'taken' | 'unusable' | 'weak' | 'invitation' | 'closed' | 'password' | 'disabled' | 'unreachable' | 'certificate' | 'insecure' | 'busy' | 'storage' | 'server'

/** Trouble is what the promises here are rejected with. */
export class Trouble extends Error {
  override readonly name = 'Trouble'
  constructor(readonly code: TroubleCode, readonly detail = '') {
    super(`${code}${detail ? `: ${detail}` : ''}`)
  }
}

/** What an invitation says. */
export interface InvitationFacts {
  domain: string
  token: string
  /** Who invites, and becomes a contact; none for the operator. */
  inviter?: JID
  /** The only name that it is good for. */
  name?: string
  /** It makes an account; otherwise it only makes contacts. */
  account: boolean
  admin: boolean
  expires?: Micros
}

/** A link that has begun. */
export interface Linking {
  /** A person has compared the six digits. */
  compared(same: boolean): void
  /** Cancels it, if it is not done. */
  stop(): void
}

/** The accounts of this browser, and how to get one. */
export interface Accounts {
  /** Accounts that are signed in here, the one in use first. */
  list(): Promise<AccountSummary[]>
  /** What the server of this page says about an invitation; the token of a link. */
  invitation(token: string): Promise<InvitationFacts>
  /** Whether a name can be had with this invitation. */
  free(token: string, name: string): Promise<'free' | 'taken' | 'unusable'>
  /** Makes the account and keeps it as the one in use. If the way breaks after it was asked for, it finds out by signing in. */
  join(invitation: InvitationFacts, name: string, password: string): Promise<JID>
  /** Signs in and keeps the account as the one in use. The password itself is not kept when the server gives a token. */
  signIn(address: JID, password: string): Promise<JID>
  /** Links this browser to an account by another device of it: takes the code that this one shows, or shows one for it to an account's address
   * (docs/protocol/device-link.md). When it is done the account is kept as the one in use. */
  link(by: { scanned: string } | { address: JID }, show: (state: LinkState) => void): Linking
  /** Opens the history of the account in use with the code that was shown when it was made. */
  recover(code: string): Promise<void>
  /** Makes another account the one in use; load the page anew after it. */
  use(account: JID): Promise<void>
}
