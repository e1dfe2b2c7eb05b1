// Addresses of encrypted files (XEP-0454 v0.1.0). Nothing here needs the worker.

import { hex, unhex } from './bytes.ts'
import type { MediaKey } from './types.ts'

const maxURL = 8192

/** Turns the https URL of an uploaded file into the aesgcm URL that is sent as the body: IV, then key, in hex in the fragment. Undefined for any
 * other scheme, or a URL with a fragment. */
export function mediaURL(https: string, key: MediaKey): string | undefined {
  if (https.length > maxURL || https.includes('#') || !https.startsWith('https://') || !URL.canParse(https)) return undefined
  return `aesgcm${https.slice('https'.length)}#${hex(key.iv)}${hex(key.key)}`
}

/** Reads a whole message body that is an aesgcm URL, with or without a thumbnail as a data URL on a second line (XEP-0454 §4), and returns the
 * https URL to download and the key. Undefined for anything else: then it is an ordinary text. */
export function parseMediaURL(body: string): { https: string; key: MediaKey } | undefined {
  const [line = '', thumbnail, ...more] = body.split('\n')
  if (more.length > 0 || (thumbnail !== undefined && !thumbnail.startsWith('data:image/jpeg,'))) return undefined
  const found = /^aesgcm:\/\/([^\s#/?][^\s#]*)#((?:[0-9a-f]{2}){44}|(?:[0-9a-f]{2}){48})$/i.exec(line)
  if (!found?.[1] || !found[2] || line.length > maxURL || !URL.canParse('https://' + found[1])) return undefined
  const raw = unhex(found[2])
  return { https: 'https://' + found[1], key: { iv: raw.slice(0, -32), key: raw.slice(-32) } }
}
