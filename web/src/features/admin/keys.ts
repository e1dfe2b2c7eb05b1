// What an administrator is told about the payment keys of somebody.
import type { Facts } from '../../core/engine.ts'

/** What is said of a key: the text, and until when where it has a date. */
export interface Standing { says: 'adm.keyLocked' | 'pay.keyOpens' | 'pay.keyAnew' | 'pay.keyWaits'; until?: string }

const micros = (text: string | undefined): number => Date.parse(text ?? '') * 1000

/** standing is how a key stands at a time: locked, waiting, or whether it opens a wallet that has been `frozen` since then. One for payments without network waits for nothing. */
export function standing(key: Facts, frozen: string | undefined, now: number): Standing[] {
  const { locked, ready, opens } = key
  const is: Standing[] = locked ? [{ says: 'adm.keyLocked', until: locked }] : []
  if (key['kind'] === 'offline') return is
  if (!frozen) return micros(ready) > now && ready ? [...is, { says: 'pay.keyWaits', until: ready }] : is
  if (opens === 'true') return [...is, { says: 'pay.keyOpens' }]
  return micros(ready) > micros(frozen) ? [...is, { says: 'pay.keyAnew' }] : is
}

/** parted is which keys stay by a proposal that names them with blanks between, and which go. */
export function parted(all: Facts[], of = ''): { stay: Facts[]; go: Facts[] } {
  const named = of.split(' ')
  const stays = (k: Facts): boolean => named.includes(k['id'] ?? '')
  return { stay: all.filter(stays), go: all.filter((k) => !stays(k)) }
}

/** pays says whether one of these may pay from the wallet, now or after a while: not one for payments without network. */
export const pays = (all: Facts[]): boolean => all.some((k) => k['kind'] !== 'offline')
