// Holds the eye's place while lines come and go above and below it, and sticks to the end when one is there. The browser's own anchoring is
// off, because it does not work everywhere and not with a window that loses lines.
import { signal } from '@preact/signals'

const slack = 48

export class Stick {
  /** Whether the newest line is in view. */
  readonly atEnd = signal(true)
  private held: { id: string; top: number } | undefined
  private begun = false
  private force = false

  constructor(private readonly box: () => HTMLElement | null) {}

  /** hold remembers what is at the top of the view, before lines change. */
  hold(): void {
    const box = this.box()
    if (!box || this.held) return
    const top = box.getBoundingClientRect().top
    for (const item of box.querySelectorAll<HTMLElement>('li[data-id]')) {
      const rect = item.getBoundingClientRect()
      if (rect.bottom > top) { this.held = { id: item.dataset['id'] ?? '', top: rect.top - top }; return }
    }
  }

  /** restore puts it back, after lines have changed; at the first time it goes to the first unread message or the end. `newest`: the last line
   * is the newest there is, so that who was at the end stays there. */
  restore(firstUnread: string | undefined, newest: boolean): void {
    const box = this.box()
    if (!box) return
    const held = this.held
    this.held = undefined
    if (!this.begun) {
      if (!box.querySelector('li[data-id]')) return
      this.begun = true
      const line = firstUnread && box.querySelector<HTMLElement>('.unread-line')
      if (line) box.scrollTop = line.offsetTop - box.clientHeight / 3
      else box.scrollTop = box.scrollHeight
      this.scrolled()
      return
    }
    if ((this.atEnd.peek() && newest) || this.force) { this.force = false; box.scrollTop = box.scrollHeight; this.scrolled(); return }
    const item = held && this.find(held.id)
    if (held && item) box.scrollTop += item.getBoundingClientRect().top - box.getBoundingClientRect().top - held.top
  }

  /** scrolled notes whether the end is in view. */
  scrolled(): void {
    const box = this.box()
    if (box) this.atEnd.value = box.scrollHeight - box.scrollTop - box.clientHeight < slack
  }

  /** grew keeps the end in view for who was there, when what is shown has become higher by itself: a card whose part came later, a bill whose shares were asked for. */
  grew(): void {
    const box = this.box()
    if (box && this.begun && this.atEnd.peek()) box.scrollTop = box.scrollHeight
  }

  /** toEnd goes to the newest line, now and after the next change. */
  toEnd(): void {
    const box = this.box()
    this.force = true
    this.atEnd.value = true
    if (box) box.scrollTop = box.scrollHeight
  }

  /** follow goes to the newest line after the next change. */
  follow(): void {
    this.force = true
    this.atEnd.value = true
  }

  /** show brings a line into view; false when it is not in the page. */
  show(id: string): boolean {
    const item = this.find(id)
    item?.scrollIntoView({ block: 'center' })
    item?.focus({ preventScroll: true })
    return item !== null
  }

  /** lowest is the id of the last line that is wholly in view. */
  lowest(): string | undefined {
    const box = this.box()
    if (!box) return undefined
    const bottom = box.getBoundingClientRect().bottom + slack / 2
    const items = box.querySelectorAll<HTMLElement>('li[data-id]')
    for (let i = items.length - 1; i >= 0; i--) {
      const item = items[i]
      if (item && item.getBoundingClientRect().bottom <= bottom) return item.dataset['id']
    }
    return undefined
  }

  private find(id: string): HTMLElement | null {
    return this.box()?.querySelector<HTMLElement>(`li[data-id="${CSS.escape(id)}"]`) ?? null
  }
}
