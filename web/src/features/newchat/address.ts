// An address in what somebody typed, pasted or scanned: nadia@palabre.example, or xmpp:nadia@palabre.example?… (RFC 5122).

const address = /^[^\s"&'/:<>@]{1,256}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,253}[\p{L}\p{N}])?$/u
const longest = 2048

/** addressIn is the bare address in a text; undefined when there is none. */
export function addressIn(text: string): string | undefined {
  let found = text.trim().slice(0, longest)
  if (/^xmpp:/i.test(found)) {
    try { found = decodeURIComponent(found.slice('xmpp:'.length).replace(/^\/\/[^/]*\//, '').split(/[?#]/)[0] ?? '') } catch { return undefined }
  }
  const bare = found.split('/')[0]?.toLowerCase() ?? ''
  return address.test(bare) ? bare : undefined
}
