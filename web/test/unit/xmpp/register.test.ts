// Getting an account and what becomes of it, with the real server.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCommands } from '../../../src/core/xmpp/command.ts'
import { dropToken, logIn } from '../../../src/core/xmpp/login.ts'
import { listAccess, revokeAccess } from '../../../src/core/xmpp/access.ts'
import { changePassword, deleteAccount, invite, openRegistration, parseInvitation } from '../../../src/core/xmpp/register.ts'
import { getRoster } from '../../../src/core/xmpp/roster.ts'
import { PASSWORD, Resident, Town } from './town.ts'

let town: Town
beforeAll(async () => { town = await Town.found([]) })
afterAll(() => town.end())

test('from an invitation to an account, and on to the next one', async () => {
  const guest = await openRegistration(town.url, 'localhost')
  await expect(guest.create('romeo', PASSWORD)).rejects.toMatchObject({ condition: 'not-allowed' })
  await expect(guest.invite('nonsense')).rejects.toMatchObject({ condition: 'item-not-found' })
  expect(await guest.invite(town.invitation)).toEqual({ name: undefined })
  await expect(guest.create('ro meo', PASSWORD)).rejects.toMatchObject({ condition: 'not-acceptable' })
  await expect(guest.create('romeo', 'short')).rejects.toMatchObject({ condition: 'not-acceptable' })
  await guest.create('romeo', PASSWORD)
  guest.close()

  const romeo = await new Resident(town, 'romeo').live()
  expect([...(await listCommands(romeo.connection)).keys()]).toContain('urn:xmpp:invite#invite')
  const link = await invite(romeo.connection)
  const invitation = parseInvitation(link.uri)
  expect(invitation).toMatchObject({ domain: 'localhost', from: 'romeo@localhost', name: undefined })
  expect(parseInvitation(link.web ?? '')).toEqual({ token: invitation?.token })
  expect(link.expires).toBeGreaterThan(Date.now() * 1000)

  const friend = await openRegistration(town.url, 'localhost')
  await friend.invite(invitation?.token ?? '')
  expect(await friend.free('Romeo')).toMatchObject({ why: 'taken' })
  expect(await friend.free('ju liet')).toMatchObject({ why: 'unusable' })
  expect(await friend.free('juliet')).toBeUndefined()
  await expect(friend.create('romeo', PASSWORD)).rejects.toMatchObject({ condition: 'conflict' })
  await friend.create('juliet', PASSWORD)
  friend.close()
  const juliet = await new Resident(town, 'juliet').live()
  expect((await getRoster(juliet.connection)).items).toMatchObject([{ jid: 'romeo@localhost', subscription: 'both' }])
  juliet.connection.stop()
  romeo.connection.stop()
})

test('a new password voids tokens; a fresh one goes on; the account can be ended', async () => {
  const juliet = await new Resident(town, 'juliet').live()
  const old = juliet.token
  await changePassword(juliet.connection, 'parting is such')
  const who = { account: 'juliet@localhost', agent: { id: juliet.agent, software: 'Palabre Web', device: 'test' } }
  if (!old) throw new Error('no token')
  await expect(logIn(town.url, { ...who, token: old })).rejects.toMatchObject({ condition: 'not-authorized' })
  await juliet.connection.renew('parting is such')
  const token = juliet.token
  if (!token || token === old) throw new Error('no fresh token')
  expect(juliet.connection.link.state).toBe('live')
  juliet.connection.stop()
  await juliet.live()
  await dropToken(town.url, { ...who, token })
  await expect(logIn(town.url, { ...who, token })).rejects.toMatchObject({ condition: 'not-authorized' })
  // The server ends the stream right behind its answer, and Node's WebSocket may lose that: the next login tells.
  await deleteAccount(juliet.connection).catch((error: unknown) => expect(error).toMatchObject({ condition: 'disconnected' }))
  await expect(logIn(town.url, { ...who, password: 'parting is such' })).rejects.toMatchObject({ condition: 'not-authorized' })
  juliet.connection.stop()
})

test('the apps that have access are listed, and can be signed out', async () => {
  const [here, other] = await Promise.all([new Resident(town, 'romeo').live(), new Resident(town, 'romeo').live()])
  const apps = await listAccess(here.connection)
  const mine = apps.find((app) => app.here)
  expect(mine).toMatchObject({ app: 'Palabre Web', platform: 'test', online: true })
  expect(apps.filter((app) => app.online)).toHaveLength(2)
  const theirs = apps.find((app) => app.online && !app.here)
  await revokeAccess(here.connection, theirs?.id ?? '')
  await other.until(() => other.connection.link.state === 'refused')
  expect(other.connection.link.reason).toBe('password')
  await expect(revokeAccess(here.connection, 'none')).rejects.toMatchObject({ condition: 'item-not-found' })
  here.connection.stop()
})

test('links are read, and what is none is not', () => {
  expect(parseInvitation('xmpp:example.org?register;preauth=abc')).toEqual({ domain: 'example.org', token: 'abc', from: undefined, name: undefined })
  expect(parseInvitation('xmpp:juliet@example.org?register;preauth=abc')).toMatchObject({ name: 'juliet', from: undefined })
  expect(parseInvitation('xmpp:romeo@example.org?roster;preauth=abc;ibr=y')).toMatchObject({ from: 'romeo@example.org', token: 'abc' })
  for (const bad of ['', 'xmpp:', 'xmpp:a@b?roster', 'xmpp:%ff?register;preauth=x', 'http://a/invite/abcdefgh', 'https://a/invite/', 'javascript:alert(1)', 'xmpp:?register;preauth=x']) {
    expect(parseInvitation(bad)).toBeUndefined()
  }
})
