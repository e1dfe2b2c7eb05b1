// The card of the link that stands in the field (XEP-0511): offered, made by the server if the person wants that, and taken along when the message is
// sent. A message never waits for it. No DOM.
import { signal } from '@preact/signals'
import type { Engine } from '../../core/engine.ts'
import type { Choices, LinkPreview } from '../../core/model.ts'
import { pageIn } from './links.ts'

/** A link is taken as written when it has stood unchanged so long: nobody is to learn halves of it. */
const settledAfterMs = 900
/** Cards that are remembered while a chat is open. */
const maxKnown = 20

/** What is shown above the field. `offer` with `first`: the person has never decided and is asked; else there is only a button. */
export type Card =
  | { state: 'offer'; url: string; first: boolean }
  | { state: 'making' | 'none'; url: string }
  | { state: 'ready'; url: string; preview: LinkPreview }

/** CardMaker is the card of one field. */
export class CardMaker {
  /** What is to be seen; undefined for nothing. */
  readonly shown = signal<Card | undefined>(undefined)
  private choice: Choices['linkCards'] | undefined
  private url: string | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Links whose card was left off here. */
  private readonly left = new Set<string>()
  private readonly known = new Map<string, LinkPreview>()

  constructor(private readonly engine: Pick<Engine, 'makesCards' | 'card' | 'choose'>) {}

  /** chosen notes what the person decided, here or elsewhere. */
  chosen(choice: Choices['linkCards']): void {
    const before = this.choice
    this.choice = choice
    if (before === undefined && this.url) this.wait(this.url)
    if (choice === 'never' && this.shown.value?.state === 'offer') this.shown.value = undefined
  }

  /** write notes what stands in the field. */
  write(text: string): void {
    const url = pageIn(text)
    if (url === this.url) return
    this.url = url
    clearTimeout(this.timer)
    this.shown.value = undefined
    if (!url || this.left.has(url)) return
    const preview = this.known.get(url)
    if (preview) this.shown.value = { state: 'ready', url, preview }
    else this.wait(url)
  }

  /** given is the card of a message that is being corrected: nobody need be asked for it again. */
  given(preview: LinkPreview): void {
    this.remember(preview)
    this.left.delete(preview.url)
    if (this.url === preview.url) this.shown.value = { state: 'ready', url: preview.url, preview }
  }

  private wait(url: string): void {
    clearTimeout(this.timer)
    if (this.choice && this.choice !== 'never') this.timer = setTimeout(() => void this.settled(url).catch(() => undefined), settledAfterMs)
  }

  /** Without connection, and where the server makes no cards, nothing is offered, and nothing is told. */
  private async settled(url: string): Promise<void> {
    if (!await this.engine.makesCards() || this.url !== url || this.shown.value || this.choice === 'never') return
    if (this.choice === 'always') return this.make(url, false)
    this.shown.value = { state: 'offer', url, first: this.choice === 'ask' }
  }

  /** decide answers the question: from now on always, only for this link, or never. It is not asked again. */
  async decide(choice: 'always' | 'each' | 'never'): Promise<void> {
    const { url } = this
    this.choice = choice
    this.shown.value = undefined
    await Promise.all([this.engine.choose({ linkCards: choice }), choice !== 'never' && url && this.make(url, true)])
  }

  /** make has the card made that was offered; `asked`: the person waits for it, and is told if there is none. */
  async make(url: string, asked: boolean): Promise<void> {
    this.shown.value = { state: 'making', url }
    const preview = await this.engine.card(url).catch(() => undefined)
    if (preview) this.remember(preview)
    if (this.url !== url || this.left.has(url)) return
    this.shown.value = preview ? { state: 'ready', url, preview } : asked ? { state: 'none', url } : undefined
  }

  private remember(preview: LinkPreview): void {
    const [oldest] = this.known.keys()
    if (this.known.size >= maxKnown && oldest !== undefined) this.known.delete(oldest)
    this.known.set(preview.url, preview)
  }

  /** leaveOff takes the card, or its offer, away; the link stays. */
  leaveOff(): void {
    if (this.url) this.left.add(this.url)
    this.shown.value = undefined
  }

  /** take gives the card for a message that leaves now, if it is ready, and begins anew. */
  take(words: string): LinkPreview | undefined {
    const { value } = this.shown
    this.close()
    return value?.state === 'ready' && words.includes(value.url) ? value.preview : undefined
  }

  /** close ends what is under way. */
  close(): void {
    clearTimeout(this.timer)
    this.url = undefined
    this.shown.value = undefined
    this.left.clear()
  }
}
