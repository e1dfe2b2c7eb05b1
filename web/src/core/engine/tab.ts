// The engine as one tab has it: what is kept is read and changed here, in each tab, since the database is common; what needs the connection or the
// keys is asked of the tab that leads. So a message is kept, and the list is there, even while no tab leads.

import type { Engine, Outgoing } from '../engine.ts'
import { isBroadcast, type AccountSummary, type Choices, type JID, type Message } from '../model.ts'
import { change, look, StorageFull, type Database } from '../store/database.ts'
import { readFile, useFile } from '../store/files.ts'
import { choicesOf, get } from '../store/kv.ts'
import { memberPage } from '../store/members.ts'
import { sortRequests } from '../store/requests.ts'
import type { News } from './changes.ts'
import { ContactDesk } from './contacts.ts'
import { Desk } from './desk.ts'
import { move } from './live.ts'
import type { Led } from './lead.ts'
import { Stickers } from './stickers.ts'
import { Views } from './views.ts'
import { VoiceDrafts } from './voice.ts'

/** How long a page waits for what is older in the archive, in milliseconds. */
const PATIENCE = 8000

/** Who opens a chat sees it first, and then when its contact was there last, in milliseconds. */
const LOOK = 300

/** Gives up waiting, not the work. */
function within<T>(promise: Promise<T>, otherwise: T): Promise<T> {
  return Promise.race([promise.catch(() => otherwise), new Promise<T>((resolve) => setTimeout(() => resolve(otherwise), PATIENCE))])
}

/** For an account of which nothing changes. */
const once = (account: () => AccountSummary): Engine['watchAccount'] => (show) => {
  show(account())
  return () => undefined
}

/** Makes a tab's engine. `led` reaches the tab that leads. */
export function tabEngine(db: Database, news: News, account: () => AccountSummary, led: Led, watchAccount: Engine['watchAccount'] = once(account)): Engine {
  const { jid: own } = account()
  const desk = new Desk(db, own, news)
  const voice = new VoiceDrafts(db, own, news)
  const stickers = new Stickers(db, news, { send: (jid, message, aside) => sendTo(desk, jid, message, aside) })
  const views = new Views(db, own, news, {
    older: (jid) => within(led.older(jid), false),
    hasOlder: async (jid) => !isBroadcast(jid) && (await get(db, `older ${jid}`) ?? await get(db, 'floor') ?? '') !== '',
  })
  const statuses = async () => new (await import('./status-desk.ts')).StatusDesk(db, own, news, led)
  const tells = async () => (await choicesOf(db)).readReceipts
  return {
    watchChats: (show) => views.watchChats(show),
    watchChat: (jid, show) => {
      const stop = views.watchChat(jid, show)
      const timer = setTimeout(() => void led.look(jid).catch(() => undefined), LOOK)
      return () => {
        clearTimeout(timer)
        stop()
      }
    },
    setChat: (jid, fields) => desk.setChat(jid, fields),
    setDraft: (jid, draft) => desk.setDraft(jid, draft),
    keepVoice: (jid, id, piece) => voice.keep(jid, id, piece),
    voiceDraft: (jid) => voice.read(jid),
    dropVoice: (jid, id) => voice.drop(jid, id),
    clearChat: (jid) => desk.clear(jid),
    exportChat: async (jid) => (await import('./export.ts')).exportChat(db, jid),

    page: (jid, at) => views.page(jid, at),
    watchMessages: (jid, show) => views.watchMessages(jid, show),
    send: (jid, message) => withRoom(db, () => sendTo(desk, jid, message)),
    retry: (id) => desk.retry(id),
    undo: (id) => desk.undo(id),
    edit: (id, text, preview, mentions) => desk.edit(id, text, preview, mentions),
    remove: (ids, forAll) => desk.remove(ids, forAll),
    react: (id, emoji) => desk.react(id, emoji),
    vote: (id, options) => desk.vote(id, options),
    answer: (id, going, guests = 0) => desk.answer(id, going, guests),
    closePoll: (id) => desk.close(id),
    changeEvent: (id, event) => desk.change(id, event),
    star: (ids, on) => desk.star(ids, on),
    move: (id, place) => move(db, news, id, place),
    pin: (id, on) => desk.pin(id, on),
    read: async (jid, upTo) => desk.read(jid, upTo, await tells()),
    played: async (id) => desk.played(id, await tells()),
    typing: (jid, what) => led.typing(jid, what),
    watchTyping: (show) => led.watchTyping(show),
    makesCards: () => led.makesCards(),
    card: (url) => led.card(url),
    search: (words, where) => views.search(words, where),
    gallery: (jid, kind, before) => views.gallery(jid, kind, before),

    bytes: async (key) => {
      const blob = await readFile(db, key)
      if (blob) void useFile(db, key, Date.now() * 1000).catch(() => undefined)
      return blob
    },
    fetch: (id, most) => led.fetch(id, most),
    pause: (id) => led.pause(id),
    cancel: (id) => led.cancel(id),
    openOnce: (id) => led.openOnce(id),

    watchStickers: (show) => views.watch((c) => !!c.choices, async () => show(await stickers.all())),
    keepSticker: (from) => withRoom(db, () => stickers.keep(from)),
    dropSticker: (key) => stickers.drop(key),
    sendSticker: (jid, key, reply) => withRoom(db, () => stickers.send(jid, key, reply)),
    stickerPack: (place) => led.stickerPack(place),

    members: (jid, query = {}) => memberPage(look(db, ['members']), jid, query),
    group: (what, ...args) => led.group(what, ...args),
    community: (what, ...args) => led.community(what, ...args),
    pays: async () => !!(await get(db, 'pay'))?.service,
    pay: async () => (await import('./pay-desk.ts')).payDesk(db, news, own, (what, ...args) => led.pay(what, ...args), (group, split) => sendTo(desk, group, { content: { type: 'split', id: split.id, group, split } }, true)),
    channels: async () => (await import('./channel-desk.ts')).channelDesk(db, news, own, (what, ...args) => led.channel(what, ...args)),

    watchStatuses: (show) => {
      let stop: (() => void) | undefined
      let over = false
      void statuses().then((all) => { if (!over) stop = all.watch(show) }, (error: unknown) => console.warn('statuses', error))
      return () => {
        over = true
        stop?.()
      }
    },
    status: ((what, ...args) => withRoom(db, async () => ((await statuses())[what] as (...all: typeof args) => Promise<unknown>)(...args))) as Engine['status'],
    watchUpdates: (show) => views.watch((c) => !!c.updates, async () => {
      const { status = 0, channels = false } = await get(db, 'updates') ?? {}
      show(channels || status > Date.now() * 1000)
    }),
    watchContacts: (show) => views.watchContacts(show),
    ...contactsOf(db, news),
    devices: (jid) => led.devices(jid),
    trust: (device, trust) => led.trust(device, trust),
    safetyNumber: (jid) => led.safetyNumber(jid),
    verifyNumber: (jid, number) => led.verifyNumber(jid, number),
    trustURI: () => led.trustURI(),
    compare: (uri) => led.compare(uri),
    watchNotices: (show) => led.watchNotices(show),
    noticed: (ids) => led.noticed(ids),

    sessions: () => led.sessions(),
    revoke: (id) => led.revoke(id),
    removeDevice: (id) => led.removeDevice(id),
    link: (scanned, show) => led.link(scanned, show),
    linkCompared: (code, same) => led.linkCompared(code, same),
    recoveryCode: () => led.recoveryCode(),

    watchChoices: (show) => views.watch((c) => !!c.choices, async () => show(await choicesOf(db))),
    choose: async (fields) => {
      const chats = await keepChoices(db, own, fields)
      news.tell({ choices: true, ...(chats.length ? { chats } : {}) })
      await led.chose(fields)
    },
    blocked: async () => await get(db, 'blocked') ?? [],

    waking: () => led.waking(),
    setWaking: (on) => led.setWaking(on),
    testWaking: () => led.testWaking(),
    storage: async () => (await import('./space.ts')).storageOf(db),
    freeSpace: async (what) => (await import('./space.ts')).free(db, what),
    waiting: () => led.waiting(),
    servers: () => led.servers(),

    admin: (what, ...args) => led.admin(what, ...args),

    watchConnection: (show) => led.watchConnection(show),
    reconnect: () => led.reconnect(),
    account,
    watchAccount,
    invite: () => led.invite(),
    setProfile: (profile) => led.setProfile(profile),
    changePassword: (old, fresh) => led.changePassword(old, fresh),
    deleteAccount: (password) => led.deleteAccount(password),
    unsettled: () => led.unsettled(),
    signOut: (wipe) => led.signOut(wipe),
    exportData: () => led.exportData(),
  }
}

/** To a broadcast list, what has it leave to each is loaded first. */
async function sendTo(desk: Desk, jid: JID, message: Outgoing, aside = false): Promise<Message> {
  return isBroadcast(jid) ? desk.send(jid, message, aside, (await import('./broadcast.ts')).fanOut) : desk.send(jid, message, aside)
}

type Contacts = Pick<Engine, 'addContact' | 'renameContact' | 'removeContact' | 'answerContact' | 'block' | 'unblock'>

/** What is decided about contacts is kept here, in each tab, and leaves by itself (contacts.ts). */
function contactsOf(db: Database, news: News): Contacts {
  const desk = new ContactDesk(db, news)
  return {
    addContact: async (jid, name) => desk.decide(jid, { do: 'add', ...(name ? { name } : {}), asked: (await db.get('contacts', jid))?.asks === 'in' }),
    renameContact: (jid, name) => desk.decide(jid, { do: 'rename', name: name.slice(0, 1000) }),
    removeContact: (jid) => desk.decide(jid, { do: 'remove' }),
    answerContact: (jid, accept) => desk.decide(jid, { do: accept ? 'accept' : 'refuse' }),
    block: async (jid, report) => desk.decide(jid, { do: 'block', ...(report ? { report: { ...report, text: report.text?.slice(0, 1000), messages: await desk.reportable(report.messages ?? []) } } : {}) }),
    unblock: (jid) => desk.decide(jid, { do: 'unblock' }),
  }
}

/** Does what keeps something; on a full device once more, when what can be fetched again has made room. */
async function withRoom<T>(db: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StorageFull) || !await (await import('./upkeep.ts')).freeRoom(db)) throw error
    return work()
  }
}

/** Keeps what a person chose; gives the chats that stand elsewhere with it. */
function keepChoices(db: Database, account: JID, fields: Partial<Choices>): Promise<JID[]> {
  return change(db, ['kv', 'chats', 'contacts', 'messages'], async (tx) => {
    await tx.objectStore('kv').put({ ...await get(tx, 'choices'), ...fields }, 'choices')
    return fields.strangers === undefined ? [] : sortRequests(tx, account, fields.strangers)
  })
}
