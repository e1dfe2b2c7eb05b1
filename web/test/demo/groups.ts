// Groups that live in memory: what screens ask of them is answered as the server would, a little later.
import type { Group, GroupLink, Groups, GroupSettings, JoinRequest, Member, MemberPage, MemberQuery } from '../../src/core/groups.ts'
import type { Chat, Content, JID } from '../../src/core/model.ts'
import { StanzaError } from '../../src/core/xmpp/stanza.ts'
import { contacts, me } from './people.ts'

const now = (): number => Date.now() * 1000
const wait = (ms = 80): Promise<void> => new Promise((go) => setTimeout(go, ms))
const person = (name: string): JID => `${name}@palabre.example`

/** What a group is like unless something else is said. */
export const usual: GroupSettings = { private: true, listed: false, writes: 'all', adds: 'all', edits: 'all', approval: false, history: false, slow: 0, anonymous: false }

/** demoGroup is a group with us in it. */
export function demoGroup(members: number, more: Partial<Group> = {}, settings: Partial<GroupSettings> = {}): Group {
  return { members, affiliation: 'member', nick: 'Nadia', version: 1, ...more, settings: { ...usual, ...settings } }
}

const names = ['Amina Benali', 'Karim', 'Rosa', 'João Silva', 'Fatou Ndiaye', 'Aïcha Diallo', 'Youssef Oubella', 'प्रिया शर्मा', 'عائشة ديالو']
const ids = ['amina', 'karim', 'rosa', 'joao', 'fatou', 'aicha', 'youssef', 'priya', 'aisha']

function memberAt(i: number): Member {
  if (i === 1) return { jid: me, nick: 'Nadia', affiliation: 'member' }
  const n = i > 1 ? i - 1 : i
  const jid = person(ids[n] ?? `m${n}`)
  return { jid, nick: names[n] ?? `Membre ${n}`, affiliation: n === 0 ? 'owner' : n === 1 ? 'admin' : 'member', ...(n === 2 ? { hats: ['Trésorière'] } : {}), ...(n === 5 ? { keyless: true as const } : {}) }
}

/** What the groups need of the engine around them. */
export interface Around { chat(jid: JID): Chat | undefined; put(chat: Chat): void; say(jid: JID, content: Content): void; change(message: string, by: JID, reason?: string): void }

/** DemoGroups answers what is asked about groups. */
export class DemoGroups {
  private readonly lists = new Map<JID, Member[]>()
  private links: GroupLink[] = [{ id: '1', by: person('amina'), uses: 9_988, expires: now() + 86_400e6 * 5 }, { id: '2', by: me, uses: 3, expires: now() + 86_400e6 * 20 }]
  private waiting: JoinRequest[] = [{ jid: person('hassan'), nick: 'Hassan El Fassi', time: now() - 3600e6, reason: 'Je suis le père de Lina, en CE2.' }, { jid: person('meera'), nick: 'मीरा', time: now() - 7200e6 }]

  constructor(private readonly around: Around) {}

  private list(jid: JID): Member[] {
    const known = this.lists.get(jid)
    if (known) return known
    const group = this.around.chat(jid)?.group
    const made = Array.from({ length: group?.members ?? 0 }, (_, i) => memberAt(i)).map((m) => (m.jid === me ? { ...m, affiliation: group?.affiliation ?? m.affiliation } : m))
    const rank = { owner: 0, admin: 1, member: 2, none: 3, outcast: 4 }
    this.lists.set(jid, made.sort((a, b) => rank[a.affiliation] - rank[b.affiliation]))
    return made
  }

  async members(jid: JID, { after, limit = 50, words = '', admins }: MemberQuery = {}): Promise<MemberPage> {
    const found = this.list(jid).filter((m) => (!admins || m.affiliation !== 'member') && words.toLowerCase().split(/\s+/).every((w) => m.nick.toLowerCase().includes(w) || m.jid.includes(w)))
    const from = Number(after ?? 0)
    return { members: found.slice(from, from + limit), ...(found.length > from + limit ? { next: String(from + limit) } : {}) }
  }

  private alter(jid: JID, change: Partial<Group>, chat: Partial<Chat> = {}): void {
    const known = this.around.chat(jid)
    if (known?.group) this.around.put({ ...known, ...chat, group: { ...known.group, ...change, version: now() } })
  }

  private line(jid: JID, key: string, more: { who?: JID[]; values?: Record<string, string> } = {}): void {
    const called = (more.who ?? []).map((one) => contacts.find((c) => c.jid === one)?.name ?? one.split('@')[0]).join(', ')
    this.around.say(jid, { type: 'system', key, by: me, ...(more.who ? { who: more.who } : {}), values: { by: 'Nadia', who: called, more: '', ...more.values } })
  }

  readonly groups: Groups = {
    create: async ({ name, description, members, settings }) => {
      await wait(400)
      const jid = `g${now()}@groups.palabre.example`
      this.around.put({ jid, kind: 'group', name, time: now(), unread: 0, protection: settings?.private === false ? 'none' : 'omemo', group: demoGroup(members.length + 1, { affiliation: 'owner', ...(description ? { description } : {}) }, settings) })
      this.line(jid, 'group-made')
      if (members.length) this.line(jid, 'group-added', { who: members.slice(0, 10), values: { more: String(Math.max(0, members.length - 10) || '') } })
      return { jid, refused: members.filter((m) => m.startsWith('nobody')).map((one) => ({ jid: one, why: 'unknown' as const })) }
    },
    add: async (jid, people) => {
      await wait()
      const group = this.around.chat(jid)?.group
      this.list(jid).push(...people.map((one): Member => ({ jid: one, nick: one.split('@')[0] ?? one, affiliation: 'member' })))
      this.alter(jid, { members: (group?.members ?? 0) + people.length })
      this.line(jid, 'group-added', { who: people })
      return []
    },
    invitations: async () => { await wait(); return [{ jid: person('priya'), time: now() - 5400e6 }] },
    remove: async (jid, one) => { this.drop(jid, one); this.line(jid, 'group-removed', { who: [one] }) },
    setRole: async (jid, one, as) => {
      for (const m of this.list(jid)) if (m.jid === one) m.affiliation = as
      this.alter(jid, {})
      this.line(jid, `group-${as}`, { who: [one] })
    },
    setInfo: async (jid, { name, description }) => {
      this.alter(jid, description === undefined ? {} : { description }, name === undefined ? {} : { name })
      if (name !== undefined) this.line(jid, 'group-name', { values: { name } })
    },
    setSettings: async (jid, change) => {
      await wait()
      const settings = this.around.chat(jid)?.group?.settings
      if (settings) this.alter(jid, { settings: { ...settings, ...change } }, change.private === undefined ? {} : { protection: change.private ? 'omemo' : 'none' })
    },
    setNick: async (jid, nick) => { if (nick === 'Amina Benali') throw new StanzaError('conflict'); this.alter(jid, { nick }) },
    makeLink: async (jid, { seconds = 604_800, uses = 10_000 } = {}) => {
      await wait()
      const made: GroupLink = { id: String(now()), by: me, uses, expires: now() + seconds * 1e6, uri: `xmpp:${jid}?join;token=hTq9xV3mWk2sPz81LmQn4R` }
      this.links = [...this.links, { ...made, uri: '' }]
      return made
    },
    links: async () => { await wait(); return this.links },
    revokeLink: async (_, id) => { this.links = this.links.filter((l) => l.id !== id) },
    preview: async (address) => {
      await wait()
      if (!address.includes('@')) throw new StanzaError('malformed')
      if (address.includes('over')) throw new StanzaError('item-not-found')
      const jid = address.split('?')[0] ?? address
      return { jid, name: 'Quartier Guéliz 🌴', description: 'Ce qui se passe dans le quartier : travaux, marché, coups de main.', members: 212, private: !address.startsWith('open'), joined: this.around.chat(jid)?.group !== undefined }
    },
    join: async (address) => {
      await wait(300)
      const jid = address.split('?')[0] ?? address
      if (jid.startsWith('approval')) return { jid, waits: true }
      this.around.put({ jid, kind: 'group', name: 'Quartier Guéliz 🌴', time: now(), unread: 0, protection: 'omemo', group: demoGroup(213) })
      this.around.say(jid, { type: 'system', key: 'group-joined', by: me, who: [me], values: { by: 'Nadia', who: 'Nadia', more: '' } })
      return { jid, waits: false }
    },
    requests: async () => { await wait(); return this.waiting },
    decide: async (_, one) => { this.waiting = this.waiting.filter((r) => r.jid !== one) },
    ban: async (jid, one) => { this.drop(jid, one); this.line(jid, 'group-banned', { who: [one] }) },
    unban: async () => { await wait() },
    banned: async () => { await wait(); return [person('spam'), 'trouble@elsewhere.example'] },
    leave: async (jid) => { this.alter(jid, { affiliation: 'none', ended: { how: 'left' } }) },
    destroy: async (jid, reason) => { this.alter(jid, { ended: { how: 'destroyed', by: me, ...(reason ? { reason } : {}) } }) },
    transfer: async (jid, to) => { for (const m of this.list(jid)) if (m.jid === to) m.affiliation = 'owner'; this.alter(jid, { affiliation: 'admin' }) },
    moderate: async (message, reason) => { this.around.change(message, me, reason) },
    decline: async (jid) => { const known = this.around.chat(jid); if (known) { const { request: _, ...rest } = known; this.around.put({ ...rest, archived: true }); this.alter(jid, { affiliation: 'none', ended: { how: 'left' } }) } },
    find: async (after) => ({ groups: Array.from({ length: 30 }, (_, i) => ({ jid: `open${i}@groups.palabre.example`, name: `Groupe ouvert ${i + (after ? 30 : 0)}` })), ...(after ? {} : { next: '30' }) }),
  }

  private drop(jid: JID, one: JID): void {
    const group = this.around.chat(jid)?.group
    this.lists.set(jid, this.list(jid).filter((m) => m.jid !== one))
    this.alter(jid, { members: (group?.members ?? 1) - 1 })
  }
}
