// What an administrator is answered in the demo.
import type { Admin, AdminAccount, AdminInvitation, AdminReport, Facts } from '../../src/core/admin.ts'
import { StanzaError } from '../../src/core/xmpp/stanza.ts'

const now = (): number => Date.now() * 1000
const hour = 3600e6
const names = ['aicha', 'amina', 'atlas', 'benedicte-de-la-roche-foucauld', 'carlos', 'diego', 'fatou', 'giulia', 'hassan', 'ines', 'joao', 'karim', 'lalla', 'meera', 'nadia', 'omar', 'priya', 'rosa', 'salma', 'yusuf', 'zahra']
const accounts: AdminAccount[] = names.map((name, i) => ({ name, admin: name === 'nadia', created: now() - (i + 2) * 300 * hour, ...(i % 7 === 5 ? {} : { seen: Math.floor((now() - i * 20 * hour) / (24 * hour)) * 24 * hour }),
  disabled: i === 8, online: i % 3 === 0, devices: i % 4, bytes: i * 37_400_000 }))
let invitations: AdminInvitation[] = [
  { id: '1', by: 'nadia', admin: false, uses: 5, expires: now() + 90 * hour }, { id: '2', name: 'tarek', admin: true, uses: 1, expires: now() + 20 * hour }, { id: '3', by: 'aicha', admin: false, uses: 1, expires: now() + 150 * hour },
]
let reports: AdminReport[] = [
  { id: '9', at: now() - 2 * hour, jid: 'offres@spam.example', by: 'amina', kind: 'spam', words: 'Trois fois par jour, toujours le même lien.', messages: 3, handled: false },
  { id: '7', at: now() - 40 * hour, jid: 'hassan@palabre.example', by: 'salma', kind: 'abuse', words: 'لا أريد أن يراسلني هذا الشخص.', messages: 1, handled: false },
  { id: '3', at: now() - 400 * hour, jid: 'old@elsewhere.example', by: 'omar', kind: 'spam', words: '', messages: 0, handled: true },
]
const wave = (points: number, base: number, swing: number, gaps = 0): (number | null)[] =>
  Array.from({ length: points }, (_, i) => i < gaps ? null : Math.max(0, Math.round((base + swing * Math.sin(i / 7) + swing * 0.4 * Math.sin(i * 2.3)) * 10) / 10))

/** DemoAdmin answers from memory. */
export const demoAdmin: Admin = {
  async accounts({ after = '', search = '', max = 50 }) {
    const found = accounts.filter((a) => a.name.includes(search.toLowerCase()))
    const page = found.filter((a) => a.name > after)
    return { total: found.length, more: page.length > max, accounts: page.slice(0, max) }
  },
  async account(name) {
    const found = accounts.find((a) => a.name === name)
    if (!found) throw new StanzaError('item-not-found')
    return { ...found, quota: 2 ** 31, apps: [{ software: 'Palabre', device: 'Chrome, Android', since: now() - 300 * hour, used: now(), connected: true },
      { software: 'Conversations', device: 'Pixel 6a', since: now() - 2000 * hour, used: now() - 50 * hour, connected: false }].slice(0, Math.max(1, found.devices)) }
  },
  async change(name, change) {
    const found = accounts.find((a) => a.name === name)
    if (!found) throw new StanzaError('item-not-found')
    if (change === 'remove') accounts.splice(accounts.indexOf(found), 1)
    else if (change === 'disable' || change === 'enable') found.disabled = change === 'disable'
    else if (change !== 'sign-out') found.admin = change === 'admin'
  },
  async passwordLink() { return { web: 'https://palabre.example/password/k3mz7q2w9xrt5vbn8dcf4hjp6a', expires: now() + 24 * hour } },
  async invitations() { return invitations },
  async invite({ name, admin, uses }) {
    const made = { id: String(now()), ...(name ? { name } : {}), admin: admin ?? false, uses: uses ?? 1, expires: now() + 168 * hour }
    invitations = [made, ...invitations]
    return { ...made, web: 'https://palabre.example/invite/k3mz7q2w9xrt5vbn8dcf4hjp6a', uri: 'xmpp:palabre.example?register;preauth=k3mz7q2w9xrt5vbn8dcf4hjp6a' }
  },
  async withdraw(id) { invitations = invitations.filter((i) => i.id !== id) },
  async reports({ handled }) { return { open: reports.filter((r) => !r.handled).length, more: false, reports: reports.filter((r) => r.handled === handled) } },
  async handle(id, handled) { reports = reports.map((r) => r.id === id ? { ...r, handled } : r) },
  async limits() {
    return { 'register.open': 'false', 'register.members_invite': 'true', 'register.invites_per_day': '20', 'register.invite_life': '604800', 'upload.max_size_bytes': '104857600', 'upload.quota_bytes': '2147483648',
      'upload.expiry': '31536000', max_sessions: '25', 'c2s.stanza_rate': '1000', 'c2s.byte_rate': '2097152', 'c2s.max_failures': '100', 'account.min_password_length': '8' }
  },
  async storage() { return { 'database.engine': 'sqlite', 'database.bytes': '734003200', 'uploads.bytes': '5368709120', 'uploads.files': '4211', 'disk.free': '14495514624', 'disk.bytes': '42949672960' } },
  async health(span) {
    const n = span === 'hour' ? 60 : 144
    return { at: now(), every: span === 'hour' ? 60 : 600,
      facts: { version: 'v1.2.0', newer: 'v1.3.0', 'newer-page': 'https://palabre.example/releases/v1.3.0', since: new Date(Date.now() - 9e8).toISOString(), 'certificate-ends': new Date(Date.now() + 5e9).toISOString(), backup: new Date(Date.now() - 9e8).toISOString() },
      series: { sessions: wave(n, 812, 24, 8), logins: wave(n, 9, 4, 8), 'logins-refused': wave(n, 1, 1, 8), messages: wave(n, 340, 120, 8), stanzas: wave(n, 5200, 1400, 8), commit: wave(n, 3.2, 1, 8), 'commit-slow': wave(n, 9, 3, 8),
        queue: wave(n, 2, 2, 8), oldest: wave(n, 0.2, 0.2, 8), jobs: wave(n, 4, 3, 8), memory: wave(n, 182e6, 6e6, 8), cpu: wave(n, 12, 5, 8), goroutines: wave(n, 1720, 60, 8) } }
  },
  async money() {
    return { units: [{ code: 'FIG', exponent: '2', closed: 'true', issued: '48250000', fees: '0', wallets: '47890000', 'wallet-accounts': '312', pockets: '360000', held: '125000' },
      { code: 'MAD', exponent: '2', closed: 'false', issued: '0', fees: '18250', wallets: '9120050', 'wallet-accounts': '96', pockets: '0', held: '50000' }],
    rails: [{ name: 'momo', state: 'settled', count: '1204' }, { name: 'momo', state: 'unknown', count: '1' }], unknown: [{ id: 'k3mz7q2w9xrt5vbn', rail: 'momo', amount: '50000', unit: 'MAD', since: new Date(Date.now() - 5e6).toISOString() }] }
  },
  async office(list) {
    const at = new Date(Date.now() - 7e6).toISOString()
    const rows = { proposals: [{ id: '1', kind: 'issue', account: 'fatou@palabre.example', unit: 'FIG', amount: '250000', by: 'karim@palabre.example', state: 'open', at, words: 'Marché du samedi' }],
      suspicions: [{ at, account: 'carlos@palabre.example', kind: 'splitting', about: '4 × diego@palabre.example' }], audit: [{ id: '5', at, who: 'karim@palabre.example', what: 'propose-issue', account: 'fatou@palabre.example', about: '2500.00 FIG (Marché du samedi)' }] }
    return { more: false, rows: rows[list] }
  },
  async cases() {
    const at = new Date(Date.now() - 7e6).toISOString()
    return { more: false, rows: [{ facts: { id: 'd1', of: 'p1', payer: 'omar@palabre.example', payee: 'hassan@palabre.example', amount: '12000', unit: 'FIG', at, words: 'Les sardines ne sont pas venues.' },
      evidence: [{ by: 'omar@palabre.example', time: Date.now() * 1000 - 5e9, text: 'Le quai à midi', address: 'https://palabre.example/upload/1.jpg', hash: 'ab'.repeat(32), name: 'quai.jpg', size: 240_000 }] }] }
  },
  async propose() { /* nothing is kept */ },
  async decide() { /* nothing is kept */ },
  async purse(account) { return { facts: { account, level: 'basic' }, levels: ['basic', 'known'], money: [{ unit: 'FIG', balance: '125000', held: '0', pocket: '20000', transaction: '100000', day: '200000' }] } },
  async keys() {
    const at = (ago: number): string => new Date(Date.now() - ago).toISOString()
    return [{ id: 'k3mz7q2w9xrt5vbn', name: 'Pixel 6a', kind: 'pin', added: at(9e9), ready: at(9e9), locked: at(-8e7) }, { id: 'w7mz7q2w9xrt5vbn', name: '', kind: 'passkey', added: at(7e6), ready: at(-8e7), locked: '' }]
  },
  async changePurse(account, change) { return { ...await this.purse(account), facts: { account, level: change.level ?? 'basic', ...(change.do === 'stop' ? { stopped: 'true' } : {}) } } },
  async dismiss() { /* nothing is kept */ },
  async uphold() { /* nothing is kept */ },
  async rails() {
    const at = (ago: number): string => new Date(Date.now() - ago).toISOString()
    const rails: Facts[] = [{ name: 'momo', kind: 'momo', title: 'M-Pesa', up: 'true', answered: at(4e4), failed: at(9e6), why: 'momo: 503', settled: '1204', rejected: '31', accepted: '3', unknown: '1' }, { name: 'card', kind: 'stripe', title: 'Carte' }]
    return { rails, unknown: [{ id: 'k3mz7q2w9xrt5vbn', number: '1', rail: 'momo', kind: 'out', state: 'unknown', amount: '50000', unit: 'MAD', since: at(5e6), why: 'the answer was not awaited' }] }
  },
  async transfers() { return { more: true, rows: [{ id: 'w7mz7q2w9xrt5vbn', number: '2', rail: 'momo', kind: 'in', state: 'settled', amount: '20000', unit: 'MAD', reference: 'QK77', created: new Date(Date.now() - 8e6).toISOString() }] } },
  async transfer(id) {
    const at = (ago: number): string => new Date(Date.now() - ago).toISOString()
    return { facts: { id, rail: 'momo', kind: 'in', state: 'settled', amount: '20000', moved: '20000', unit: 'MAD', reference: 'QK77', account: 'fatou@palabre.example', address: '+254700000001', created: at(8e6), settled: at(7e6) },
      steps: [{ at: at(8e6), state: 'created' }, { at: at(79e5), state: 'submitted' }, { at: at(78e5), state: 'accepted' }, { at: at(7e6), state: 'settled' }] }
  },
  async askRail() { /* nobody is asked */ },
  async verdicts() { return [{ number: '9', id: 'k3mz7q2w9xrt5vbn', state: 'settled', by: 'fatou@palabre.example', words: 'Vu dans le portail' }] },
  async propound() { /* nothing is kept */ },
  async agree() { /* nothing is kept */ },
  async disagree() { /* nothing is kept */ },
  async comparisons() { return { more: false, rows: [{ number: String(Date.now() * 1000), rail: 'momo', since: '2026-11-21T00:00:00Z', until: '2026-11-22T00:00:00Z', lines: '412', differences: '1' }] } },
  async compare() { return {} },
  async differences() { return { more: false, rows: [{ kind: 'missing-here', reference: 'QK99', here: '0', there: '7500', unit: 'MAD' }] } },
  async journal() { return { text: 'number,time\n' } },
}
