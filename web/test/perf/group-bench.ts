// What a message to a group of 1,024 costs, two devices each, with a key for each device and with keys of senders (docs/protocol/group-keys.md): processor time, which
// a machine that is busy falsifies least, and size.

import { edKey, newKeyPair, sign, systemRandom } from '../../src/core/crypto/curve.ts'
import { utf8 } from '../../src/core/crypto/bytes.ts'
import { wrap } from '../../src/core/crypto/envelope.ts'
import { Service } from '../../src/core/crypto/service.ts'
import { MemoryStore, newTurn } from '../../src/core/crypto/store.ts'
import type { Asked, Bundle, Encrypted, Sealed } from '../../src/core/crypto/types.ts'
import { encryptedElement, forAllElement } from '../../src/core/xmpp/omemo.ts'

const room = 'verona@groups.example.org'
const members = 1023
const runs = 20

/** Milliseconds of the processor, and characters, by name. */
export type Figures = Record<string, string>

export async function measureGroup(cpu: () => number): Promise<Figures> {
  const out: Figures = {}
  for (const knows of [false, true]) await measureOne(out, cpu, knows)
  return out
}

async function measureOne(out: Figures, cpu: () => number, knows: boolean): Promise<void> {
  const how = knows ? 'keys of senders' : 'a key for each device'
  const pool = Array.from({ length: 16 }, silent)
  const idsOf = (jid: string) => { const i = Number(jid.split('@')[0]); return [2 * i + 1, 2 * i + 2] }
  const reader: { service?: Service; bundle?: Bundle } = {}
  const asked: Asked = {
    devices: (jid, version) => Promise.resolve(version !== '2' ? [] : jid.startsWith('reader') ? [reader.service?.device.id ?? 1] : /^\d/.test(jid) ? idsOf(jid) : []),
    bundle: (jid, device) => Promise.resolve((jid.startsWith('reader') ? reader.bundle : pool[device % 16]) ?? null),
    knowing: (jid) => Promise.resolve(!knows ? [] : jid.startsWith('reader') ? [reader.service?.device.id ?? 1] : idsOf(jid)),
  }
  const open = (jid: string) => Service.open(jid, [], { store: new MemoryStore(), turn: newTurn() }, asked, () => undefined)
  reader.service = await open('reader@example.org')
  reader.bundle = (await reader.service.due()).publications.find((p) => p.version === '2')?.bundle
  const service = await open('romeo@example.org')
  const to = ['reader@example.org', ...Array.from({ length: members - 1 }, (_, i) => `${i}@example.org`)]
  const envelope = utf8(wrap(`<body xmlns='jabber:client'>a message of ordinary length, as people write them</body>`, 'romeo@example.org', Date.now() / 1000, systemRandom, room))
  const say = async (): Promise<Encrypted> => {
    const { messages: [message] }: Sealed = await service.encrypt({ to, body: 'x', envelope, room })
    if (!message) throw new Error('nothing was said')
    if (message.all) await service.reflected(room, message.all.epoch, message.all.n)
    return message
  }
  const size = (m: Encrypted): string => `${(String(encryptedElement(m)).length + (m.all ? String(forAllElement(m.all)).length : 0)).toLocaleString('en')} characters`
  let began = cpu()
  const first = await say()
  out[`${how}: first message`] = `${Math.round(cpu() - began)} ms, ${size(first)}`
  const said = [await say()]
  began = cpu()
  for (let i = 0; i < runs; i++) said.push(await say())
  out[`${how}: each next message`] = `${((cpu() - began) / runs).toFixed(1)} ms, ${size(said[5] ?? first)}`
  if (knows) {
    began = cpu()
    await service.encrypt({ to: to.slice(0, -1), body: 'x', envelope, room })
    out['a new epoch, when somebody has left'] = `${Math.round(cpu() - began)} ms`
  }
  const received = [first, ...said].map((message, i) => ({ key: `k${i}`, from: 'romeo@example.org', room, message: { ...message, keys: message.keys.filter((k) => k.jid?.startsWith('reader')) } }))
  await reader.service.decryptMany(received.slice(0, 2))
  began = cpu()
  const read = await reader.service.decryptMany(received.slice(2))
  if (!read.every((one) => one.ok)) throw new Error('not read')
  out[`${how}: reading one`] = `${((cpu() - began) / runs).toFixed(2)} ms`
}

// The keys of a device that says nothing.
function silent(): Bundle {
  const [identity, signed, key] = [newKeyPair(systemRandom), newKeyPair(systemRandom).public, newKeyPair(systemRandom).public]
  return { version: '2', identity: edKey(identity.private).public, signedPreKey: { id: 1, key: signed }, signature: sign(identity.private, signed, systemRandom), preKeys: [{ id: 1, key }] }
}
