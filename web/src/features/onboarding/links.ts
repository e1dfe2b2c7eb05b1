// Where an invitation leads: to this server, or to another.

/** Where to go with an invitation: its token for this server, or the address of the page of another. */
export type Where = { kind: 'here'; token: string } | { kind: 'there'; host: string; url: string }

const token = /^[\w-]{8,64}$/
const web = /^https?:\/\/([^/?#]+)\/(?:invite|join)\/([\w-]{8,64})\/?(?:[?#].*)?$/
const uri = /^xmpp:(?:[^@?/]*@)?([^@?/]+)\?(?:register|roster)[;&].*preauth=([\w-]{8,64})/

/** whereOf reads an invitation: a link to a page, an xmpp: link, or the token alone; undefined when it is none. */
export function whereOf(text: string): Where | undefined {
  const typed = text.trim()
  if (token.test(typed)) return { kind: 'here', token: typed }
  const [, host, code] = web.exec(typed) ?? uri.exec(typed) ?? []
  if (!host || !code) return undefined
  const here = host === location.host || host === location.hostname
  return here ? { kind: 'here', token: code } : { kind: 'there', host, url: `https://${host}/join/${code}` }
}
