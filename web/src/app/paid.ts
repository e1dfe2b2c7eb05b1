// What a screen follows of payments (core/pay.ts), once the engine's part for them is here.
import { useEffect, useState } from 'preact/hooks'
import type { Stop } from '../core/engine.ts'
import type { Pay, Unit, Wallet } from '../core/pay.ts'
import { connection, engine } from './session.ts'

/** usePaid follows something of payments until the screen goes, anew when one of `on` changes; undefined until it was told first. */
export function usePaid<T>(begin: (pay: Pay, show: (value: T) => void) => Stop, on: unknown[] = []): T | undefined {
  const [value, setValue] = useState<T>()
  useEffect(() => {
    let stop: Stop | undefined
    let over = false
    setValue(undefined)
    engine().pay().then((pay) => { if (!over) stop = begin(pay, (now) => { if (!over) setValue(() => now) }) }, (error: unknown) => console.warn('pay', error))
    return () => { over = true; stop?.() }
  }, on)
  return value
}

/** useWallet follows the wallet, and asks for it anew when the screen opens; null when nothing is known of one here. */
export function useWallet(): Wallet | null | undefined {
  useEffect(() => { engine().pay().then((pay) => pay.ask('wallet')).catch(() => undefined) }, []) // what is kept is shown
  return usePaid<Wallet | null>((pay, show) => pay.watchWallet((wallet) => show(wallet ?? null)))
}

/** unitOf is a unit of the service. What it does not list has no digits that anybody knows, so no amount in it means anything: it is undefined. */
export const unitOf = (wallet: Wallet | null | undefined, code: string): Unit | undefined => wallet?.about.units.find((unit) => unit.code === code)

/** connected is whether the service can be asked now. */
export const connected = (): boolean => connection.value.state === 'live' || connection.value.state === 'fallback'
