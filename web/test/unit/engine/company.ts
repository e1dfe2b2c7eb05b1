// Whole clients of a town who are in groups together.
import { Client } from './here.ts'
import type { Message } from '../../../src/core/model.ts'
import type { Town } from '../xmpp/town.ts'

type Options = Parameters<typeof Client.open>[2]

/** The newest messages of a group, as they stand on a device. */
export const messages = async (c: Client, jid: string): Promise<Message[]> => (await c.engine.page(jid, { before: Infinity, limit: 500, here: true })).messages

/** What was said: texts, '-' for what was taken back, '?' for what cannot be read. */
export const said = async (c: Client, jid: string): Promise<string[]> => (await messages(c, jid)).flatMap((m) => m.content.type === 'text' ? m.retracted ? '-' : m.content.text : m.content.type === 'undecryptable' ? '?' : [])

/** The keys of the lines of what changed. */
export const lines = async (c: Client, jid: string): Promise<string[]> => (await messages(c, jid)).flatMap((m) => m.content.type === 'system' ? m.content.key : [])

/** A client is in a group, and knows who else is. */
export const isIn = async (c: Client, jid: string): Promise<boolean> => {
  const group = (await c.db.get('chats', jid))?.group
  return !!group && group.affiliation !== 'none' && !group.ended && await c.db.get('kv', `members ${jid}`) === true
}

/** Clients of one test. */
export class Company {
  private readonly all: Client[] = []

  constructor(private readonly town: Town) {}

  /** Opens a client; it may not be connected yet. */
  async open(name: string, options?: Options): Promise<Client> {
    const one = await Client.open(this.town, name, options)
    this.all.push(one)
    return one
  }

  /** Opens a client, and waits until it is connected. */
  async client(name: string, options?: Options): Promise<Client> {
    return (await this.open(name, options)).live()
  }

  /** These have somebody among their contacts, who may add them to groups. */
  async know(who: Client, ...others: Client[]): Promise<void> {
    for (const c of others) if (!await c.db.get('contacts', who.jid)) await c.engine.addContact(who.jid)
    for (const c of others) await c.until(async () => {
      const contact = await c.db.get('contacts', who.jid)
      return !!contact && !contact.waits
    })
  }

  /** A group of these, made by the first; all have it. */
  async group(name: string, owner: Client, ...others: Client[]): Promise<string> {
    await this.know(owner, ...others)
    const { jid } = await owner.engine.group('create', { name, members: others.map((c) => c.jid) })
    for (const c of [owner, ...others]) await c.until(() => isIn(c, jid))
    return jid
  }

  /** All tabs are gone. */
  end(): void {
    for (const client of this.all.splice(0)) client.kill()
  }
}
