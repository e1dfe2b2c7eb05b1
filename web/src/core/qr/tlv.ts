// The form of EMVCo's codes for merchants (EMV QRCPS, merchant-presented mode): objects of two digits for what it is, two for how many characters follow, and
// those; the last object is a CRC-16 of all before it. Lengths count characters, the checksum counts bytes of UTF-8.
import { need, plain } from './wrong.ts'

/** What may stand in a code: more is read by no phone. */
export const maxCode = 512
const crcHead = '6304'

/** An object: its two digits and its text. */
export type Field = readonly [id: string, value: string]

/** crc16 is CRC-16/CCITT with the first value FFFF, as four capital hexadecimal digits. */
export function crc16(text: string): string {
  let crc = 0xffff
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc.toString(16).toUpperCase().padStart(4, '0')
}

/** readFields reads objects one behind the other. The same one twice, or one that ends behind the text, is refused. */
export function readFields(text: string): Map<string, string> {
  const chars = [...text]
  const found = new Map<string, string>()
  for (let at = 0; at < chars.length;) {
    const head = chars.slice(at, at + 4).join('')
    need(/^\d{4}$/.test(head), 'broken', head.slice(0, 2))
    const id = head.slice(0, 2)
    const length = Number(head.slice(2))
    need(length > 0 && at + 4 + length <= chars.length, 'broken', id)
    need(!found.has(id), 'twice', id)
    found.set(id, chars.slice(at + 4, at + 4 + length).join(''))
    at += 4 + length
  }
  return found
}

/** writeFields writes objects; those without text are left out. It throws when one is longer than 99 characters. */
export function writeFields(fields: Iterable<Field>): string {
  let text = ''
  for (const [id, value] of fields) {
    const length = [...value].length
    if (!length) continue
    need(length <= 99, 'too-long', id)
    need(plain(value), 'value', id)
    text += `${id}${String(length).padStart(2, '0')}${value}`
  }
  return text
}

/** open checks the length and the checksum of a whole code, and reads its objects. */
export function open(code: string): Map<string, string> {
  need([...code].length <= maxCode, 'too-long')
  const end = code.length - 8
  // Where a code was cut, its last object is not the checksum.
  need(end > 0 && code.slice(end, end + 4) === crcHead, 'missing', '63')
  need(crc16(code.slice(0, end + 4)) === code.slice(end + 4), 'checksum')
  const fields = readFields(code.slice(0, end))
  need(fields.get('00') === '01', 'value', '00')
  for (const [id, value] of fields) need(plain(value), 'value', id)
  return fields
}

/** seal adds the checksum. */
export function seal(fields: Iterable<Field>): string {
  const text = writeFields(fields) + crcHead
  const code = text + crc16(text)
  need([...code].length <= maxCode, 'too-long')
  return code
}
