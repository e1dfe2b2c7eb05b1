// Why somebody did not get in, in the few words that the screens have for it (core/accounts.ts).

import { Trouble } from '../accounts.ts'
import { Refused } from '../xmpp/login.ts'
import { Broken } from '../xmpp/pipe.ts'
import { SaslError } from '../xmpp/sasl.ts'

/** The trouble that an error of a login is. */
export function entering(error: unknown): Trouble {
  if (error instanceof Trouble) return error
  if (error instanceof SaslError) return new Trouble(error.reason === 'password' ? 'password' : error.reason === 'no-mechanism' ? 'server' : 'certificate')
  if (error instanceof Refused) {
    if (error.condition === 'account-disabled') return new Trouble('disabled', error.text)
    if (error.condition === 'temporary-auth-failure') return new Trouble('busy', error.text)
    return new Trouble(/^(not-authorized|credentials-expired|invalid-authzid)$/.test(error.condition) ? 'password' : 'server', error.text)
  }
  return new Trouble(error instanceof Broken ? 'unreachable' : 'server')
}
