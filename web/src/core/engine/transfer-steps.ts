// How far a transfer is, kept with its message, not too often.

import type { Crypto } from '../crypto/api.ts'
import type { Http } from '../media/http.ts'
import type { Micros, Transfer } from '../model.ts'
import type { Database } from '../store/database.ts'
import { mediaOf } from '../store/messages.ts'
import type { Session } from '../xmpp/session.ts'
import type { Desk } from './desk.ts'
import type { Makers } from './ready.ts'

/** How often progress is kept, in milliseconds. */
const TELL = 400

/** What transfers need of others. */
export interface Means extends Makers {
  session(): Session
  crypto: Pick<Crypto, 'encryptMedia' | 'decryptMedia'>
  http: Http
  now(): Micros
  /** There is (no) room on the device to go on. */
  full?(full: boolean): void
}

/** Which way a file goes. */
export type Direction = Transfer['direction']

/** What both ways have in common. */
export abstract class TransferSteps {
  constructor(protected readonly db: Database, protected readonly desk: Desk, protected readonly means: Means) {}

  protected note(id: string, make: (t: Transfer) => Transfer | undefined): Promise<void> {
    return this.desk.alter(id, async (message, tx) => {
      const media = mediaOf(message.content)
      if (!media) return false
      const now = make(media.transfer ?? { direction: message.own && !media.url ? 'up' : 'down', done: 0, total: 0, state: 'waiting' })
      if (now) media.transfer = now
      else delete media.transfer
      if (now?.state === 'running' || now?.state === 'waiting') await tx.objectStore('kv').put(true, `transfer ${id}`)
      else await tx.objectStore('kv').delete(`transfer ${id}`)
      return true
    })
  }

  /** Keeps progress, not too often. */
  protected progress(id: string, direction: Direction): (done: number, total: number) => void {
    let last = -Infinity
    return (done, total) => {
      const now = performance.now()
      if (now - last < TELL) return
      last = now
      void this.note(id, (t) => t.state === 'running' ? { direction, done, total, state: 'running' } : t).catch(() => undefined)
    }
  }

  /** Keeps how far a file is that is made smaller. */
  protected making(id: string): (share: number) => void {
    let last = -Infinity
    return (share) => {
      const now = performance.now()
      if (now - last < TELL) return
      last = now
      void this.desk.alter(id, (message) => {
        const media = mediaOf(message.content)
        if (media?.transfer?.state !== 'running') return false
        media.transfer = { direction: 'up', done: Math.round(share * media.size), total: media.size, state: 'running', making: true }
        return true
      }).catch(() => undefined)
    }
  }
}
