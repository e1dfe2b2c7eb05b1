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
  /** What is answered or corrected, as long as its message is being looked for. */
  private sought: Pick<Written, 'reply' | 'edit'> | undefined

  constructor(private readonly engine: Engine, private readonly chat: Chat) {
    this.last = { text: chat.draft?.text ?? '', reply: chat.draft?.reply, edit: chat.draft?.edit }
    this.kept = JSON.stringify(this.last)
  }

  /** restore brings back what was being answered or corrected: from the window, or else from what is kept here. */
  restore(messages: Message[]): Promise<void> {
    return this.seek({ reply: this.chat.draft?.reply, edit: this.chat.draft?.edit }, messages)
  }

  /** target is what the text answers or corrects, also while its message is still looked for: a correction must not leave as a new message. */
  target(): Pick<Written, 'reply' | 'edit'> {
    return { reply: replying.value?.id ?? this.sought?.reply, edit: editing.value?.id ?? this.sought?.edit }
  }

  /** seek finds the messages that a text answers or corrects. One that is not here any more is let go, and the text stays. */
  async seek(wanted: Pick<Written, 'reply' | 'edit'>, messages: Message[]): Promise<void> {
    this.sought = wanted
    const look = async (id: string): Promise<Message | undefined> =>
      (await this.engine.page(this.chat.jid, { around: id, limit: 1, here: true })).messages.find((m) => m.id === id && !m.retracted)
    const find = (id: string | undefined): Message | undefined | Promise<Message | undefined> => id === undefined ? undefined : messages.find((m) => m.id === id) ?? look(id)
    const asked = [find(wanted.reply), find(wanted.edit)] as const
    const [reply, edit] = asked.some((one) => one instanceof Promise) ? await Promise.all(asked) : asked as [Message | undefined, Message | undefined]
    if (this.sought !== wanted) return // it was sent or left meanwhile
    this.sought = undefined
    replying.value = reply
    editing.value = edit
  }

  /** write notes what stands in the field. */
  write(text: string, reply: string | undefined, edit: string | undefined): void {
    const typed = text !== this.last.text
    this.last = { text, reply: reply ?? this.sought?.reply, edit: edit ?? this.sought?.edit }
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
    this.sought = undefined
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

  close(): void { this.flush(); this.sought = undefined; this.pause() }
}
