// Addresses in what people write: the same are shown as links and may have a card. No DOM.

/** What looks like an address in a text. */
export const link = /\bhttps?:\/\/[^\s<>"']+|\bxmpp:[^\s<>"']+/giu

/** The longest address that has a card. */
const longest = 2048

/** trim cuts off what is not part of an address: the full stop that ends a sentence, the bracket around it. */
export function trim(url: string): string {
  const cut = url.replace(/[.,;:!?…»”’]+$/u, '')
  return cut.endsWith(')') && !cut.includes('(') ? cut.slice(0, -1) : cut
}

/** pageIn is the first address of a page in a text, undefined if there is none: one with the name of a site that can be whole. */
export function pageIn(text: string): string | undefined {
  for (const [found] of text.matchAll(link)) {
    const url = trim(found)
    if (url.length <= longest && /^https?:\/\/[^\s/?#@]+\.[^\s/?#@.]+(?:[/?#]\S*)?$/.test(url) && parses(url)) return url
  }
  return undefined
}

function parses(url: string): boolean {
  try { return !!new URL(url) } catch { return false }
}
