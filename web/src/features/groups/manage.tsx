// What can be done about a group, its members and what they said, and what is asked before it is.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import ban from 'icon:ban'
import crown from 'icon:crown'
import minus from 'icon:user-minus'
import pencil from 'icon:pencil'
import type { Member } from '../../core/groups.ts'
import type { Chat, JID } from '../../core/model.ts'
import { leads, tried } from '../../app/groups.ts'
import { chatPath, go } from '../../app/router.ts'
import { contactOf, engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { choose, confirm, Dialog, openMenu, over, type Item } from '../../ui/overlay.tsx'
import '../../ui/css/pages.css'

const longestReason = 500

/** askWords asks for a text before something is done; undefined when it is not to be done. */
function askWords(question: { title: string; text?: string; label: string; yes: string; first?: string; limit: number; required?: boolean; danger?: boolean }): Promise<string | undefined> {
  let answer: string | undefined
  return over((done) => <Words {...question} done={(words) => { answer = words; done() }} cancel={done} />).then(() => answer)
}

interface WordsProps { title: string; text?: string; label: string; yes: string; first?: string; limit: number; required?: boolean; danger?: boolean; done: (words: string) => void; cancel: () => void }

function Words({ title, text, label, yes, first = '', limit, required, danger, done, cancel }: WordsProps): JSX.Element {
  const [words, setWords] = useState(first)
  return (
    <Dialog title={title} close={cancel}>
      <form class="stack" onSubmit={(e) => { e.preventDefault(); if (!required || words.trim()) done(words.trim()) }}>
        {text && <p>{text}</p>}
        <Field label={label} value={words} change={setWords} limit={limit} required={required ?? false} focus />
        <div class="do"><Button kind="t" act={cancel}>{t('cancel')}</Button><Button kind={danger ? 'd' : 'p'} submit>{yes}</Button></div>
      </form>
    </Dialog>
  )
}

/** leave says what happens to the group, and leaves it. */
export async function leave(chat: Chat): Promise<void> {
  const { jid, name, group } = chat
  const owner = group?.affiliation === 'owner'
  const others = owner ? (await engine().members(jid, { admins: true, limit: 2 })).members.filter((m) => m.affiliation === 'owner').length > 1 : true
  const alone = (group?.members ?? 2) <= 1
  const answer = await choose({
    title: t('gr.leaveTitle', { name }), text: t(group?.kind ? 'gr.leaveCommunity' : alone ? 'gr.leaveAlone' : owner && !others ? 'gr.leaveOwner' : 'gr.leaveText'),
    answers: [...(owner && !others && !alone ? [{ value: 'hand' as const, label: t('gr.leaveHand') }] : []), { value: 'leave', label: t('gr.leaveYes'), danger: true }],
  })
  if (answer === 'hand') go(`${chatPath(jid)}/group/owner`)
  else if (answer === 'leave') await tried(engine().group('leave', jid), t('gr.left'))
}

/** destroy ends a group for all its members. */
export async function destroy({ jid, name, group }: Chat): Promise<void> {
  const reason = await askWords({ title: t('gr.destroyTitle', { name }), text: t(group?.kind ? 'gr.destroyCommunity' : 'gr.destroyText'), label: t('gr.reason'), yes: t('gr.destroyYes'), limit: longestReason, danger: true })
  if (reason !== undefined) await tried(engine().group('destroy', jid, reason || undefined), t('gr.destroyed'))
}

/** moderate takes somebody's message away for all. */
export async function moderate(message: string, name: string): Promise<void> {
  const reason = await askWords({ title: t('gr.takeTitle', { name }), text: t('gr.takeText'), label: t('gr.reason'), yes: t('gr.takeYes'), limit: longestReason, danger: true })
  if (reason !== undefined) await tried(engine().group('moderate', message, reason || undefined), t('gr.taken'))
}

/** memberMenu shows what can be done about a member. */
export async function memberMenu(chat: Chat, member: Member, at: HTMLElement): Promise<void> {
  await openMenu(at, t('gr.memberMenu', { name: nameOf(member) }), member.jid === engine().account().jid ? ownItems(chat) : items(chat, member))
}

const nameOf = (m: Member): string => contactOf(m.jid)?.name ?? m.nick

function ownItems(chat: Chat): Item[] {
  return [{ label: t('gr.nick'), path: pencil, act: () => void rename(chat) }]
}

async function rename({ jid, group }: Chat): Promise<void> {
  const nick = await askWords({ title: t('gr.nick'), text: t('gr.nickText'), label: t('gr.nickLabel'), yes: t('gr.save'), first: group?.nick ?? '', limit: 100, required: true })
  if (nick) await tried(engine().group('setNick', jid, nick), t('gr.saved'))
}

function items(chat: Chat, member: Member): Item[] {
  const { jid, affiliation } = member
  const group = chat.group
  const list: Item[] = []
  if (!jid.includes('/')) {
    list.push({ label: t('gr.write'), icon: 'message', act: () => go(chatPath(jid)) })
    list.push({ label: t('gr.look'), icon: 'user', act: () => go(`/contacts/${encodeURIComponent(jid)}`) })
  }
  if (!group || !leads(group)) return list
  const owner = group.affiliation === 'owner'
  const name = nameOf(member)
  if (owner && affiliation === 'member') list.push({ label: t('gr.makeAdmin'), icon: 'shield', line: true, act: () => void role(chat.jid, jid, 'admin', 'gr.adminTitle', 'gr.adminText', name) })
  if (owner && affiliation !== 'member') list.push({ label: t('gr.dismiss'), icon: 'undo', line: true, act: () => void role(chat.jid, jid, 'member', 'gr.dismissTitle', 'gr.dismissText', name) })
  if (owner && affiliation !== 'owner') list.push({ label: t('gr.handOver'), path: crown, act: () => void handOver(chat.jid, jid, name) })
  if (owner || affiliation === 'member') {
    list.push({ label: t('gr.remove'), path: minus, line: true, danger: true, act: () => void remove(chat, member) })
    list.push({ label: t('gr.ban'), path: ban, danger: true, act: () => void banMember(chat, member) })
  }
  return list
}

async function role(jid: JID, person: JID, as: 'admin' | 'member', title: Key, text: Key, name: string): Promise<void> {
  if (await confirm({ title: t(title, { name }), text: t(text), yes: t('gr.yes') })) await tried(engine().group('setRole', jid, person, as), t('gr.saved'))
}

/** handOver makes somebody owner: alone, or beside us. */
export async function handOver(jid: JID, person: JID, name: string): Promise<boolean> {
  const answer = await choose({
    title: t('gr.handTitle', { name }), text: t('gr.handText'),
    answers: [{ value: 'both', label: t('gr.handBoth') }, { value: 'over', label: t('gr.handYes'), main: true }],
  })
  if (!answer) return false
  return tried(answer === 'over' ? engine().group('transfer', jid, person) : engine().group('setRole', jid, person, 'owner'), t('gr.saved'))
}

async function remove(chat: Chat, member: Member): Promise<void> {
  const reason = await askWords({ title: t('gr.removeTitle', { name: nameOf(member) }), text: t('gr.removeText'), label: t('gr.reason'), yes: t('gr.remove'), limit: longestReason, danger: true })
  if (reason !== undefined) await tried(engine().group('remove', chat.jid, member.jid, reason || undefined), t('gr.removed'))
}

async function banMember(chat: Chat, member: Member): Promise<void> {
  const reason = await askWords({ title: t('gr.banTitle', { name: nameOf(member) }), text: t('gr.banText'), label: t('gr.reason'), yes: t('gr.ban'), limit: longestReason, danger: true })
  if (reason !== undefined) await tried(engine().group('ban', chat.jid, member.jid, reason || undefined), t('gr.banned'))
}
