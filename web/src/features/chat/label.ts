// One sentence for each message, so that a screen reader says who, in reply to what, what, how far it has come, and when.
import { effect } from '@preact/signals'
import { moneyText, type Content, type JID, type Message } from '../../core/model.ts'
import { lineText } from '../../app/lines.ts'
import { contactOf, contacts, engine, nameOf } from '../../app/session.ts'
import { language, t, type Key } from '../../i18n/t.ts'
import { clock, length } from '../../i18n/when.ts'
import { timeline } from './state.ts'

const longest = 400

/** contentText is what a message is in words: its own, or what kind of thing it is. */
export function contentText(content: Content): string {
  switch (content.type) {
    case 'text': return content.text
    case 'voice': case 'audio': return t('kind.long', { kind: t(`kind.${content.type}`), more: length(content.media.seconds ?? 0) })
    case 'file': return t('kind.long', { kind: t('kind.file'), more: content.media.name })
    case 'image': case 'video': case 'sticker': {
      const kind = t(content.media.loop ? 'kind.gif' : `kind.${content.type}`)
      return content.caption ? t('kind.long', { kind, more: content.caption }) : kind
    }
    case 'location': return content.label ? t('kind.long', { kind: t('kind.location'), more: content.label }) : t('kind.location')
    case 'contact': return t('kind.long', { kind: t('kind.contact'), more: content.name })
    case 'event': return t('kind.long', { kind: t('kind.event'), more: content.body || content.name })
    case 'once': return t('kind.once')
    case 'poll': return t('kind.long', { kind: t('kind.poll'), more: content.question })
    case 'payment': case 'request': case 'split': return moneyText(content)
    case 'call': return t(`call.${content.outcome}`)
    case 'system': return systemText(content)
    case 'undecryptable': return t(`locked.${content.reason}`)
  }
}

/** systemText is the sentence of a line that nobody wrote. */
export function systemText(content: Extract<Content, { type: 'system' }>): string {
  return lineText(content) ?? t('system.unknown')
}

/** goneText says who took a message away, and why if they said so. */
export function goneText(m: Message): string {
  const { by, reason } = m.retracted ?? { by: m.from }
  if (by === m.from || !by) return t(m.own ? 'removedByYou' : 'removed')
  const text = by === engine().account().jid ? t('tookAwayYou') : t('removedBy', { name: called(by) })
  return reason ? t('kind.long', { kind: text, more: reason }) : text
}

/** wasHeard is whether somebody has listened to a voice note of ours. */
export const wasHeard = (m: Message): boolean => m.own && m.content.type === 'voice' && Object.values(m.receipts ?? {}).some((r) => r.played !== undefined)

/** namesMe is whether a message of somebody names us. */
export const namesMe = (m: Message): boolean => !m.own && m.mentions?.some((one) => one.jid === engine().account().jid) === true

/** called is what to call somebody in the open conversation: as we call them, or else as the group does. */
export function called(jid: JID): string {
  const contact = contactOf(jid)?.name
  if (contact) return contact
  const all = timeline.peek()?.messages.peek() ?? []
  for (let i = all.length - 1; i >= 0; i--) { const m = all[i]; if (m?.from === jid && m.author) return m.author }
  return nameOf(jid)
}

/** authorOf is who is shown to have spoken. */
export function authorOf(m: Message): string {
  return m.own ? t('you') : contactOf(m.from)?.name ?? m.author ?? nameOf(m.from)
}

let said = new WeakMap<Message, string>()
effect(() => { void language.value; void contacts.value; said = new WeakMap() })

/** label is the whole sentence. */
export function label(m: Message): string {
  if (!m.own) void contacts.value // whoever shows it shows it again when a name changes
  const known = said.get(m)
  if (known !== undefined) return known
  const text = sentence(m)
  said.set(m, text)
  return text
}

function sentence(m: Message): string {
  const parts: string[] = [authorOf(m)]
  if (m.reply) parts.push(t('label.reply', { name: called(m.reply.to), text: m.reply.text.slice(0, 80) }))
  if (m.forwarded !== undefined) parts.push(t('forwarded'))
  parts.push(m.retracted ? goneText(m) : contentText(m.content).slice(0, longest))
  if (m.edited && m.content.type !== 'location') parts.push(t('edited'))
  for (const [emoji, who] of Object.entries(m.reactions ?? {})) if (who.length) parts.push(t('label.reacted', { n: who.length, name: called(who[0] ?? ''), emoji }))
  if (namesMe(m)) parts.push(t('mark.mentioned'))
  if (m.starred) parts.push(t('starred'))
  if (m.own && m.state && m.content.type !== 'payment' && m.content.type !== 'request') parts.push(t(`state.${m.state}` as Key))
  if (wasHeard(m)) parts.push(t('voice.heard'))
  parts.push(clock(m.time))
  return parts.join(', ')
}
