// Where files go (XEP-0363).

import { discover, discoverItems } from './disco.ts'
import { domain } from './jid.ts'
import { UPLOAD } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { parseTime } from './time.ts'
import { el, type Element } from './xml.ts'
import type { Micros } from '../model.ts'

/** The service for uploads, and the size in bytes of the largest file that it takes, if it says. */
export interface UploadService { jid: string; max?: number }

/** Where to put one file, with these headers, and where others get it. The caller compares the host of `get` with nothing: it goes into messages. */
export interface Slot { put: string; get: string; headers: Record<string, string> }

/** Why there is no slot: the file is too large (`max` says what is not), the account's space is used up or too many wait (`retry` if it is told). */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused'
  constructor(readonly reason: 'too-large' | 'quota' | 'refused', readonly max?: number, readonly retry?: Micros) {
    super(reason)
  }
}

const size = (text: string | undefined) => /^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined
const isWeb = (url: string | undefined): url is string => !!url && url.length < 8000 && /^https:\/\/[^\s/]+\/\S*$/.test(url)

/** Looks for the service of our server, undefined if there is none. */
export async function findUpload(session: Session): Promise<UploadService | undefined> {
  const home = domain(session.account)
  for (const jid of [home, ...await discoverItems(session, home)]) {
    const about = await discover(session, jid).catch(() => undefined)
    if (about?.features.has(UPLOAD)) return { jid, max: size(about.form?.get('max-file-size')?.[0]) }
  }
  return undefined
}

/** Asks for a place for one file. It throws UploadRefused, or a StanzaError that is temporary. */
export async function requestSlot(session: Session, service: UploadService, file: { name: string; size: number; mime: string }): Promise<Slot> {
  try {
    const request = el(UPLOAD, 'request', { filename: file.name, size: file.size, 'content-type': file.mime })
    const slot = (await session.request('get', request, { to: service.jid })).child('slot', UPLOAD)
    const [put, get] = [slot?.child('put'), slot?.child('get')?.attr('url')]
    const to = put?.attr('url')
    if (!isWeb(to) || !isWeb(get)) throw new UploadRefused('refused')
    return { put: to, get, headers: headersOf(put) }
  } catch (error) {
    throw error instanceof StanzaError ? refusal(error) : error
  }
}

function refusal(error: StanzaError): Error {
  const { detail } = error
  if (detail?.is('file-too-large', UPLOAD)) return new UploadRefused('too-large', size(detail.textOf('max-file-size')))
  if (error.condition === 'resource-constraint') return new UploadRefused('quota', undefined, parseTime(detail?.is('retry', UPLOAD) ? detail.attr('stamp') : undefined))
  return error.temporary ? error : new UploadRefused('refused')
}

/** XEP-0363 §5: no other headers, no line breaks. */
function headersOf(put: Element | undefined): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const h of put?.children('header') ?? []) {
    const name = h.attr('name') ?? ''
    if (/^(authorization|cookie|expires)$/i.test(name)) headers[name] = h.text.replace(/[\r\n]/g, '').slice(0, 8000)
  }
  return headers
}
