// Keys with which posts are signed (docs/protocol/channels.md, "Signatures"): ours, made once and kept as the keys of the device are; and those of
// publishers, remembered when they are first met.

import type { SignatureState } from '../channels.ts'
import { Vault, vaultTurn } from '../crypto/vault.ts'
import type { JID, Micros } from '../model.ts'
import type { KeptPost } from '../store/channels.ts'
import { change, type Database } from '../store/database.ts'
import { fingerprint, fits, KEYS, publicKey, sign } from '../xmpp/channel-sign.ts'
import { signatureOf } from '../xmpp/channels.ts'
import { getItems, publish } from '../xmpp/pubsub.ts'
import type { Session } from '../xmpp/session.ts'
import { base64, fromBase64, StanzaError } from '../xmpp/stanza.ts'
import { el, parse, type Element } from '../xmpp/xml.ts'

const NAME = 'signing'
/** Keys that are remembered of one publisher. */
const MAX_KEYS = 40
/** How long what a publisher publishes is not asked again, in milliseconds. */
const FRESH = 60_000
const MAX_ASKED = 500

/** Keys of a publisher: public keys in base64 by their names. */
type Known = Record<string, string>

/** The keys of one account on this device. */
export class ChannelKeys {
  private told: string | undefined
  private readonly asked = new Map<JID, { at: number; keys: Promise<Known> }>()

  constructor(private readonly db: Database, private readonly account: JID, private readonly now: () => Micros) {}

  /** Signs a post with our key, which is made and published when it is not there. */
  async sign(session: Session, channel: string, item: string, entry: Element): Promise<Element> {
    const seed = await vaultTurn(this.account)(() => this.seed())
    await this.tell(session, publicKey(seed))
    return sign(seed, this.account, channel, item, entry)
  }

  private async seed(): Promise<Uint8Array<ArrayBuffer>> {
    const vault = await Vault.open(this.account)
    try {
      const kept = (await vault.load([NAME])).get(NAME)
      if (kept?.length === 32) return kept
      const fresh = crypto.getRandomValues(new Uint8Array(32))
      await vault.save(new Map([[NAME, fresh]]))
      return fresh
    } finally {
      vault.close()
    }
  }

  /** Publishes our key, once in the life of this tab, unless it stands there. */
  private async tell(session: Session, key: Uint8Array<ArrayBuffer>): Promise<void> {
    const name = await fingerprint(key)
    if (this.told === name) return
    if (!(await getItems(session, KEYS, { ids: [name] })).length) {
      await publish(session, KEYS, el(KEYS, 'key', {}, base64(key)), { persist_items: true, access_model: 'open', max_items: 20 }, name)
    }
    this.told = name
  }

  /** What the signature of a post is worth; `unchecked` when that cannot be told without the server and it cannot be asked now. */
  async check(session: Session | undefined, channel: string, post: KeptPost): Promise<SignatureState> {
    const entry = post.kind === 'post' && post.xml ? parse(post.xml) : undefined
    const signature = entry && signatureOf(entry)
    if (post.kind !== 'post' || !entry || !signature) return 'none'
    if (!signature.value || signature.by !== post.by) return 'bad'
    const known = await this.known(signature.by)
    const mine = known[signature.key]
    if (mine) return await fits(mine, channel, post.item, entry) ? 'good' : 'bad'
    if (!session) return 'unchecked'
    const now = await this.published(session, signature.by, post.entry)
    const key = now[signature.key]
    if (!key) return 'unknown'
    if (!await fits(key, channel, post.item, entry)) return 'bad'
    if (Object.keys(known).length && !Object.keys(known).some((name) => name in now)) return 'changed'
    await this.remember(signature.by, now)
    return 'good'
  }

  /** The keys that a publisher has now are believed, whatever was known before. */
  async believe(session: Session, publisher: JID): Promise<void> {
    this.asked.delete(publisher)
    await this.remember(publisher, await this.published(session, publisher, 0), true)
  }

  private async known(publisher: JID): Promise<Known> {
    return await this.db.get('kv', `signer ${publisher}`) as Known | undefined ?? {}
  }

  private remember(publisher: JID, keys: Known, anew = false): Promise<void> {
    return change(this.db, ['kv'], async (tx) => {
      const before = anew ? {} : await tx.objectStore('kv').get(`signer ${publisher}`) as Known | undefined
      const all = Object.entries({ ...before, ...keys }).slice(-MAX_KEYS)
      await tx.objectStore('kv').put(Object.fromEntries(all), `signer ${publisher}`)
    })
  }

  /** The keys that a publisher publishes, as they were asked after some time: who makes a new key publishes it before the first post that it signs. */
  private published(session: Session, publisher: JID, after: Micros): Promise<Known> {
    const asked = this.asked.get(publisher)
    if (asked && asked.at > after / 1000 && this.now() / 1000 - asked.at < FRESH) return asked.keys
    if (this.asked.size >= MAX_ASKED) this.asked.clear()
    const keys = this.fetch(session, publisher)
    this.asked.set(publisher, { at: this.now() / 1000, keys })
    keys.catch(() => { if (this.asked.get(publisher)?.keys === keys) this.asked.delete(publisher) })
    return keys
  }

  private async fetch(session: Session, publisher: JID): Promise<Known> {
    const items = await getItems(session, KEYS, { to: publisher, max: 20 }).catch((error: unknown) => {
      if (error instanceof StanzaError && !error.temporary) return [] // there are none for us
      throw error
    })
    const keys: Known = {}
    for (const { id, payload } of items.slice(0, MAX_KEYS)) {
      const bytes = payload?.is('key', KEYS) ? fromBase64(payload.text) : undefined
      if (bytes?.length === 32 && await fingerprint(bytes) === id) keys[id] = base64(bytes)
    }
    return keys
  }
}
