// Files that are shown in disputes. Photos are made ready as those of messages are, without what cameras write into them (where and when). Each file is encrypted with a key of its own before it
// leaves (XEP-0454) and put where files of messages are; its address has the key, and is given to the service of payments, which shows it to both sides and to the operator's dispute desk. What is
// opened is compared with the hash and the size that the dispute has of it, and comes from this server alone: an address is what the other side wrote, and whoever has a server there would learn who
// opens it, when and from where.

import { readAddress, secretAddress } from '../media/address.ts'
import type { HttpRefused, Http } from '../media/http.ts'
import { visible, isHere, PayTrouble, type Evidence } from '../pay.ts'
import type { Asks } from './pay-desk.ts'

/** The largest file that is shown or opened, in bytes: all of it is in memory. */
export const MAX_FILE = 25_000_000
/** What encryption adds. */
const TAG = 16

type Progress = (done: number, total: number) => void
/** A file as the dispute has it. */
type Placed = Required<Pick<Evidence, 'address' | 'hash' | 'name' | 'size'>>

/** Files of disputes, in one tab. */
export class Files {
  /** Files that are where others get them: one whose words were refused is not put there twice. */
  private readonly placed = new WeakMap<File, Placed>()

  constructor(private readonly ask: Asks, private readonly http: () => Promise<Http> = async () => (await import('./lead.ts')).browserHttp, private readonly here = () => location.host,
    private readonly ready = async (file: File) => (await import('./lead.ts')).readyFile(file)) {}

  async put(picked: File, progress: Progress, stop: AbortSignal): Promise<Placed> {
    const before = this.placed.get(picked)
    if (before) return before
    if (picked.size > MAX_FILE || !picked.size) throw new PayTrouble({ why: 'too-large' })
    const file = await this.ready(picked)
    const open = await file.arrayBuffer().catch(() => { throw new PayTrouble({ why: 'gone' }) })
    const secret = { key: crypto.getRandomValues(new Uint8Array(32)), iv: crypto.getRandomValues(new Uint8Array(12)) }
    const body = new Blob([await crypto.subtle.encrypt({ name: 'AES-GCM', iv: secret.iv }, await aes(secret.key, 'encrypt'), open)])
    const slot = await this.ask('place', { name: crypto.randomUUID() + (/\.\w{1,5}$/.exec(file.name)?.[0] ?? ''), size: body.size })
    const http = await this.http()
    await http.put(slot.put, slot.headers, body, (done) => progress(done, body.size), stop).catch(refusing(stop))
    if (stop.aborted) throw new PayTrouble({ why: 'cancelled' })
    const placed = { address: secretAddress(slot.get, secret), hash: await sha256(open), name: short(file.name), size: file.size }
    this.placed.set(picked, placed)
    return placed
  }

  async get({ address = '', hash = '', size }: Pick<Evidence, 'address' | 'hash' | 'size'>, progress: Progress, stop: AbortSignal): Promise<Blob> {
    if (!isHere(address, this.here())) throw new PayTrouble({ why: 'elsewhere' })
    const place = readAddress(address)
    if (!place?.key) throw new PayTrouble({ why: 'changed' })
    const http = await this.http()
    const got = await http.get(place.url, undefined, MAX_FILE + TAG, progress, stop, () => undefined).catch(refusing(stop))
    const bytes = await got.arrayBuffer()
    const { key, iv } = place.key
    const open = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await aes(key, 'decrypt'), bytes).catch(() => undefined)
    if (!open || (size !== undefined && open.byteLength !== size) || await sha256(open) !== hash) throw new PayTrouble({ why: 'changed' })
    return new Blob([open])
  }
}

/** What a failed transfer means. */
function refusing(stop: AbortSignal): (error: unknown) => never {
  return (error) => {
    const status = error instanceof Error && error.name === 'HttpRefused' ? (error as HttpRefused).status : 0
    throw new PayTrouble({ why: stop.aborted ? 'cancelled' : status === 413 ? 'too-large' : status === 507 ? 'no-room' : status ? 'gone' : 'offline' })
  }
}

const aes = (key: Uint8Array<ArrayBuffer>, what: 'encrypt' | 'decrypt'): Promise<CryptoKey> => crypto.subtle.importKey('raw', key, 'AES-GCM', false, [what])
const sha256 = async (bytes: ArrayBuffer): Promise<string> => [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((b) => b.toString(16).padStart(2, '0')).join('')

/** A name that has room in the dispute: its end says what it is. */
function short(name: string): string {
  let text = visible(name.replace(/\p{Cc}/gu, ' '))
  while (new TextEncoder().encode(text).length > 200) text = [...text].slice(1).join('')
  return text
}
