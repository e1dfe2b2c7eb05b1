// Reads what a group itself says: that it changed, that a message was taken away. What its members say is read as everywhere (read.ts).

import type { JID } from '../model.ts'
import { parseChange } from '../xmpp/groups.ts'
import { resource } from '../xmpp/jid.ts'
import { CLIENT, MODERATE, RETRACT } from '../xmpp/ns.ts'
import type { Element } from '../xmpp/xml.ts'
import type { Said } from './said.ts'

/** Reads a message from a group's own address, or one that sets its subject. */
export function readOfGroup(stanza: Element, from: JID): Said[] {
  const subject = isSubject(stanza) ? stanza.textOf('subject', CLIENT)?.trim().slice(0, 1000) : undefined
  if (subject) return [{ what: 'change', change: { what: 'subject', by: from, who: [], name: subject } }]
  const change = parseChange(stanza)
  if (change) return [{ what: 'change', change }]
  const retract = stanza.child('retract', RETRACT)
  const moderated = retract?.child('moderated', MODERATE)
  const target = retract?.attr('id')
  if (!retract || !moderated || !target || target.length > 256) return []
  return [{ what: 'moderate', target, by: resource(moderated.attr('by') ?? '') || undefined, reason: retract.textOf('reason')?.slice(0, 500) || undefined }]
}

/** Says whether a message sets the subject of a group, and says nothing else (XEP-0045 §8.1). */
export const isSubject = (stanza: Element): boolean => !!stanza.child('subject', CLIENT) && !stanza.child('body', CLIENT) && !stanza.child('thread', CLIENT)
