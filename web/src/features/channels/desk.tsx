// The engine's part for channels, loaded once; what is shown until it is there; why something did not work.
import { useEffect, useState } from 'preact/hooks'
import type { Channel, ChannelAsks, Channels } from '../../core/channels.ts'
import { useAsked as asked, type Asked } from '../../app/asked.tsx'
import { whyNot } from '../../app/groups.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { toast } from '../../ui/toast.tsx'

let opened: { of: unknown; desk: Promise<Channels> } | undefined

/** desk is the engine's part for channels. */
export function desk(): Promise<Channels> {
  const now = engine()
  if (opened?.of !== now) {
    const desk = now.channels()
    desk.catch(() => { opened = undefined })
    opened = { of: now, desk }
  }
  return opened.desk
}

/** ask asks the server or does something there. */
export async function ask<K extends keyof ChannelAsks>(what: K, ...args: Parameters<ChannelAsks[K]>): Promise<Awaited<ReturnType<ChannelAsks[K]>>> {
  return await (await desk()).ask(what, ...args)
}

/** why says why something about channels did not work. */
export function why(error: unknown): string {
  const { condition } = (error ?? {}) as { condition?: string }
  if (condition === 'gone') return t('ch.gone')
  if (condition === 'conflict') return t('ch.taken')
  return whyNot(error)
}

/** tried says what came of it. */
export function tried(work: Promise<unknown>, well?: string): Promise<boolean> {
  return work.then(() => { if (well) toast(well); return true }, (error: unknown) => { toast(why(error)); return false })
}

/** watch follows something of channels until it is stopped. */
export function watch(begin: (desk: Channels) => () => void): () => void {
  let stop: (() => void) | undefined
  let over = false
  desk().then((d) => { if (!over) stop = begin(d) }, (error: unknown) => { if (!over) toast(why(error)) })
  return () => { over = true; stop?.() }
}

/** useAsked asks about channels when it is first shown, and whenever one of `on` changes. */
export const useAsked = <T,>(question: () => Promise<T>, on: unknown[]): Asked<T> => asked(question, on, why)

/** useChannel is what is known of a channel here; `undefined` until that was read, null when nothing is. */
export function useChannel(name: string): Channel | null | undefined {
  const [channel, setChannel] = useState<Channel | null>()
  useEffect(() => { setChannel(undefined); return watch((d) => d.watchOne(name, (now) => setChannel(now ?? null))) }, [name])
  return channel
}

/** pathOf is the address of a channel's page in this client. */
export const pathOf = (name: string, page?: string): string => `/channels/${encodeURIComponent(name)}${page ? `/${page}` : ''}`

/** webOf is its page for everybody. */
export const webOf = (name: string): string => `${location.origin}/channel/${name}`

/** nameIn finds a channel's name in what was typed or pasted: a name, an address, or a link. Undefined for anything else. */
export function nameIn(text: string): string | undefined {
  const typed = text.trim()
  const isName = (name: string | undefined): string | undefined => (name && /^[a-z\d](?:[a-z\d._-]{0,62}[a-z\d])?$/.test(name) ? name : undefined)
  const uri = /^xmpp:channels\.[^?]+\?(?:.*;)?node=([^;]+)/i.exec(typed)
  if (uri) return isName(uri[1])
  if (URL.canParse(typed) && /^https:/i.test(typed)) {
    const url = new URL(typed)
    const [, name] = /^\/channels?\/([^/]+?)(?:\.atom|\.rss)?\/?$/.exec(url.pathname) ?? []
    return url.origin === location.origin ? isName(name) : undefined
  }
  return isName(typed.replace(/@channels\..*$/, '').toLowerCase())
}
