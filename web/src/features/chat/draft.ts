// What is being written and not yet sent: kept at every pause, told as "is typing" now and then, and brought back when the chat is opened.
import type { Engine, Outgoing } from '../../core/engine.ts'
import type { Chat, JID, Message } from '../../core/model.ts'
import { now } from '../../i18n/when.ts'
import { editing, replying } from './state.ts'

const keepAfterMs = 600
const typingEveryMs = 4000
const pausedAfterMs = 6000

interface Written { text: string; reply: string | undefined; edit: string | undefined }

export class Draft {
  private last: Written
  private kept: string
  private keepTimer: ReturnType<typeof setTimeout> | undefined
  private pauseTimer: ReturnType<typeof setTimeout> | undefined
  private toldAt = 0
  private readonly mentions: { name: string; jid: JID }[] = []

  constructor(private readonly engine: Engine, private readonly chat: Chat) {
    this.last = { text: chat.draft?.text ?? '', reply: chat.draft?.reply, edit: chat.draft?.edit }
    this.kept = JSON.stringify(this.last)
  }

  /** restore brings back what was being answered or corrected, where it is in the window. */
  restore(messages: Message[]): void {
    const find = (id: string | undefined): Message | undefined => messages.find((m) => m.id === id)
    replying.value = find(this.chat.draft?.reply)
    editing.value = find(this.chat.draft?.edit)
  }

  /** write notes what stands in the field. */
  write(text: string, reply: string | undefined, edit: string | undefined): void {
    const typed = text !== this.last.text
    this.last = { text, reply, edit }
    clearTimeout(this.keepTimer)
    this.keepTimer = setTimeout(() => this.flush(), keepAfterMs)
    if (typed && text) this.tellTyping()
  }

  private tellTyping(): void {
    if (Date.now() - this.toldAt > typingEveryMs) { this.toldAt = Date.now(); this.engine.typing(this.chat.jid, 'composing') }
    clearTimeout(this.pauseTimer)
    this.pauseTimer = setTimeout(() => this.pause(), pausedAfterMs)
  }

  private pause(): void {
    clearTimeout(this.pauseTimer)
    if (this.toldAt) this.engine.typing(this.chat.jid, 'paused')
    this.toldAt = 0
  }

  /** flush keeps the draft now. */
  flush(): void {
    clearTimeout(this.keepTimer)
    const written = JSON.stringify(this.last)
    if (written === this.kept) return
    this.kept = written
    const { text, reply, edit } = this.last
    const draft = text.trim() || reply ? { text, time: now(), ...(reply ? { reply } : {}), ...(edit ? { edit } : {}) } : undefined
    this.engine.setDraft(this.chat.jid, draft).catch((error: unknown) => console.warn('draft', error))
  }

  /** sent forgets the draft: it becomes a message, which takes the kept draft away with it. Taken away before, it would be lost if the tab ended now. */
  sent(): void {
    this.last = { text: '', reply: undefined, edit: undefined }
    clearTimeout(this.keepTimer)
    clearTimeout(this.pauseTimer)
    this.toldAt = 0
  }

  /** mentioned notes who was named, until it is sent. */
  mentioned(person: { name: string; jid: JID }): void { this.mentions.push(person) }

  /** mentionsIn finds those who were named and still stand in a text. */
  mentionsIn(text: string): NonNullable<Outgoing['mentions']> {
    const out: NonNullable<Outgoing['mentions']> = []
    for (const { name, jid } of this.mentions.splice(0)) {
      const sign = `@${name}`
      let from = text.indexOf(sign)
      while (out.some((o) => o.from === from)) from = text.indexOf(sign, from + 1)
      if (from >= 0) out.push({ from, to: from + sign.length, jid })
    }
    return out
  }

  close(): void { this.flush(); this.pause() }
}
