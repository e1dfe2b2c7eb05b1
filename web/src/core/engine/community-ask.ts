// What screens ask of communities and only the server can do (core/communities.ts). Loaded when it is first asked for: nothing of it works without a connection.

import type { Communities } from '../communities.ts'
import { prepareAvatar } from '../media/image.ts'
import * as ask from '../xmpp/communities.ts'
import { setPicture } from '../xmpp/groups-ask.ts'
import { isIn } from './group-change.ts'
import { Malformed, type Around } from './group-ask.ts'

const MAX_NAME = 100
const MAX_TEXT = 2048

/** Communities as they are asked of the server. */
export function communitiesOf(around: Around): Communities {
  const { db } = around
  const session = () => around.session()
  const service = () => around.service()
  const then = async (work: Promise<unknown>): Promise<void> => {
    await work
    await around.here()
  }
  return {
    create: async (wanted) => {
      const name = wanted.name.trim().slice(0, MAX_NAME)
      if (!name) throw new Malformed('a community has a name')
      const picture = wanted.picture && await prepareAvatar(wanted.picture)
      const jid = await ask.makeCommunity(session(), await service(), { ...wanted, name, ...(wanted.description ? { description: wanted.description.slice(0, MAX_TEXT) } : {}) })
      if (picture) await setPicture(session(), jid, picture.blob).catch((error: unknown) => console.warn('picture of a community', error)) // it is made all the same
      await around.here()
      return { jid }
    },
    groups: async (jid) => ask.inside(session(), await service(), jid),
    about: async (jid) => {
      const group = (await db.get('chats', jid))?.group
      return { ...await ask.aboutCommunity(session(), await service(), jid), joined: !!group && !group.ended && isIn(group.affiliation) }
    },
    join: async (jid) => {
      const waits = await ask.subscribe(session(), await service(), jid)
      if (!waits) await around.here()
      return { waits }
    },
    leave: async (jid) => then(ask.unsubscribe(session(), await service(), jid)),
    add: async (jid, group, join) => then(ask.publishGroup(session(), await service(), jid, group, join)),
    take: async (jid, group) => then(ask.retractGroup(session(), await service(), jid, group)),
    find: async (after) => ask.findCommunities(session(), await service(), after),
  }
}
