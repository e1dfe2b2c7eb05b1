// What administrators ask the real server, which apps have access, and a file that goes up in pieces.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listAccess, revokeAccess } from '../../../src/core/xmpp/access.ts'
import { adminOf } from '../../../src/core/xmpp/admin.ts'
import { block } from '../../../src/core/xmpp/blocking.ts'
import { findUpload, requestSlot } from '../../../src/core/xmpp/upload.ts'
import { Resident, Town } from './town.ts'

let town: Town
let romeo: Resident
let juliet: Resident

beforeAll(async () => {
  town = await Town.found(['romeo', 'juliet', 'mercutio', 'nurse'])
  town.run('account', 'admin', 'romeo')
  ;[romeo, juliet] = await Promise.all([new Resident(town, 'romeo').live(), new Resident(town, 'juliet').live()])
})
afterAll(async () => {
  for (const who of [romeo, juliet]) who.connection.stop()
  await town.end()
})

test('only administrators are answered', async () => {
  const admin = adminOf(juliet.connection)
  for (const asked of [admin.accounts({}), admin.health('hour'), admin.change('nurse', 'remove'), admin.invite({ admin: true }), admin.storage()]) {
    await expect(asked).rejects.toMatchObject({ condition: 'forbidden' })
  }
})

test('accounts by page, one of them, and what is done with it', async () => {
  const admin = adminOf(romeo.connection)
  const page = await admin.accounts({ max: 2, after: 'juliet' })
  expect(page).toMatchObject({ total: 4, more: true, accounts: [{ name: 'mercutio', admin: false, disabled: false, devices: 0, bytes: 0 }, { name: 'nurse' }] })
  expect((await admin.accounts({ max: 1 })).more).toBe(true)
  expect((await admin.accounts({ search: 'ROM' })).accounts).toMatchObject([{ name: 'romeo', admin: true, online: true, devices: 1 }])
  expect(await admin.account('juliet')).toMatchObject({ name: 'juliet', quota: 2 ** 31, apps: [{ software: 'Palabre Web', device: 'test', connected: true }] })
  await admin.change('nurse', 'disable')
  expect((await admin.account('nurse')).disabled).toBe(true)
  await admin.change('nurse', 'enable')
  expect((await admin.passwordLink('nurse')).web).toMatch(/^https:\/\/.*\/password\/\w+$/)
  await admin.change('nurse', 'remove')
  await expect(admin.account('nurse')).rejects.toMatchObject({ condition: 'item-not-found' })
  await expect(admin.change('romeo', 'member')).rejects.toMatchObject({ condition: 'not-allowed' })
})

test('a link for a new password works once', async () => {
  const { web } = await adminOf(romeo.connection).passwordLink('mercutio')
  const at = `https://localhost:${town.port}${new URL(web).pathname}`
  const send = () => fetch(at, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'password=wherefore+art+thou' })
  expect((await fetch(at)).status).toBe(200)
  expect((await send()).status).toBe(200)
  expect((await send()).status).toBe(404)
})

test('invitations', async () => {
  const admin = adminOf(romeo.connection)
  const made = await admin.invite({ name: 'benvolio', days: 2 })
  expect(made).toMatchObject({ name: 'benvolio', uses: 1, uri: expect.stringContaining('preauth='), web: expect.stringContaining('/invite/') })
  const open = (await admin.invitations()).filter((i) => i.name === 'benvolio')
  expect(open).toHaveLength(1)
  await admin.withdraw(open[0]?.id ?? '')
  expect((await admin.invitations()).filter((i) => i.name === 'benvolio')).toEqual([])
})

test('reports are dealt with', async () => {
  const admin = adminOf(romeo.connection)
  await block(juliet.connection, 'paris@far.example', { reason: 'spam', text: 'again <and> again' })
  const { open, reports } = await admin.reports({ handled: false })
  expect(open).toBe(1)
  expect(reports).toMatchObject([{ jid: 'paris@far.example', by: 'juliet', kind: 'spam', words: 'again <and> again', handled: false }])
  await admin.handle(reports[0]?.id ?? '', true)
  expect(await admin.reports({ handled: false })).toMatchObject({ open: 0, reports: [] })
  expect((await admin.reports({ handled: true })).reports).toHaveLength(1)
})

test('limits, storage and health', async () => {
  const admin = adminOf(romeo.connection)
  expect(await admin.limits()).toMatchObject({ 'register.open': 'false', 'upload.max_size_bytes': '104857600' })
  expect(Number((await admin.storage())['disk.free'])).toBeGreaterThan(0)
  const health = await admin.health('day')
  expect(health.every).toBe(600)
  expect(health.series['sessions']).toHaveLength(144)
  expect(health.series['goroutines']?.at(-1)).toBeGreaterThan(1)
  expect(health.facts['version']).toBeTruthy()
})

test('an app is signed out by another of the same account', async () => {
  const phone = await new Resident(town, 'juliet').live()
  const apps = await listAccess(juliet.connection)
  expect(apps).toHaveLength(2)
  expect(apps.filter((a) => a.here)).toMatchObject([{ app: 'Palabre Web', platform: 'test', online: true, password: true }])
  await revokeAccess(juliet.connection, apps.find((a) => !a.here)?.id ?? '')
  await phone.until(() => phone.links.at(-1)?.state !== 'live')
  phone.connection.stop()
  await expect(revokeAccess(juliet.connection, 'nobody')).rejects.toMatchObject({ condition: 'item-not-found' })
})

test('a file goes up in pieces, and on from where it stopped', async () => {
  const service = await findUpload(juliet.connection)
  if (!service) throw new Error('no service')
  const bytes = crypto.getRandomValues(new Uint8Array(5000))
  const { put } = await requestSlot(juliet.connection, service, { name: 'a', size: bytes.length, mime: 'application/octet-stream' })
  const at = `https://localhost:${town.port}${new URL(put).pathname}`
  const piece = (from: number, to: number) => fetch(at, { method: 'PUT', body: bytes.slice(from, to), headers: { 'Content-Range': `bytes ${from}-${to - 1}/${bytes.length}` } })
  expect((await piece(0, 2000)).status).toBe(202)
  const asked = await fetch(at, { method: 'HEAD' })
  expect([asked.status, asked.headers.get('Upload-Offset')]).toEqual([204, '2000'])
  expect((await piece(2000, 5000)).status).toBe(201)
  expect(new Uint8Array(await (await fetch(at)).arrayBuffer())).toEqual(bytes)
})
