// Addresses (RFC 7622): local@domain/resource. The server prepares them in full; here enough is done that one address has one spelling
// and that nothing unusable is asked of the server.

const MAX_PART = 1023
const encoder = new TextEncoder()
// RFC 7622 §3.3.1, and what PRECIS refuses beyond it: white space and control characters.
const BAD_LOCAL = /["&'/:<>@\s\p{C}\p{Z}]/u
const BAD_DOMAIN = /["&'/:<>@\s\\?#%[\]\p{Cc}]/u

const fits = (part: string) => part !== '' && encoder.encode(part).length <= MAX_PART

/** Reads an address and gives its usual spelling, undefined for what is none. */
export function parseJID(text: string): string | undefined {
  const [, local, domain, resource] = /^(?:([^@/]*)@)?([^@/]*)(?:\/([^]*))?$/.exec(text) ?? []
  const host = domain?.replace(/\.$/, '').normalize('NFC').toLowerCase()
  if (!host || !fits(host) || BAD_DOMAIN.test(host) || /(^|\.)(\.|$)/.test(host)) return undefined
  let out = host
  if (local !== undefined) {
    const name = local.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).toLowerCase().normalize('NFC')
    if (!fits(name) || BAD_LOCAL.test(name)) return undefined
    out = name + '@' + out
  }
  if (resource === undefined) return out
  const name = resource.normalize('NFC')
  return fits(name) && !/\p{Cc}/u.test(name) ? out + '/' + name : undefined
}

/** The address without its resource. */
export function bare(jid: string): string {
  const slash = jid.indexOf('/')
  return slash < 0 ? jid : jid.slice(0, slash)
}

/** The part behind the first slash, '' if there is none. */
export function resource(jid: string): string {
  const slash = jid.indexOf('/')
  return slash < 0 ? '' : jid.slice(slash + 1)
}

/** The part before the @, '' if there is none. */
export function local(jid: string): string {
  const name = bare(jid)
  return name.slice(0, Math.max(0, name.indexOf('@')))
}

/** The part behind the @, without the resource. */
export function domain(jid: string): string {
  const name = bare(jid)
  return name.slice(name.indexOf('@') + 1)
}
