// Accounts that live in memory: the names "taken" and "admin" are taken, the token "used" is used up, the password "wrong" is wrong.
import { Trouble, type Accounts, type InvitationFacts } from '../../src/core/accounts.ts'

const domain = 'palabre.example'
const wait = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms))

/** demoAccounts answers like the real one, a little later. */
export const demoAccounts: Accounts = {
  async list() { return [{ jid: `nadia@${domain}`, name: 'Nadia Ouazzani', active: true }, { jid: 'samira@boutique.example', name: 'Samira B.', active: false }] },
  async invitation(token): Promise<InvitationFacts> {
    await wait(60)
    if (token.startsWith('used')) throw new Trouble('invitation')
    if (token.startsWith('away')) throw new Trouble('unreachable')
    return { domain, token, inviter: token.startsWith('first') ? undefined : `amina@${domain}`, account: true, admin: token.startsWith('first') }
  },
  async free(_, name) { await wait(100); return ['taken', 'admin', 'amina'].includes(name) ? 'taken' : /^[^\s"&'/:<>@]{1,64}$/u.test(name) ? 'free' : 'unusable' },
  async join(_, name) { await wait(300); return `${name}@${domain}` },
  async signIn(address, password) { await wait(300); if (password === 'wrong') throw new Trouble('password'); return address },
  async link() { await wait(300); return `nadia@${domain}` },
  async recover() { await wait(300) },
  async use() { /* one is enough */ },
}
