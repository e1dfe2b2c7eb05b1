// A bill that a group pays together, in its bubble.
import type { JSX } from 'preact'
import { moneyText, type Content, type Message } from '../../core/model.ts'

/** SplitCard shows who has paid their part. */
export function SplitCard({ content }: { message: Message; content: Extract<Content, { type: 'split' }> }): JSX.Element {
  return <div class="pad">{moneyText(content)}</div>
}
