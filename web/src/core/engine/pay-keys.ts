// The keys with which this device pays: made here, kept here, and opened for one signature at a time.

import { PayTrouble, type Pay, type Proof, type Wallet } from '../pay.ts'
import { canPasskey, makePasskey, signWithPasskey } from '../pay/passkey.ts'
import { makePinKey, MAX_WRONG, MIN_PIN, openPinKey, verifierOf, type PinKey } from '../pay/pin.ts'
import { signText, toText } from '../pay/sign.ts'
import type { Micros } from '../model.ts'
import { look } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { keyOf, putPay, readPay, type Kept, type OfflineKey, type Signed } from '../store/pay.ts'
import type { Hand } from './pay-desk.ts'

const MAX_NAME = 60

/** The keys of one account on this device. */
export class PayKeys {
  constructor(private readonly hand: Hand) {}

  private kept(): Promise<Kept<'keys'> | undefined> {
    return readPay(look(this.hand.db, ['pay']), 'keys')
  }

  async device(): ReturnType<Pay['device']> {
    const { main, told, offline } = await this.kept() ?? {}
    const wallet = (await get(this.hand.db, 'pay'))?.wallet
    // One that the service has dropped is none, nor is one of which it may not have heard.
    const known = told !== undefined && (!wallet || wallet.time < told || wallet.keys.some((k) => k.id === main?.id))
    return { ...(main && known ? { key: main.kind, keyId: main.id } : {}), ...(isReady(offline, wallet) ? { offline: { id: offline.id, cap: offline.cap, unit: offline.unit } } : {}), canPasskey: await canPasskey() }
  }

  /** Makes this device's key. It is kept before the service hears of it; what was there before is replaced, since only who has no use of it makes another. */
  async setUp(how: { pin: string } | { passkey: true }, name: string): Promise<Wallet> {
    const called = name.trim().slice(0, MAX_NAME)
    const before = await this.kept()
    if (before?.main && before.told === undefined) {
      // Whether an answer was lost: a second key would have to wait for a day.
      const wallet = await this.hand.ask('wallet')
      if (wallet.keys.some((k) => k.id === before.main?.id)) return this.told(wallet)
    }
    if ('passkey' in how) {
      const main = await makePasskey(this.hand.account)
      if (!main) throw new PayTrouble({ why: 'passkey' })
      await this.keep({ main, told: undefined })
      return this.told(await this.hand.ask('addKey', { kind: 'passkey', name: called, public: toText(main.point), credential: main.credential }))
    }
    checkPin(how.pin)
    const { key, parts } = await makePinKey(how.pin)
    await this.keep({ main: key, told: undefined })
    return this.told(await this.hand.ask('addKey', { kind: 'pin', name: called, public: toText(key.point), ...parts }))
  }

  /** The service knows the key of this device. */
  private async told(wallet: Wallet): Promise<Wallet> {
    await this.keep({ told: await this.hand.now() })
    return wallet
  }

  /** Makes a key for payments without network; `tell` has the service know and allow it. It is used only once the service is known to have done so, also where the answer was lost. */
  async setUpOffline(pin: string, cap: number, unit: string, tell: (id: string, point: string) => Promise<Wallet>): Promise<Wallet> {
    checkPin(pin)
    const { key, parts } = await makePinKey(pin)
    const made: OfflineKey = { ...key, share: parts.share, cap, unit, wrong: 0 }
    await this.keep({ offline: made })
    try {
      const wallet = await tell(key.id, toText(key.point))
      await this.keep({ offline: { ...made, told: await this.hand.now() } })
      return wallet
    } catch (error) {
      const wallet = await this.hand.ask('wallet').catch(() => undefined) // then a later one says whether it was allowed
      if (wallet && allows(wallet, made)) return wallet
      if (wallet) await this.keep({ offline: undefined })
      throw error
    }
  }

  private keep(change: { main?: Kept<'keys'>['main']; told?: Micros | undefined; offline?: OfflineKey | undefined }): Promise<void> {
    return this.hand.step(async ({ tx, changes, now }) => {
      const { main, told, offline } = { ...await readPay(tx, 'keys'), ...change }
      await putPay(tx, { key: keyOf('keys'), what: 'keys', time: now, ...(main ? { main } : {}), ...(told ? { told } : {}), ...(offline ? { offline } : {}) })
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
      if (!left) await this.keep({ offline: undefined })
      throw new PayTrouble({ why: 'wrong-pin', left })
    }
    await this.keep({ offline: { ...key, wrong: 0 } })
    const text = write(key)
    return { signed: { text, key: key.id, signature: await signText(opened, text) }, key }
  }
}

const allows = (wallet: Wallet, key: OfflineKey): boolean => wallet.keys.some((k) => k.id === key.id && k.cap)

/** Says whether the service has allowed a key for payments without network and not dropped it, as far as this device was told. */
function isReady(key: OfflineKey | undefined, wallet: Wallet | undefined): key is OfflineKey {
  return key !== undefined && ((wallet && allows(wallet, key)) || (key.told !== undefined && (!wallet || wallet.time <= key.told)))
}

function checkPin(pin: string): void {
  if (!new RegExp(`^\\d{${MIN_PIN},20}$`).test(pin)) throw new PayTrouble({ why: 'pin-short' })
}
