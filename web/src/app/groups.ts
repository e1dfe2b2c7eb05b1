// What may be done in a group, as far as its settings tell, and the doors to what is loaded when it is first needed: what only works with the server.
import type { Group, Member } from '../core/groups.ts'
import type { Chat } from '../core/model.ts'
import { loadPart, t } from '../i18n/t.ts'
import { toast } from '../ui/toast.tsx'

/** leads is whether we are an administrator or owner of a group. */
export const leads = ({ affiliation }: Group): boolean => affiliation === 'owner' || affiliation === 'admin'

/** isIn is whether we are a member of a group, and it is not over. */
export const isIn = (group: Group): boolean => !group.ended && (leads(group) || group.affiliation === 'member')

/** mayWrite is whether something can be said in a chat, as far as is known here. */
export function mayWrite({ blocked, request, group }: Chat): boolean {
  if (blocked || request) return false
  return !group || (isIn(group) && (group.settings.writes === 'all' || leads(group)))
}

/** mayAdd is whether we may bring others into a group. */
export const mayAdd = (group: Group): boolean => isIn(group) && (group.settings.adds === 'all' || leads(group))

/** mayEdit is whether we may change its name, description and picture. */
export const mayEdit = (group: Group): boolean => isIn(group) && (group.settings.edits === 'all' || leads(group))

/** Words of the reasons for which something about groups was refused. */
const reasons: Record<string, 'wrong.offline' | 'wrong.forbidden' | 'wrong.missing' | 'wrong.conflict' | 'wrong.busy' | 'wrong.gone' | 'wrong.malformed'> = {
  disconnected: 'wrong.offline', timeout: 'wrong.offline', forbidden: 'wrong.forbidden', 'not-allowed': 'wrong.forbidden', 'not-authorized': 'wrong.forbidden', 'registration-required': 'wrong.forbidden',
  'item-not-found': 'wrong.missing', conflict: 'wrong.conflict', 'resource-constraint': 'wrong.busy', 'policy-violation': 'wrong.busy', 'service-unavailable': 'wrong.busy', gone: 'wrong.gone', malformed: 'wrong.malformed', 'jid-malformed': 'wrong.malformed',
}

/** whyNot says why something about a group did not work, and what to do. */
export function whyNot(error: unknown): string {
  const { name, condition } = (error ?? {}) as { name?: string; condition?: string }
  if (name === 'Offline') return t('wrong.offline')
  const key = condition === undefined ? undefined : reasons[condition]
  if (!key) console.warn('group', error)
  return t(key ?? 'wrong.other')
}

/** tried says what came of something about a group. */
export function tried(work: Promise<unknown>, well?: string): Promise<boolean> {
  return work.then(() => { if (well) toast(well); return true }, (error: unknown) => { toast(whyNot(error)); return false })
}

type Acts = typeof import('../features/groups/manage.tsx')

/** Loads what can be done about groups, says so when it cannot be had, and does it. */
async function act(use: (acts: Acts) => Promise<void> | void): Promise<void> {
  let acts: Acts
  try { [acts] = await Promise.all([import('../features/groups/manage.tsx'), loadPart('groups')]) } catch (error) { console.warn('groups', error); toast(t('part.failed')); return }
  await use(acts)
}

/** leaveGroup asks, says what happens to the group, and leaves. */
export const leaveGroup = (chat: Chat): Promise<void> => act((a) => a.leave(chat))
/** destroyGroup asks, and ends a group for all. */
export const destroyGroup = (chat: Chat): Promise<void> => act((a) => a.destroy(chat))
/** memberMenu shows what can be done about a member. */
export const memberMenu = (chat: Chat, member: Member, at: HTMLElement): Promise<void> => act((a) => a.memberMenu(chat, member, at))
/** moderate asks for a reason and takes somebody's message away for all. */
export const moderate = (message: string, name: string): Promise<void> => act((a) => a.moderate(message, name))

const linked = /^xmpp:([^?#\s]+)\?(?:[^#\s]*;)?join(?:[;#]|$)/i

/** groupIn finds the link of a group, or of a channel, in a text that was typed, pasted or scanned, and gives the path that opens it: xmpp:…?join, or the web
 * address that is made of it here. Undefined for anything else. */
export function groupIn(text: string): string | undefined {
  const typed = text.trim()
  if (linked.test(typed)) return groupPath(typed)
  if (!URL.canParse(typed)) return undefined
  const url = new URL(typed)
  if (url.origin !== location.origin) return undefined
  const channel = /^\/channels?\/([a-z\d._-]{1,64})$/.exec(url.pathname)?.[1]
  return channel ? `/channels/${channel}` : url.pathname === '/g' && url.hash.length > 1 ? `/g${url.hash}` : undefined
}

/** groupPath is the path that opens a group by its address or link; what follows # never leaves the browser. */
export const groupPath = (link: string): string => `/g#${encodeURI(link.replace(/^xmpp:/i, ''))}`

/** groupWeb is a link as a web address, for people who have no app for xmpp: links. */
export const groupWeb = (link: string): string => location.origin + groupPath(link)

const kept = 'group.link'
const keptMs = 86_400_000

/** keepLink keeps the link of a group until somebody has signed in here, for a day. */
export function keepLink(link: string): void {
  try { localStorage.setItem(kept, JSON.stringify({ link, at: Date.now() })) } catch { /* then it is opened once more */ }
}

/** keptLink is the link that was kept. */
export function keptLink(): string | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(kept) ?? 'null')
    if (typeof found === 'object' && found !== null && 'link' in found && typeof found.link === 'string' && 'at' in found && Number(found.at) > Date.now() - keptMs) return found.link
  } catch { /* nothing that was kept here */ }
  return undefined
}

/** forgetLink forgets it: it was opened, or is not wanted. */
export const forgetLink = (): void => localStorage.removeItem(kept)
