// Reads what a group itself says: that it changed, that a message was taken away. What its members say is read as everywhere (read.ts).

import type { JID } from '../model.ts'
import { parseChange } from '../xmpp/groups.ts'
import { bare, parseJID, resource } from '../xmpp/jid.ts'
import { CLIENT, CONFERENCE, GROUP, MODERATE, MUC_USER, RETRACT } from '../xmpp/ns.ts'
import type { Element } from '../xmpp/xml.ts'
import type { Said } from './said.ts'

/** Reads a message that sets the subject of a group. Whatever else its sender put into it says nothing. */
export function readSubject(stanza: Element, from: JID): Said[] {
  const name = stanza.textOf('subject', CLIENT)?.trim().slice(0, 1000)
  return name ? [{ what: 'change', change: { what: 'subject', by: from, who: [], name } }] : []
}

/** Reads a message from a group's own address. */
export function readOfGroup(stanza: Element, from: JID): Said[] {
  if (isSubject(stanza) && stanza.textOf('subject', CLIENT)?.trim()) return readSubject(stanza, from)
  const change = parseChange(stanza)
  if (change) return [{ what: 'change', change }]
  const retract = stanza.child('retract', RETRACT)
  const moderated = retract?.child('moderated', MODERATE)
  const target = retract?.attr('id')
  if (!retract || !moderated || !target || target.length > 256) return []
  return [{ what: 'moderate', target, by: resource(moderated.attr('by') ?? '') || undefined, reason: retract.textOf('reason')?.slice(0, 500) || undefined }]
}

/** Reads an invitation: what a group sends who was invited to it (XEP-0045 §7.8.2), or somebody by themselves (XEP-0249). */
export function readInvitation(stanza: Element, from: JID): (Said & { what: 'invite' }) | undefined {
  const invite = stanza.child('x', MUC_USER)?.child('invite')
  const direct = stanza.child('x', CONFERENCE)
  const room = parseJID((invite ? from : direct?.attr('jid')) ?? '')
  const by = parseJID((invite ? invite.attr('from') : direct && from) ?? '')
  if (!room?.includes('@') || !by) return undefined
  const reason = (invite?.textOf('reason') ?? direct?.attr('reason'))?.trim().slice(0, 500)
  const name = invite && stanza.child('invited', GROUP)?.attr('name')?.trim().slice(0, 100)
  return { what: 'invite', room: bare(room), by: bare(by), ...(reason ? { reason } : {}), ...(name ? { name } : {}) }
}

/** Says whether a message sets the subject of a group, and says nothing else (XEP-0045 §8.1). */
export const isSubject = (stanza: Element): boolean => !!stanza.child('subject', CLIENT) && !stanza.child('body', CLIENT) && !stanza.child('thread', CLIENT)
