// What administrators ask their server (docs/protocol/admin.md).

import type { Admin, AdminAccount, AdminHealth, AdminInvitation, AdminPurse, AdminReport, Facts } from '../admin.ts'
import type { Micros } from '../model.ts'
import { visible, type Evidence } from '../pay.ts'
import { domain } from './jid.ts'
import { ADMIN } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { parseTime } from './time.ts'
import { el, type Element } from './xml.ts'

const MAX_ROWS = 1000
const MAX_POINTS = 1440

const count = (text: string | undefined): number => /^\d{1,15}$/.test(text ?? '') ? Number(text) : 0
const is = (text: string | undefined): boolean => text === 'true'
const some = (text: string | undefined): string | undefined => text?.slice(0, 4000) || undefined
const day = (text: string | undefined): Micros | undefined => parseTime(/^\d{4}-\d\d-\d\d$/.test(text ?? '') ? `${text}T00:00:00Z` : text)
const web = (text: string | undefined): string | undefined => /^https:\/\/\S+$/.test(text ?? '') ? text : undefined

const account = (e: Element): AdminAccount => ({
  name: e.attr('name') ?? '', admin: e.attr('role') === 'admin', created: parseTime(e.attr('created')) ?? 0, seen: day(e.attr('seen')),
  disabled: is(e.attr('disabled')), online: is(e.attr('online')), devices: count(e.attr('devices')), bytes: count(e.attr('bytes')),
})

const invitation = (e: Element): AdminInvitation => ({
  id: some(e.attr('id')), by: some(e.attr('by')), name: some(e.attr('name')), admin: is(e.attr('admin')), uses: count(e.attr('uses')),
  expires: parseTime(e.attr('expires')) ?? 0, uri: some(e.attr('uri')), web: web(e.attr('web')),
})

const report = (e: Element): AdminReport => ({
  id: e.attr('id') ?? '', at: parseTime(e.attr('at')) ?? 0, jid: e.attr('jid') ?? '', by: e.attr('by') ?? '', kind: e.attr('kind') ?? '',
  words: e.text.slice(0, 4000), messages: count(e.attr('messages')), handled: is(e.attr('handled')),
})

const facts = (e: Element): Facts =>
  Object.fromEntries(e.children('fact').slice(0, MAX_ROWS).map((f) => [f.attr('name') ?? '', f.attr('value') ?? '']))

const values = (text: string): (number | null)[] =>
  text.split(/\s+/).filter(Boolean).slice(-MAX_POINTS).map((v) => v !== '-' && Number.isFinite(Number(v)) ? Number(v) : null)

const health = (e: Element): AdminHealth => ({
  at: parseTime(e.attr('at')) ?? 0, every: count(e.attr('every')) || 60, facts: facts(e),
  series: Object.fromEntries(e.children('series').slice(0, 100).map((s) => [s.attr('name') ?? '', values(s.text)])),
})

/** row is an element's attributes, and its text, or that of its children. */
const row = (e: Element): Facts => {
  const words = [e.text, ...e.children('words').map((w) => w.text)].map((w) => w.trim()).filter(Boolean).join('\n')
  return { ...Object.fromEntries(Object.entries(e.attrs).map(([name, value]) => [name, value.slice(0, 4000)])), words: words.slice(0, 20_000) }
}
/** evidence is what a side of a dispute has shown. */
const evidence = (e: Element): Evidence => {
  const some = (name: string, most: number): Record<string, string> => { const text = visible(e.attr(name)?.slice(0, most) ?? ''); return text ? { [name]: text } : {} }
  return { by: e.attr('by') ?? '', time: parseTime(e.attr('at')) ?? 0, text: e.text.slice(0, 4096), ...some('hash', 100), ...some('address', 2048), ...some('name', 200), ...(count(e.attr('size')) ? { size: count(e.attr('size')) } : {}) }
}
const rows = (e: Element, name: string): Facts[] => e.children(name).slice(0, MAX_ROWS).map(row)
const page = (e: Element, name: string): { more: boolean; rows: Facts[] } => ({ more: is(e.attr('more')), rows: rows(e, name) })
const names = { proposals: 'proposal', suspicions: 'suspicion', audit: 'deed' } as const
const purse = (e: Element): AdminPurse => ({ facts: row(e), levels: (e.attr('levels') ?? '').split(' ').filter(Boolean), money: rows(e, 'money') })

/** What an administrator may ask, over a session. A server that does not know it answers `service-unavailable` or `item-not-found`. */
export function adminOf(session: Session): Admin {
  const ask = async (type: 'get' | 'set', name: string, attrs: Record<string, string | number | undefined> = {}, text = ''): Promise<Element | undefined> =>
    (await session.request(type, el(ADMIN, name, attrs, text), { to: domain(session.account) })).in(ADMIN)
  const get = async (name: string, attrs?: Record<string, string | number | undefined>): Promise<Element> => must(await ask('get', name, attrs))
  return {
    async accounts({ after, search, max }) {
      const list = await get('accounts', { after, search: search || undefined, max })
      return { total: count(list.attr('total')), more: is(list.attr('more')), accounts: list.children('account').slice(0, MAX_ROWS).map(account) }
    },
    async account(name) {
      const e = await get('account', { name })
      const apps = e.children('device').slice(0, MAX_ROWS).map((d) => ({ software: d.attr('software') ?? '', device: d.attr('name') ?? '',
        since: parseTime(d.attr('since')) ?? 0, used: parseTime(d.attr('used')) ?? 0, connected: is(d.attr('connected')) }))
      return { ...account(e), quota: count(e.attr('quota')), apps }
    },
    async change(name, change) { await ask('set', 'account', { name, do: change }) },
    async passwordLink(name) {
      const link = must(await ask('set', 'account', { name, do: 'password' }))
      const at = web(link.attr('web'))
      if (!at) throw new StanzaError('undefined-condition')
      return { web: at, expires: parseTime(link.attr('expires')) ?? 0 }
    },
    async invitations() { return (await get('invitations')).children('invitation').slice(0, MAX_ROWS).map(invitation) },
    async invite({ name, admin, uses, days }) {
      return invitation(must(await ask('set', 'invite', { name: name || undefined, admin: admin ? 'true' : undefined, uses, days })))
    },
    async withdraw(id) { await ask('set', 'withdraw', { id }) },
    async reports({ handled, before }) {
      const list = await get('reports', { handled: handled ? 'true' : undefined, before })
      return { open: count(list.attr('open')), more: is(list.attr('more')), reports: list.children('report').slice(0, MAX_ROWS).map(report) }
    },
    async handle(id, handled) { await ask('set', 'handled', { id, undo: handled ? undefined : 'true' }) },
    async limits() { return facts(await get('limits')) },
    async storage() { return facts(await get('storage')) },
    async health(span) { return health(await get('health', { span })) },
    async money() {
      const e = await get('money')
      return { units: rows(e, 'unit'), rails: rows(e, 'rail'), unknown: rows(e, 'unknown') }
    },
    async office(list, { decided, before } = {}) {
      const e = await get(list, { decided: decided ? 'true' : undefined, before })
      return { more: is(e.attr('more')), rows: rows(e, names[list]) }
    },
    async cases({ decided, before } = {}) {
      const e = await get('cases', { decided: decided ? 'true' : undefined, before })
      return { more: is(e.attr('more')), rows: e.children('case').slice(0, MAX_ROWS).map((c) => ({ facts: row(c), evidence: c.children('evidence').slice(0, 100).map(evidence) })) }
    },
    async propose({ why, ...wanted }) { await ask('set', 'propose', wanted, why) },
    async decide(id, approve) { await ask('set', approve ? 'approve' : 'decline', { id }) },
    async keys(account) { return rows(await get('keys', { account }), 'key').map((k) => ({ ...k, name: visible(k['name'] ?? '') })) },
    async purse(account) { return purse(await get('purse', { account })) },
    async changePurse(account, { why, ...change }) { return purse(must(await ask('set', 'purse', { account, ...change }, why))) },
    async dismiss(id, why) { await ask('set', 'dismiss', { id }, why) },
    async uphold(id, why) { await ask('set', 'uphold', { id }, why) },
    async rails() {
      const e = await get('rails')
      return { rails: rows(e, 'rail'), unknown: rows(e, 'unknown') }
    },
    async transfers(wanted) { return page(await get('transfers', wanted), 'transfer') },
    async transfer(id) {
      const e = await get('transfer', { id })
      return { facts: Object.fromEntries(Object.entries(row(e)).filter(([name]) => name !== 'words')), steps: rows(e, 'step') }
    },
    async askRail(id) { await ask('set', 'ask', { id }) },
    async verdicts(decided) { return rows(await get('verdicts', { decided: decided ? 'true' : undefined }), 'verdict') },
    async propound({ why, ...verdict }) { await ask('set', 'verdict', verdict, why) },
    async agree(number) { await ask('set', 'agree', { number }) },
    async disagree(number) { await ask('set', 'disagree', { number }) },
    async comparisons(wanted) { return page(await get('comparisons', wanted), 'comparison') },
    async compare(rail, day) { return row(must(await ask('set', 'compare', { rail, day }))) },
    async differences(number) { return page(await get('differences', { number }), 'difference') },
    async journal(wanted) {
      const e = await get('journal', wanted)
      return { text: e.text, next: some(e.attr('next')) }
    },
  }
}

function must(e: Element | undefined): Element {
  if (!e) throw new StanzaError('undefined-condition')
  return e
}
