// Where a device's state is kept: opaque values under short names.

import type { Bytes } from './types.ts'

/** Keeps the state of one device. Everything it throws is a Refused: `storage`, or `state` if a value cannot be read. */
export interface Store {
  /** The values of those names that have one. The caller changes none of them. */
  load(names: string[]): Promise<Map<string, Bytes>>
  /** Replaces all values or none, and is fulfilled only when they are durable; null removes a name. */
  save(values: Map<string, Bytes | null>): Promise<void>
  /** Names that begin with a prefix, in order, at most limit. */
  names(prefix: string, limit: number): Promise<string[]>
}

/** Runs one piece of work after the other, for all who share a Store: two steps from one ratchet state would use one key twice. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

/** A Turn for one program. */
export function newTurn(): Turn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }
}

/** A Store that forgets everything when the program ends. */
export class MemoryStore implements Store {
  readonly values = new Map<string, Bytes>()

  load(names: string[]): Promise<Map<string, Bytes>> {
    const out = new Map<string, Bytes>()
    for (const name of names) {
      const value = this.values.get(name)
      if (value) out.set(name, value)
    }
    return Promise.resolve(out)
  }

  save(values: Map<string, Bytes | null>): Promise<void> {
    for (const [name, value] of values) {
      if (value) this.values.set(name, value.slice())
      else this.values.delete(name)
    }
    return Promise.resolve()
  }

  names(prefix: string, limit: number): Promise<string[]> {
    return Promise.resolve([...this.values.keys()].filter((name) => name.startsWith(prefix)).sort().slice(0, limit))
  }
}
