// What screens ask of groups and only the server can do (core/groups.ts). Loaded when it is first asked for: nothing of it works without a connection.

import { newPlace, type GroupPreview, type Groups, type GroupSettings, type NewGroup } from '../groups.ts'
import { prepareAvatar } from '../media/image.ts'
import type { JID } from '../model.ts'
import { look, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import * as ask from '../xmpp/groups-ask.ts'
import { closed, fetchInfo } from '../xmpp/groups.ts'
import { bare, local, parseJID } from '../xmpp/jid.ts'
import type { Session } from '../xmpp/session.ts'
import { isIn } from './group-change.ts'
import { StanzaError } from '../xmpp/stanza.ts'

/** What asking needs of the tab that leads. */
export interface Around {
  db: Database
  account: JID
  session(): Session
  /** The service of groups; fails with `item-not-found` where there is none. */
  service(): Promise<string>
  /** Has the groups that we are in stand in the list of chats as they are. */
  here(): Promise<void>
  /** Has a chat go from the list. */
  clear(jid: JID): Promise<void>
}

/** How a group is made unless something else is said. */
const usual: GroupSettings = { ...closed, adds: 'all', edits: 'all' }
const MAX_NAME = 100

/** It is no address and no link of a group. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
  readonly condition = 'malformed'
}

/** Reads the address of a group, or a link to one (XEP-0147). */
export function readAddress(text: string): { jid: JID; token?: string } {
  const [, path, query = ''] = /^(?:xmpp:)?([^?#]+)(?:\?(.*))?$/i.exec(text.trim()) ?? []
  const jid = path && parseJID(decoded(path))
  if (!jid || !jid.includes('@')) throw new Malformed('no address of a group')
  const token = query.split(';').find((part) => part.startsWith('token='))?.slice(6)
  return { jid: bare(jid), ...(token ? { token: decoded(token) } : {}) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Malformed('not well-formed')
  }
}

/** Groups as they are asked of the server. */
export function groupsOf(around: Around): Groups {
  const { db, account } = around
  const session = () => around.session()
  const nick = async () => ((await get(db, 'profile'))?.name || local(account)).slice(0, MAX_NAME)
  const stand = (jid: JID, person: JID, affiliation: 'owner' | 'admin' | 'member' | 'none' | 'outcast', reason?: string) =>
    ask.setItems(session(), jid, [{ jid: person, affiliation }], reason)
  return {
    create: (group) => create(around, group, nick),
    add: (jid, people) => ask.addPeople(session(), jid, unique(people)),
    invitations: (jid) => ask.invitations(session(), jid),
    remove: (jid, person, reason) => stand(jid, person, 'none', reason),
    setRole: (jid, person, as) => stand(jid, person, as),
    setInfo: async (jid, { name, description, picture }) => {
      if (picture !== undefined) await ask.setPicture(session(), jid, picture && await ready(picture))
      if (name !== undefined || description !== undefined) {
        await ask.configure(session(), jid, { 'muc#roomconfig_roomname': name?.slice(0, MAX_NAME), 'muc#roomconfig_roomdesc': description?.slice(0, 2048) })
      }
    },
    setSettings: (jid, change) => ask.setSettings(session(), jid, change),
    setNick: (jid, called) => ask.register(session(), jid, called),
    makeLink: (jid, wanted = {}) => ask.makeLink(session(), jid, wanted),
    links: (jid) => ask.links(session(), jid),
    revokeLink: (jid, id) => ask.revokeLink(session(), jid, id),
    preview: (address) => preview(around, address),
    join: (address, reason) => join(around, address, nick, reason),
    requests: (jid) => ask.requests(session(), jid),
    decide: (jid, person, letIn) => ask.decide(session(), jid, person, letIn),
    ban: (jid, person, reason) => stand(jid, person, 'outcast', reason),
    unban: (jid, person) => stand(jid, person, 'none'),
    banned: (jid) => ask.banned(session(), jid),
    leave: async (jid) => {
      await ask.leave(session(), jid)
      await around.here()
    },
    destroy: (jid, reason) => ask.destroy(session(), jid, reason),
    transfer: (jid, to) => ask.setItems(session(), jid, [{ jid: to, affiliation: 'owner' }, { jid: account, affiliation: 'admin' }]),
    moderate: async (id, reason) => {
      const message = await db.get('messages', id)
      if (!message?.stanzaId) throw new StanzaError('item-not-found')
      await ask.moderate(session(), message.chat, message.stanzaId, reason)
    },
    decline: async (jid) => {
      const group = (await db.get('chats', jid))?.group
      if (group && isIn(group.affiliation)) await ask.leave(session(), jid)
      else if (group?.invited) ask.declineInvitation(session(), jid, group.invited.by)
      await around.here()
      await around.clear(jid)
    },
    find: async (after) => ask.findOpen(session(), await around.service(), after),
  }
}

const unique = (people: JID[]): JID[] => [...new Set(people.map(bare))]

async function create(around: Around, group: NewGroup, nick: () => Promise<string>): ReturnType<Groups['create']> {
  const name = group.name.trim().slice(0, MAX_NAME)
  if (!name) throw new Malformed('a group has a name')
  const settings = { ...usual, ...group.settings }
  const jid = `${group.place ?? newPlace()}@${await around.service()}`
  const picture = group.picture && await ready(group.picture)
  const session = around.session()
  await ask.makeGroup(session, jid, await nick(), settings, { name, description: group.description?.slice(0, 2048) })
  const refused = await ask.addPeople(session, jid, unique(group.members).filter((one) => one !== around.account))
  if (picture) await ask.setPicture(session, jid, picture).catch((error: unknown) => console.warn('picture of a group', error)) // it is made all the same
  await around.here()
  return { jid, refused }
}

/** A picture as groups are shown by; fails with Malformed for what is none. */
async function ready(picture: Blob): Promise<Blob> {
  const made = await prepareAvatar(picture)
  if (!made) throw new Malformed('no picture')
  return made.blob
}

async function preview(around: Around, text: string): Promise<GroupPreview> {
  const { jid } = readAddress(text)
  const info = await fetchInfo(around.session(), jid)
  const chat = await look(around.db, ['chats']).objectStore('chats').get(jid)
  return {
    jid, name: info.name ?? local(jid), members: info.members, private: info.settings.private, joined: !!chat?.group && !chat.group.ended && chat.group.affiliation !== 'none',
    ...(info.description ? { description: info.description } : {}),
  }
}

async function enter({ db, session }: Around, jid: JID, token: string | undefined, nick: string, reason?: string): Promise<boolean> {
  if (token !== undefined) return ask.byLink(session(), jid, token, nick)
  const invited = (await db.get('chats', jid))?.group?.invited
  if (!invited) return ask.comeIn(session(), jid, nick, reason)
  return ask.accept(session(), jid, nick).catch((error: unknown) => {
    if (error instanceof StanzaError && !error.temporary) return ask.comeIn(session(), jid, nick, reason) // to an open group everybody may invite
    throw error
  })
}

async function join(around: Around, text: string, nick: () => Promise<string>, reason?: string): ReturnType<Groups['join']> {
  const { jid, token } = readAddress(text)
  const called = await nick()
  const waits = await enter(around, jid, token, called, reason)
  if (!waits) await around.here()
  return { jid, waits }
}
