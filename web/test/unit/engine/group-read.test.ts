// What groups and strangers may send about groups: read within limits, and believed only where it may come from.
import { expect, test } from 'vitest'
import { Malformed, readAddress } from '../../../src/core/engine/group-ask.ts'
import { isSubject, readInvitation, readOfGroup } from '../../../src/core/engine/group-read.ts'
import { groupEnvelope, letterOf } from '../../../src/core/engine/unwrap.ts'
import { entryID, entryOf, parseChange } from '../../../src/core/xmpp/groups.ts'
import { parse, type Element } from '../../../src/core/xmpp/xml.ts'

const room = 'verona@groups.localhost'
const xml = (inner: string, from = room): Element => {
  const e = parse(`<message xmlns='jabber:client' type='groupchat' from='${from}'>${inner}</message>`)
  if (!e) throw new Error('no XML')
  return e
}
const change = (inner: string, attrs = "what='affiliation' by='romeo@localhost'") => xml(`<change xmlns='urn:palabre:group:0' ${attrs}>${inner}</change>`)

test('a change is read as far as it makes sense', () => {
  const read = parseChange(change("<who jid='juliet@localhost' affiliation='member' was='none' nick='Juliet'/><who jid='@' affiliation='member'/><who jid='x@localhost' affiliation='king'/><who jid='nurse@localhost' affiliation='none' invited='true'/>"))
  expect(read?.who).toEqual([{ jid: 'juliet@localhost', affiliation: 'member', was: 'none', nick: 'Juliet' }, { jid: 'nurse@localhost', affiliation: 'none', was: 'none', invited: true }])
  expect(read?.by).toBe('romeo@localhost')
  expect(parseChange(change('', "what='" + 'x'.repeat(500) + "'"))?.what.length).toBe(50)
  expect(parseChange(xml('<body>no</body>'))).toBeUndefined()
  const who = Array.from({ length: 5000 }, (_, i) => `<who jid='u${i}@localhost' affiliation='member'/>`).join('')
  expect(parseChange(change(who))?.who.length).toBe(2000)
})

test('settings are what the form says, and closed where it says nothing', () => {
  const field = (name: string, value: string) => `<field var='${name}'><value>${value}</value></field>`
  const form = (fields: string) => change(`<x xmlns='jabber:x:data' type='result'>${fields}</x>`, "what='settings'")
  expect(parseChange(form(field('muc#roomconfig_membersonly', '1') + field('urn:palabre:group:0#slow', '99999999') + field('muc#roomconfig_roomname', 'n'.repeat(500))))).toMatchObject({
    name: 'n'.repeat(100), settings: { private: true, slow: 86_400, adds: 'admins', edits: 'admins', writes: 'all', anonymous: false },
  })
  expect(parseChange(form(''))?.settings).toMatchObject({ private: false, slow: 0 })
})

test('a member cannot speak for the group', () => {
  const stanza = change("<who jid='mallory@localhost' affiliation='owner'/>")
  const facts = { from: 'mallory@localhost', own: false, time: 1, live: true }
  expect(letterOf(groupEnvelope(stanza, room, { ...facts, nick: 'Mallory' }), undefined)).toBeUndefined()
  expect(letterOf(groupEnvelope(stanza, room, { ...facts, nick: '' }), undefined)?.says[0]?.what).toBe('change')
  const moderation = xml("<retract xmlns='urn:xmpp:message-retract:1' id='1795281424010608'><moderated xmlns='urn:xmpp:message-moderate:1' by='verona@groups.localhost/Romeo'/></retract>")
  expect(readOfGroup(moderation, room)).toMatchObject([{ what: 'moderate', target: '1795281424010608', by: 'Romeo' }])
  expect(letterOf(groupEnvelope(moderation, room, { ...facts, nick: 'Mallory' }), undefined)?.says[0]?.what).toBe('retract')
  for (const subject of ['<subject/>', '<subject>Feast</subject>']) {
    const hidden = xml(subject + moderation.nodes.join(''), `${room}/Mallory`)
    expect(letterOf(groupEnvelope(hidden, room, { ...facts, nick: 'Mallory' }), undefined)?.says.map((s) => s.what) ?? []).toEqual(subject.includes('Feast') ? ['change'] : [])
  }
})

test('numbers and addresses in entries come from the group alone', () => {
  const entry = entryOf(xml("<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='mallory@localhost' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='verona@groups.localhost' id='1795281424010608'/><entry xmlns='urn:palabre:group:0' after='0'/>"), room)
  expect(entry).toMatchObject({ id: 1795281424010608, after: 0 })
  for (const text of ['', '-1', '1e9', '99999999999999999999', 'x', undefined]) expect(entryID(text)).toBe(0)
})

test('invitations: of the group itself with its name, of a person for a group, and nothing else', () => {
  const x = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='romeo@localhost/home'><reason>Come</reason></invite></x>"
  expect(readInvitation(xml(x + "<invited xmlns='urn:palabre:group:0' jid='verona@groups.localhost' name='Verona'/>"), room)).toEqual({ what: 'invite', room, by: 'romeo@localhost', reason: 'Come', name: 'Verona' })
  expect(readInvitation(xml("<x xmlns='jabber:x:conference' jid='verona@groups.localhost' reason='Come'/>"), 'romeo@localhost')).toEqual({ what: 'invite', room, by: 'romeo@localhost', reason: 'Come' })
  expect(readInvitation(xml("<x xmlns='jabber:x:conference' jid='localhost'/>"), 'romeo@localhost')).toBeUndefined()
  expect(readInvitation(xml("<x xmlns='http://jabber.org/protocol/muc#user'/>"), room)).toBeUndefined()
})

test('a subject alone is one; a message with one is a message', () => {
  expect(isSubject(xml('<subject>Feast</subject>'))).toBe(true)
  expect(isSubject(xml('<subject>Feast</subject><body>x</body>'))).toBe(false)
})

test('links and addresses of groups', () => {
  expect(readAddress('xmpp:verona@groups.localhost?join;token=a%2Bb')).toEqual({ jid: room, token: 'a+b' })
  expect(readAddress(' verona@groups.localhost ')).toEqual({ jid: room })
  for (const text of ['', 'localhost', 'https://x', 'xmpp:?join', 'a b@c', '%E0%A4%A@groups.localhost']) expect(() => readAddress(text)).toThrow(Malformed)
})
