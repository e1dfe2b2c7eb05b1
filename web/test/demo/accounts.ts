// Accounts that live in memory: the names "taken" and "admin" are taken, the token "used" is used up, the password "wrong" is wrong.
import type { LinkFailure, LinkState } from '../../src/core/model.ts'
import { Trouble, type Accounts, type InvitationFacts } from '../../src/core/accounts.ts'

const domain = 'palabre.example'
const wait = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms))

/** demoLink is a step of linking a device, to be looked at. */
export function demoLink(step: string | null, text: string): LinkState {
  const expires = (Date.now() + 300_000) * 1000
  if (step === 'comparing' || step === 'agreed') return { step: 'comparing', code: '482913', agreed: step === 'agreed', expires }
  if (step === 'done' || step === 'starting') return { step }
  if (step && step !== 'showing') return { step: 'failed', why: step as LinkFailure }
  return { step: 'showing', text, expires }
}

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
  link(by, show) {
    const step = new URLSearchParams(location.search).get('step')
    setTimeout(() => show(demoLink('address' in by && !step ? 'showing' : step, `xmpp:nadia@${domain}?link;v=0;role=new;k=hTq9xV3mWk2sPz81LmQn4RtYhTq9xV3mWk2sPz81Lmo;s=hTq9xV3mWk2sPz81LmQn4R`)), 100)
    return { compared: () => show(demoLink('agreed', '')), stop: () => undefined }
  },
  async recover() { await wait(300) },
  async use() { /* one is enough */ },
}
