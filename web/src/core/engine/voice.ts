// Voice messages that are being recorded, or wait for who recorded them (store/voice.ts): the pieces come in as they are recorded, and are one sound
// again when the chat is opened the next time. Sending one is a step of desk.ts: the message comes and the draft goes at the same moment.

import type { VoiceDraft } from '../engine.ts'
import type { JID, Micros } from '../model.ts'
import { chatFor } from '../store/chats.ts'
import { change, look, type Database } from '../store/database.ts'
import { dropPieces, pieces, putPiece, type VoicePiece } from '../store/voice.ts'
import type { News } from './changes.ts'

/** The chat has another voice draft, or this one is gone. */
export class OtherVoice extends Error {
  override readonly name = 'OtherVoice'
}

/** The voice drafts of one account. */
export class VoiceDrafts {
  constructor(private readonly db: Database, private readonly account: JID, private readonly news: News) {}

  /** Keeps a piece; the first makes the draft. Fails with OtherVoice, or StorageFull: what was kept before stays. */
  async keep(jid: JID, id: string, piece: VoicePiece, now: Micros = Date.now() * 1000): Promise<void> {
    await change(this.db, ['kv', 'chats', 'contacts'], async (tx) => {
      const chat = await chatFor(tx, jid, this.account, now)
      if (piece.n === 0 ? chat.voice : chat.voice?.id !== id) throw new OtherVoice()
      await putPiece(tx, id, piece)
      if (piece.n === 0) await tx.objectStore('chats').put({ ...chat, voice: { id, time: now } })
    }, 'relaxed')
    if (piece.n === 0) this.news.tell({ chats: [jid] })
  }

  /** What was recorded in a chat and not sent; undefined for nothing. */
  async read(jid: JID): Promise<VoiceDraft | undefined> {
    const tx = look(this.db, ['kv', 'chats'])
    const id = (await tx.objectStore('chats').get(jid))?.voice?.id
    const found = id ? await pieces(tx, id) : []
    const last = found.at(-1)
    if (!id || !last) return undefined
    return { id, blob: new Blob(found.map((p) => p.sound), { type: last.mime }), seconds: last.seconds, levels: found.flatMap((p) => p.levels) }
  }

  /** Throws a draft away. One that is gone is no error. */
  async drop(jid: JID, id: string): Promise<void> {
    await change(this.db, ['kv', 'chats'], async (tx) => {
      const there = await dropPieces(tx, jid, id)
      const chat = there && await tx.objectStore('chats').get(jid)
      if (!chat) return
      delete chat.voice
      await tx.objectStore('chats').put(chat)
    })
    this.news.tell({ chats: [jid] })
  }
}
