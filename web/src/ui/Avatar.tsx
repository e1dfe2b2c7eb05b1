import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Icon } from './Icon.tsx'
import { lowData } from './prefs.ts'

/** Where pictures come from: the shell hands in the engine's door. */
type Source = (key: string) => Promise<Blob | undefined>
let begin: (source: Source) => void = () => undefined
const begun = new Promise<Source>((done) => { begin = done })
/** Until it does, whoever asks waits. */
let source: Source = async (key) => (await begun)(key)
const urls = new Map<string, string>()
const maxUrls = 200

/** avatarsFrom says where the bytes of pictures are got. */
export function avatarsFrom(bytes: Source): void {
  source = bytes
  begin(bytes)
}

/** bytesOf gives the bytes of a picture or other media that are on this device. */
export const bytesOf = (key: string): Promise<Blob | undefined> => source(key)

async function urlOf(key: string): Promise<string | undefined> {
  const known = urls.get(key)
  if (known) return known
  const blob = await source(key)
  if (!blob) return undefined
  if (urls.size >= maxUrls) for (const [old, url] of urls) { URL.revokeObjectURL(url); urls.delete(old); break }
  const url = URL.createObjectURL(blob)
  urls.set(key, url)
  return url
}

const letter = /\p{L}|\p{N}/u
/** A letter of Latin with nothing upon it, as most names begin. */
const plain = /^[0-9A-Za-z\u00C0-\u024F](?!\p{M})/u
/** Where there is no segmenter (Firefox before 125): a letter with its marks. */
const marked = /(?:\p{L}|\p{N})\p{M}*/u
let segmenter: Intl.Segmenter | undefined

/** initials are the first letters of at most two words of a name. */
export function initials(name: string): string {
  const words = name.split(/[\s·.@_-]+/u).filter((word) => letter.test(word)).slice(0, 2)
  return words.map((word) => first(word)).join('').toLocaleUpperCase()
}

function first(word: string): string {
  const begin = plain.exec(word)?.[0]
  if (begin) return begin
  if (!('Segmenter' in Intl)) return marked.exec(word)?.[0] ?? ''
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  for (const { segment } of segmenter.segment(word)) if (letter.test(segment)) return segment
  return ''
}

/** hue is one of the eight colours, always the same for an address. */
export function hue(id: string): number {
  let sum = 0
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0
  return (sum % 8) + 1
}

interface Shown {
  id: string
  name: string
  kind?: 'person' | 'group' | 'self' | 'business' | 'broadcast'
  picture?: string | undefined
  size?: 'xs' | 's' | 'l'
  online?: boolean | undefined
}

/** Avatar shows who: a circle for a person, a rounded square for a business, two circles for a group. Names beside it say the same in words. */
export function Avatar({ id, name, kind = 'person', picture, size, online }: Shown): JSX.Element {
  const url = usePicture(picture)
  const n = hue(id)
  const classes = `av${size ? ` ${size}` : ''}`
  if (url) return <span class={`${classes}${kind === 'business' ? ' biz' : ''}`} aria-hidden="true"><img src={url} alt="" />{online && <i class="dot" />}</span>
  if (kind === 'group') {
    return <span class={`${classes} grp`} aria-hidden="true"><i class={`c${((n + 2) % 8) + 1}`} /><i class={`c${n}`}>{initials(name)}</i></span>
  }
  const inside = kind === 'business' ? <Icon name="store" /> : kind === 'self' ? <Icon name="star" /> : kind === 'broadcast' ? <Icon name="radio" /> : initials(name) || <Icon name="user" />
  return (
    <span class={`${classes} c${n}${kind === 'business' ? ' biz' : ''}`} aria-hidden="true">
      {inside}{online && <i class="dot" />}
    </span>
  )
}

function usePicture(key: string | undefined): string | undefined {
  const [url, setUrl] = useState(key && urls.get(key))
  useEffect(() => {
    let wanted = true
    if (!key) setUrl(undefined)
    else if (!lowData.value || urls.has(key)) void urlOf(key).then((found) => { if (wanted) setUrl(found) })
    return () => { wanted = false }
  }, [key])
  return url
}
