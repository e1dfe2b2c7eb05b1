// The keys with which this device pays: made here, kept here, and opened for one signature at a time.

import { PayTrouble, payTrouble, type Pay, type Proof, type Wallet } from '../pay.ts'
import { canPasskey, makePasskey, signWithPasskey } from '../pay/passkey.ts'
import { makePinKey, MAX_WRONG, MIN_PIN, openPinKey, verifierOf, type PinKey } from '../pay/pin.ts'
import { toText } from '../pay/bytes.ts'
import { signText } from '../pay/sign.ts'
import type { Micros } from '../model.ts'
import { look } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { forgetShare, keyOf, putPay, readPay, type Kept, type OfflineKey, type Signed } from '../store/pay.ts'
import type { Hand } from './pay-desk.ts'

const MAX_NAME = 60
/** Between two tries that nobody has asked for to have the service know a key, in milliseconds. */
const REST = 5000

/** The keys of one account on this device. */
export class PayKeys {
  constructor(private readonly hand: Hand) {
    void this.forget()
  }

  /** The share of a key that the service has not confirmed goes when it is time; the key itself then is only one if the service says that it has it. */
  private async forget(): Promise<void> {
    const left = await this.hand.step(({ tx, now }) => forgetShare(tx, now)).catch(() => undefined) // when the device starts again
    if (left !== undefined) setTimeout(() => void this.forget(), left / 1000 + 1)
  }

  private kept(): Promise<Kept<'keys'> | undefined> {
    return readPay(look(this.hand.db, ['pay']), 'keys')
  }

  async device(): ReturnType<Pay['device']> {
    const { main, told, asked, offline } = await this.kept() ?? {}
    if (main && told === undefined && asked && Date.now() >= this.rests) {
      this.rests = Date.now() + REST
      void this.settle().catch(() => undefined) // then a later look does it
    }
    const wallet = (await get(this.hand.db, 'pay'))?.wallet
    // One that the service has dropped is none, nor is one of which it may not have heard.
    const known = told !== undefined && (!wallet || wallet.time < told || wallet.keys.some((k) => k.id === main?.id))
    return { ...(main && known ? { key: main.kind, keyId: main.id } : {}), ...(isReady(offline, wallet) ? { offline: { id: offline.id, cap: offline.cap, unit: offline.unit } } : {}), canPasskey: await canPasskey() }
  }

  /**
   * Makes this device's key. It is kept before the service hears of it, with what the service is to get: where the answer is lost, the same key is handed in again, and no other is made, since the
   * service may have it. Then what was chosen the first time stays in force; who chooses otherwise now is told `key-made`. A key that the service has dropped is replaced.
   */
  async setUp(how: { pin: string } | { passkey: true }, name: string): Promise<Wallet> {
    if ('pin' in how) checkPin(how.pin)
    const before = await this.kept()
    const waits = before?.main && before.told === undefined ? before : undefined
    const fits = waits?.main?.kind === 'passkey' ? 'passkey' in how : !waits || ('pin' in how && await opens(waits, how.pin))
    if (!fits && waits?.asked?.tried) {
      const forgotten = waits.main?.kind === 'pin' && !waits.asked.parts // only the service can say whether there is that key
      const failed = await this.settle().then(() => undefined, payTrouble)
      if (forgotten && failed?.why === 'no-key') return this.setUp(how, name)
      throw new PayTrouble(failed && (forgotten || failed.why !== 'offline') ? failed : { why: 'key-made' })
    }
    if (before?.main && !waits && (await this.hand.ask('wallet')).keys.some((k) => k.id === before.main?.id)) throw new PayTrouble({ why: 'key-made' })
    if (!waits || !fits) await this.make(how, name.trim().slice(0, MAX_NAME), before?.main?.id)
    return this.settle().catch((error: unknown) => {
      if (waits && payTrouble(error).why === 'no-key') return this.setUp(how, name) // it was dropped meanwhile, and is gone from here
      throw error
    })
  }

  /** Makes a key and keeps it, unless another tab has made one meanwhile. */
  private async make(how: { pin: string } | { passkey: true }, name: string, replaces: string | undefined): Promise<void> {
    const [main, parts] = 'passkey' in how ? [await makePasskey(this.hand.account)] : await makePinKey(how.pin).then(({ key, parts }) => [key, parts] as const)
    if (!main) throw new PayTrouble({ why: 'passkey' })
    await this.hand.step(async ({ tx, changes, now }) => {
      const kept = await readPay(tx, 'keys')
      if (kept?.main && kept.main.id !== replaces) throw new PayTrouble({ why: 'key-made' })
      await putPay(tx, { key: keyOf('keys'), what: 'keys', time: now, main, asked: { name, ...(parts ? { parts, since: now } : {}) }, ...(kept?.offline ? { offline: kept.offline } : {}) })
      changes.pay('wallet')
    })
    if (parts) void this.forget()
  }

  private settling: Promise<Wallet> | undefined
  /** Until when a mere look at the device asks for nothing. */
  private rests = 0

  /** Has the service know the key that is kept here: it is asked whether it does already, and handed the same key if not, under which it is there once. */
  private settle(): Promise<Wallet> {
    return this.settling ??= this.handIn().finally(() => { this.settling = undefined })
  }

  private async handIn(): Promise<Wallet> {
    const { main, asked } = await this.kept() ?? {}
    const wallet = await this.hand.ask('wallet')
    if (!main) throw new PayTrouble({ why: 'no-key' })
    if (wallet.keys.some((k) => k.id === main.id)) return this.told(main.id, wallet)
    const rest = main.kind === 'passkey' ? { credential: main.credential } : asked?.parts
    try {
      if (!asked || !rest) throw new PayTrouble({ why: 'no-key' }) // an earlier version kept nothing to hand in
      if (!asked.tried) await this.change((kept) => kept.main?.id === main.id && kept.asked ? { asked: { ...kept.asked, tried: true } } : {})
      return await this.told(main.id, await this.hand.ask('addKey', { kind: main.kind, name: asked.name, public: toText(main.point), ...rest }))
    } catch (error) {
      // What the service will not have under any circumstances, or has dropped, makes room for another.
      if (['no-key', 'bad-text'].includes(payTrouble(error).why)) await this.change((kept) => kept.main?.id === main.id ? { main: undefined, asked: undefined } : {})
      throw error
    }
  }

  /** The service knows the key of this device: what it needs for it is kept here no longer. */
  private async told(id: string, wallet: Wallet): Promise<Wallet> {
    const told = await this.hand.now()
    await this.change((kept) => kept.main?.id === id ? { told, asked: undefined } : {})
    return wallet
  }

  /**
   * Makes a key for payments without network; `tell` has the service know and allow it. It is used only once the service is known to have done so, also where the answer was lost; with the same PIN
   * again it is the same key.
   */
  async setUpOffline(pin: string, cap: number, unit: string, tell: (id: string, point: string) => Promise<Wallet>): Promise<Wallet> {
    checkPin(pin)
    const before = (await this.kept())?.offline
    const same = before && before.told === undefined && await openPinKey(before, (await verifierOf(pin, before)).half, before.share) ? before : undefined
    const { key, share } = same ? { key: same, share: same.share } : await makePinKey(pin).then(({ key, parts }) => ({ key, share: parts.share }))
    const made: OfflineKey = { ...key, share, cap, unit, wrong: 0 }
    await this.change(() => ({ offline: made }))
    try {
      const wallet = await tell(key.id, toText(key.point))
      const told = await this.hand.now()
      await this.change(() => ({ offline: { ...made, told } }))
      return wallet
    } catch (error) {
      const wallet = await this.hand.ask('wallet').catch(() => undefined) // then a later one says whether it was allowed
      if (wallet && allows(wallet, made)) return wallet
      throw error
    }
  }

  private change(how: (kept: Partial<Kept<'keys'>>) => { main?: undefined; told?: Micros; asked?: Kept<'keys'>['asked']; offline?: OfflineKey | undefined }): Promise<void> {
    return this.hand.step(async ({ tx, changes, now }) => {
      const kept = await readPay(tx, 'keys') ?? {}
      const { main, told, asked, offline } = { ...kept, ...how(kept) }
      await putPay(tx, { key: keyOf('keys'), what: 'keys', time: now, ...(main ? { main } : {}), ...(told ? { told } : {}), ...(asked ? { asked } : {}), ...(offline ? { offline } : {}) })
      changes.pay('wallet')
    })
  }

  /** Signs with this device's key what `write` makes of its id. */
  async sign(proof: Proof, write: (key: string) => string): Promise<Signed> {
    const main = (await this.kept())?.main
    if (!main) throw new PayTrouble({ why: 'no-key' })
    const text = write(main.id)
    if (main.kind === 'passkey') {
      const assertion = await signWithPasskey(main, text)
      if (!assertion) throw new PayTrouble({ why: 'passkey' })
      return { text, key: main.id, ...assertion }
    }
    if (!('pin' in proof)) throw new PayTrouble({ why: 'no-key' })
    checkPin(proof.pin)
    return { text, key: main.id, signature: await signText(await this.open(main, proof.pin), text) }
  }

  private async open(key: PinKey, pin: string): Promise<CryptoKey> {
    const { verifier, half } = await verifierOf(pin, key)
    const opened = await openPinKey(key, half, await this.hand.ask('unlock', key.id, verifier))
    if (!opened) throw new PayTrouble({ why: 'wrong-pin' })
    return opened
  }

  /** Whether the key of this id is the one for payments without network, and may be used. */
  async hasOffline(id: string | undefined): Promise<boolean> {
    const key = (await this.kept())?.offline
    return id !== undefined && key?.id === id && isReady(key, (await get(this.hand.db, 'pay'))?.wallet)
  }

  /** Signs without network, with the key for it. A wrong PIN is counted before it is known to be wrong; after five the key is gone. */
  async signOffline(pin: string, write: (key: OfflineKey) => string): Promise<{ signed: Signed; key: OfflineKey }> {
    const key = await this.hand.step(async ({ tx }) => {
      const kept = await readPay(tx, 'keys')
      if (!kept?.offline || !isReady(kept.offline, (await get(tx, 'pay'))?.wallet)) return undefined
      if (kept.offline.wrong >= MAX_WRONG) {
        const { offline: _, ...rest } = kept
        await putPay(tx, rest)
        return undefined
      }
      kept.offline.wrong++
      await putPay(tx, kept)
      return kept.offline
    })
    if (!key) throw new PayTrouble({ why: 'no-key' })
    const opened = await openPinKey(key, (await verifierOf(pin, key)).half, key.share)
    if (!opened) {
      const left = MAX_WRONG - key.wrong
      if (!left) await this.change(() => ({ offline: undefined }))
      throw new PayTrouble({ why: 'wrong-pin', left })
    }
    await this.change(() => ({ offline: { ...key, wrong: 0 } }))
    const text = write(key)
    return { signed: { text, key: key.id, signature: await signText(opened, text) }, key }
  }
}

/** Whether a PIN is the one that a key was made with, which is known here while the service may not have it. */
async function opens({ main, asked }: Kept<'keys'>, pin: string): Promise<boolean> {
  if (main?.kind !== 'pin' || !asked) return true // what the service has to say
  return asked.parts !== undefined && !!await openPinKey(main, (await verifierOf(pin, main)).half, asked.parts.share)
}

const allows = (wallet: Wallet, key: OfflineKey): boolean => wallet.keys.some((k) => k.id === key.id && k.cap)

/** Says whether the service has allowed a key for payments without network and not dropped it, as far as this device was told. */
function isReady(key: OfflineKey | undefined, wallet: Wallet | undefined): key is OfflineKey {
  return key !== undefined && ((wallet && allows(wallet, key)) || (key.told !== undefined && (!wallet || wallet.time <= key.told)))
}

function checkPin(pin: string): void {
  if (!new RegExp(`^\\d{${MIN_PIN},20}$`).test(pin)) throw new PayTrouble({ why: 'pin-short' })
}
