// Protocol buffers, as little of them as OMEMO and the saved states need: varints and byte strings.

import { join } from './bytes.ts'
import { refuse } from './failure.ts'
import type { Bytes } from './types.ts'

const wireVarint = 0
const wireFixed64 = 1
const wireBytes = 2
const wireFixed32 = 5

/** Fields is a message being written. Numbers are whole and at most 2^53. */
export class Fields {
  private parts: Uint8Array[]

  constructor(prefix?: Uint8Array) {
    this.parts = prefix ? [prefix] : []
  }

  number(field: number, value: number): this {
    this.parts.push(varint(field * 8 + wireVarint), varint(value))
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    this.parts.push(varint(field * 8 + wireBytes), varint(value.length), value)
    return this
  }

  /** Writes a flag only if it is set. */
  flag(field: number, value: boolean): this {
    return value ? this.number(field, 1) : this
  }

  done(): Bytes {
    return join(...this.parts)
  }
}

function varint(value: number): Uint8Array {
  const out: number[] = []
  while (value >= 0x80) {
    out.push((value % 0x80) | 0x80)
    value = Math.floor(value / 0x80)
  }
  out.push(value)
  return Uint8Array.from(out)
}

/** Entry is one decoded field: a number, or bytes that share memory with the input. */
export class Entry {
  constructor(readonly field: number, private readonly value: number | Bytes) {}

  /** A whole number below 2^32; refuses anything else. */
  uint32(): number {
    if (typeof this.value !== 'number' || this.value > 0xffffffff) refuse('malformed', `field ${this.field} is no 32-bit number`)
    return this.value
  }

  /** A whole number of at most 2^53; refuses anything else. */
  uint53(): number {
    if (typeof this.value !== 'number' || !Number.isSafeInteger(this.value)) refuse('malformed', `field ${this.field} is no number`)
    return this.value
  }

  bytes(): Bytes {
    if (typeof this.value === 'number') refuse('malformed', `field ${this.field} is no byte string`)
    return this.value
  }

  /** Exactly 32 bytes, copied. */
  key(): Bytes {
    const b = this.bytes()
    if (b.length !== 32) refuse('malformed', `field ${this.field} is no key`)
    return b.slice()
  }
}

interface Reader { input: Bytes; at: number }

/** Reads every field in order. Unknown wire types, overlong numbers and truncated fields are refused; fixed-width fields, which OMEMO has
 * none of, are passed over. */
export function readFields(input: Bytes): Entry[] {
  const r: Reader = { input, at: 0 }
  const out: Entry[] = []
  while (r.at < input.length) {
    const entry = readField(r)
    if (entry) out.push(entry)
  }
  return out
}

function readField(r: Reader): Entry | undefined {
  const tag = readVarint(r)
  const field = Math.floor(tag / 8)
  if (field < 1 || field >= 2 ** 29) refuse('malformed', 'field number')
  switch (tag % 8) {
    case wireVarint:
      return new Entry(field, readVarint(r))
    case wireBytes:
      return new Entry(field, take(r, readVarint(r)))
    case wireFixed64:
      take(r, 8)
      return undefined
    case wireFixed32:
      take(r, 4)
      return undefined
  }
  return refuse('malformed', 'wire type')
}

// Numbers of up to 64 bits are read; beyond 2^53 they lose precision, which uint32 and uint53 then refuse.
function readVarint(r: Reader): number {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = r.input[r.at++]
    if (byte === undefined) refuse('malformed', 'number is cut short')
    if (i === 9 && byte > 1) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return value
  }
  return refuse('malformed', 'number of more than 64 bits')
}

function take(r: Reader, size: number): Bytes {
  if (size > r.input.length - r.at) refuse('malformed', 'field is cut short')
  r.at += size
  return r.input.subarray(r.at - size, r.at)
}

/** Reads fields of which each may occur once, and the wanted ones must: which of two counts is not for an attacker to choose. */
export function readOnce(input: Bytes, wanted: number[]): Map<number, Entry> {
  const out = new Map<number, Entry>()
  for (const entry of readFields(input)) {
    if (entry.field > 63) continue
    if (out.has(entry.field)) refuse('malformed', `field ${entry.field} occurs twice`)
    out.set(entry.field, entry)
  }
  if (wanted.some((field) => !out.has(field))) refuse('malformed', 'a field is missing')
  return out
}

/** A field that readOnce found. */
export function fieldOf(fields: Map<number, Entry>, field: number): Entry {
  return fields.get(field) ?? refuse('malformed', 'a field is missing')
}
