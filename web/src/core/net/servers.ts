// Where an account's servers are: those that its domain tells (XEP-0156), kept on the device for the time when the domain does not answer. The
// first is the usual one, the others stand in for it.

/** How many are kept and tried. */
export const MAX_SERVERS = 8
/** How long a list is good before the domain is asked again, and how long the answer may take, in milliseconds. */
const FRESH = 3600_000
const PATIENCE = 8_000
const MAX_DOCUMENT = 1 << 16

/** Keeps a few words on the device; what is not there is undefined. */
export interface Kept {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
}

interface List { urls: string[]; asked: number }

/** Says whether an address can be used: encrypted, or within this machine. */
export function usable(url: string): boolean {
  try {
    const { protocol, hostname } = new URL(url)
    return url.length < 1000 && (protocol === 'wss:' || (protocol === 'ws:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)))
  } catch {
    return false
  }
}

/** The addresses that a host-meta document names, at most 8. */
export function readHostMeta(text: string): string[] {
  let meta: unknown
  try {
    meta = text.length > MAX_DOCUMENT ? undefined : JSON.parse(text)
  } catch {
    return []
  }
  const links = meta && typeof meta === 'object' && 'links' in meta && Array.isArray(meta.links) ? meta.links as unknown[] : []
  const urls = links.flatMap((link) => {
    const { rel, href } = (link ?? {}) as { rel?: unknown; href?: unknown }
    return rel === 'urn:xmpp:alt-connections:websocket' && typeof href === 'string' && usable(href) ? [href] : []
  })
  return [...new Set(urls)].slice(0, MAX_SERVERS)
}

function isList(value: unknown): value is List {
  const list = value as Partial<List> | undefined
  return !!list && Array.isArray(list.urls) && list.urls.every((u) => typeof u === 'string' && usable(u)) && typeof list.asked === 'number'
}

/** The servers of one domain. */
export class Servers {
  private readonly key: string
  private asking: Promise<void> | undefined

  /** `own` is the address beside this page, where it was served from the same domain: it is tried even if nobody tells of it. */
  constructor(private readonly domain: string, private readonly kept: Kept, private readonly own?: string,
    private readonly origin = 'https://' + domain, private readonly load: typeof fetch = (...args) => fetch(...args)) {
    this.key = 'servers ' + domain
  }

  /**
   * The addresses in the order in which to try them. What the device knows is given at once and asked for again in the background; only a device that
   * knows nothing waits for the domain. With no answer and nothing known it is the domain itself.
   */
  async list(): Promise<string[]> {
    const known = await this.read()
    if (!known || Date.now() - known.asked > FRESH || known.asked > Date.now()) {
      this.asking ??= this.ask().finally(() => { this.asking = undefined })
      if (!known && !this.own) await this.asking
    }
    const told = (await this.read())?.urls ?? []
    const all = [...told, ...(this.own ? [this.own] : [])]
    return [...new Set(all.length ? all : [`wss://${this.domain}/ws`])].slice(0, MAX_SERVERS)
  }

  private async read(): Promise<List | undefined> {
    const value = await this.kept.get(this.key).catch(() => undefined)
    return isList(value) ? value : undefined
  }

  /** Asks the domain. An answer that names nothing, or none, changes nothing. */
  private async ask(): Promise<void> {
    try {
      const answer = await this.load(this.origin + '/.well-known/host-meta.json', { credentials: 'omit', signal: AbortSignal.timeout(PATIENCE) })
      const urls = answer.ok ? readHostMeta(await answer.text()) : []
      if (urls.length) await this.kept.set(this.key, { urls, asked: Date.now() } satisfies List)
    } catch {
      // No network, or no such page: the list that is known stays good, and the connection says what is wrong.
    }
  }
}
