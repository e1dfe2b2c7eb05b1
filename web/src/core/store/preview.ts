// What a message says in one line, for the list of chats and for search.

import { moneyText, type Content } from '../model.ts'

const MAX = 200

/** Says whether a content stands for something that the service of payments tells: no message of anybody's brought it. */
export const isMoney = (content: Content): boolean => content.type === 'payment' || content.type === 'request'

/** The text of a content, undefined if it has none. */
export function textOf(content: Content): string | undefined {
  switch (content.type) {
    case 'text': return content.text
    case 'image': case 'video': case 'voice': case 'sticker': return content.caption
    case 'file': case 'audio': return content.caption ? `${content.media.name} ${content.caption}` : content.media.name
    case 'location': return content.label
    case 'contact': return content.name
    case 'event': return [content.name, content.place, content.description].filter(Boolean).join(' ')
    case 'poll': return [content.question, ...content.options].join(' ')
    case 'payment': case 'request': case 'split': return moneyText(content)
    default: return undefined
  }
}

/** One line of it, at most 200 characters; '' where the kind says all. */
export function sayShortly(content: Content): string {
  const text = content.type === 'poll' ? content.question : content.type === 'event' ? content.name : content.type === 'system' ? content.key : textOf(content) ?? ''
  const line = text.slice(0, 4 * MAX).replace(/\s+/g, ' ').trim()
  return line.length > MAX ? line.slice(0, MAX - 1) + '…' : line
}
