// Reads the logs of channels (XEP-0313): the newest page first, then back to where a log was read before.

import type { Micros } from '../model.ts'
import { change } from '../store/database.ts'
import { parseEntry } from '../xmpp/channels.ts'
import { queryArchive } from '../xmpp/mam.ts'
import { keepEntries, range } from './channel-keep.ts'
import type { ChannelLead } from './channel-lead.ts'

const PAGE = 50
/** Pages that are read back to where the log was read before: what is older is read when somebody looks for it. */
const MAX_BACK = 5

/** The logs of the channels of one account. */
export class ChannelLogs {
  private readonly filling = new Map<string, Promise<void>>()

  constructor(private readonly lead: ChannelLead) {}

  /** Reads the newest page of a log, if it has more than is here, and back to where it was read before. */
  async upTo(name: string, newest: Micros): Promise<void> {
    const { db } = this.lead.around
    if (((await db.get('channels', name))?.kept?.to ?? -1) >= newest) return this.checkSignatures(name)
    await this.read(name, '')
    await this.fill(name)
  }

  /** Closes the gap of a channel, and checks what was read. One run at a time. */
  fill(name: string): Promise<void> {
    let run = this.filling.get(name)
    if (!run) this.filling.set(name, run = this.fillUp(name).finally(() => this.filling.delete(name)))
    return run
  }

  private async fillUp(name: string): Promise<void> {
    for (let pages = 0; pages < MAX_BACK; pages++) {
      const channel = await this.lead.around.db.get('channels', name)
      const few = pages === 0 && channel?.kept?.before && await this.lead.around.db.count('posts', range(name, channel.kept.from)) < 10
      if (!channel?.kept || !(channel.old ?? few)) break
      await this.read(name, String(channel.kept.from))
    }
    await this.checkSignatures(name)
  }

  /** Reads a page of a log that ends before an entry, '' for the newest. False when it had nothing. */
  async read(name: string, before: string): Promise<boolean> {
    const { db, account } = this.lead.around
    const service = await this.lead.service()
    const { messages } = await queryArchive(this.lead.around.session(), { at: service, node: name, before, max: PAGE })
    const entries = messages.flatMap(({ id, stanza }) => {
      const entry = parseEntry(stanza)
      return entry?.name === name && String(entry.id) === id ? entry : []
    }).sort((a, b) => a.id - b.id)
    if (!entries.length) return false
    await keepEntries(db, account, entries, before === '')
    this.lead.tell([name])
    return true
  }

  /** Reads a page before what is here. */
  async older(name: string): Promise<boolean> {
    const kept = (await this.lead.around.db.get('channels', name))?.kept
    if (!kept?.before) return false
    const more = await this.read(name, String(kept.from))
    await this.checkSignatures(name)
    return more
  }

  /** Checks the signatures of a channel that were not checked yet; with `again` also those by keys that were not known. */
  async checkSignatures(name: string, again = false): Promise<void> {
    const { db } = this.lead.around
    const posts = (await db.getAll('posts', range(name, 0))).filter((p) => p.kind === 'post' && p.xml && (again || p.signature === 'unchecked'))
    if (!posts.length) return
    const address = await this.lead.address(name)
    const session = this.lead.around.session()
    for (const post of posts) {
      const signature = await this.lead.keys.check(session, address, post)
      if (signature === 'unchecked' || (post.kind === 'post' && signature === post.signature)) continue
      await change(db, ['posts'], async (tx) => {
        const now = await tx.objectStore('posts').get([name, post.entry])
        if (now?.kind !== 'post' || now.xml !== post.xml) return
        const { xml, ...rest } = now
        await tx.objectStore('posts').put({ ...rest, signature, ...(signature === 'changed' || signature === 'unknown' ? { xml } : {}) })
      }, 'relaxed')
    }
    this.lead.tell([name])
  }
}
