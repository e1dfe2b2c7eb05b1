// Addresses as people type and scan them.

const wellFormed = /^[^@\s/"&'<>:]{1,255}@[^@\s/?#;]{1,255}$/u

/** addressIn finds the address in a text that was typed, pasted or scanned: name@server, an xmpp: link, or a code with keys. Undefined for none. */
export function addressIn(text: string): string | undefined {
  const typed = text.trim()
  const [, inside] = /^xmpp:([^?#]+)/i.exec(typed) ?? []
  let address = inside ?? typed
  if (inside) try { address = decodeURIComponent(inside) } catch { return undefined }
  address = address.toLowerCase()
  return wellFormed.test(address) ? address : undefined
}
