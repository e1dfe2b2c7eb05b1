// The rest of what screens ask, answered from memory: devices, choices, storage.
import type { Admin } from '../../src/core/admin.ts'
import type { Stop } from '../../src/core/engine.ts'
import type { Choices, Comparison, DeviceNotice, JID, LinkPreview, LinkState, Micros, SignedIn, Storage, Waiting, Waking } from '../../src/core/model.ts'
import { demoLink } from './accounts.ts'
import { demoAdmin } from './admin.ts'

const now = (): Micros => Date.now() * 1000
const hour = 3600_000_000

/** DemoMore is what DemoEngine adds its chats and messages to. */
export class DemoMore {
  private choices: Choices = {
    lastSeen: true, readReceipts: true, typing: true, strangers: true, linkCards: 'ask', preview: true, sound: true,
    notify: { people: true, groups: true, mentions: true, reactions: false, calls: true }, autoLoad: { wifi: ['image', 'voice', 'video'], mobile: ['image', 'voice'] },
  }
  private choosing: ((choices: Choices) => void) | undefined
  private wakes: Waking = { state: 'off', service: 'push.example' }
  private signedIn: SignedIn[] = [
    { id: 'here', app: 'Palabre', platform: 'Chrome, Android', since: now() - 90 * hour, lastUsed: now(), online: true, here: true },
    { id: 'desk', app: 'Palabre', platform: 'Firefox, Linux', since: now() - 2000 * hour, lastUsed: now() - hour / 6, online: true, here: false },
    { id: 'conv', app: 'Conversations', since: now() - 9000 * hour, lastUsed: now() - 200 * hour, online: false, here: false, password: true },
  ]
  private news: DeviceNotice[] = [{ id: 'n1', type: 'new-device', jid: 'aicha@palabre.example', device: 1187, fingerprint: 'b7'.repeat(32), trust: 'trusted', own: false, time: now() - 5 * hour }]

  admin<K extends keyof Admin>(what: K, ...args: Parameters<Admin[K]>): ReturnType<Admin[K]> {
    return (demoAdmin[what] as (...args: Parameters<Admin[K]>) => ReturnType<Admin[K]>)(...args)
  }

  async safetyNumber(): Promise<string> { return '24071 90833 15526 00418 77310 62954 38107 51263 09948 71605 43382 20917' }
  async verifyNumber(): Promise<void> { /* they are equal */ }
  async makesCards(): Promise<boolean> { return true }
  async card(url: string): Promise<LinkPreview | undefined> {
    return { url, title: 'Le tour des oasis du Drâa en dix jours', description: 'De Zagora à M’Hamid, à pied et à dos de dromadaire : étapes, puits et saisons.', site: 'Atlas', image: dunes() }
  }
  async trustURI(): Promise<string> { return `xmpp:nadia@palabre.example?omemo-sid-4711=${'3f'.repeat(32)};omemo-sid-905=${'a1'.repeat(32)}` }
  async compare(uri: string): Promise<Comparison> {
    const jid = /^xmpp:([^?]+)\?omemo-sid/.exec(uri)?.[1]
    if (!jid) throw new Error('malformed')
    return { jid: decodeURIComponent(jid), matching: [4711], differing: [], unknown: [] }
  }
  watchNotices(show: (notices: DeviceNotice[]) => void): Stop { show(this.news); return () => undefined }
  async noticed(ids: string[]): Promise<void> { this.news = this.news.filter((n) => !ids.includes(n.id)) }
  async sessions(): Promise<SignedIn[]> { return this.signedIn }
  async removeDevice(): Promise<boolean> { return true }
  async revoke(id: string): Promise<void> { this.signedIn = this.signedIn.filter((s) => s.id !== id) }
  link(_: string | undefined, show: (state: LinkState) => void): Stop {
    const step = new URLSearchParams(location.search).get('step')
    show(demoLink(step, 'https://palabre.example/link#xmpp:nadia@palabre.example?link;v=0;role=old;k=hTq9xV3mWk2sPz81LmQn4RtYhTq9xV3mWk2sPz81Lmo;s=hTq9xV3mWk2sPz81LmQn4R'))
    return () => undefined
  }

  async linkCompared(): Promise<void> { /* as if they had */ }
  async recoveryCode(): Promise<string> { return 'VKQ7-2MHD-93TX-PLRA-6WNE-J4CB' }
  watchChoices(show: (choices: Choices) => void): Stop { this.choosing = show; show(this.choices); return () => { this.choosing = undefined } }
  async choose(change: Partial<Choices>): Promise<void> { this.choices = { ...this.choices, ...change }; this.choosing?.(this.choices) }
  async blocked(): Promise<JID[]> { return ['spam@elsewhere.example'] }
  async waking(): Promise<Waking> { return this.wakes }
  async setWaking(on: boolean): Promise<Waking> { return this.wakes = { ...this.wakes, state: on ? 'on' : 'off', last: now() - hour } }
  async testWaking(): Promise<void> { this.wakes = { ...this.wakes, last: now() } }
  async storage(): Promise<Storage> {
    return { used: 184e6, quota: 4.2e9, persistent: false, chats: [
      { jid: 'famille@rooms.palabre.example', messages: 4120, media: 310, bytes: 121e6 }, { jid: 'ce2@rooms.palabre.example', messages: 960, media: 84, bytes: 41e6 },
      { jid: 'aicha@palabre.example', messages: 2210, media: 31, bytes: 9.4e6 }, { jid: 'joao@palabre.example', messages: 40, media: 2, bytes: 0.48e6 }],
      messages: 7330, kinds: [{ kind: 'video', files: 12, bytes: 96e6, stays: 0 }, { kind: 'image', files: 371, bytes: 61e6, stays: 240e3 }, { kind: 'file', files: 9, bytes: 12.4e6, stays: 0 },
        { kind: 'voice', files: 84, bytes: 8.1e6, stays: 0 }, { kind: 'sticker', files: 14, bytes: 0.9e6, stays: 0.9e6 }, { kind: 'other', files: 42, bytes: 0.6e6, stays: 0 }],
      largest: [{ key: 'u 1', kind: 'video', bytes: 31.2e6, only: false, chat: 'famille@rooms.palabre.example', message: 'x', name: 'mariage.mp4', time: now() - 9 * 24 * hour },
        { key: 'u 2', kind: 'file', bytes: 8.8e6, only: false, chat: 'ce2@rooms.palabre.example', message: 'y', name: 'programme-2026.pdf', time: now() - 40 * 24 * hour },
        { key: 'm 3', kind: 'image', bytes: 0.24e6, only: true, chat: 'joao@palabre.example', message: 'z', name: 'IMG_2201.jpg', time: now() - hour }] }
  }
  async freeSpace(): Promise<number> { return 0 }
  async waiting(): Promise<Waiting[]> {
    return [{ id: 'w1', chat: 'atlas@boutique.example', text: 'Merci, à tout à l’heure 🙏', since: now() - 50e6 },
      { id: 'w2', chat: 'joao@palabre.example', text: '', since: now() - 40e6, transfer: { direction: 'up', done: 120_000, total: 240_000, state: 'paused' } }]
  }
  async servers(): Promise<string[]> { return ['wss://palabre.example/ws', 'wss://relais2.palabre.example/ws'] }
}

/** A small picture, as a server makes it for a card. */
function dunes(): string {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 168 })
  const brush = canvas.getContext('2d')
  if (!brush) return ''
  const band = (colour: string, height: number): void => {
    brush.fillStyle = colour
    brush.beginPath()
    brush.moveTo(0, 168)
    for (let x = 0; x <= 320; x += 8) brush.lineTo(x, height + 14 * Math.sin(x / 40 + height))
    brush.lineTo(320, 168)
    brush.fill()
  }
  for (const [colour, height] of [['#f4c27a', -20], ['#e59a4c', 70], ['#c46f2d', 100], ['#8f4a20', 132]] as const) band(colour, height)
  return canvas.toDataURL('image/jpeg', 0.8)
}
