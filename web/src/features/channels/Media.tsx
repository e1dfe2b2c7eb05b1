// Pictures, videos and files of a post. They are fetched from this server alone, and shown when they are the bytes that were published.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Enclosure } from '../../core/channels.ts'
import { t } from '../../i18n/t.ts'
import { size } from '../../i18n/when.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { lowData } from '../../ui/prefs.ts'
import { saveAs } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { here } from './Face.tsx'

/** Pictures that are not larger are loaded by themselves, in bytes. */
const byItself = 3 << 20
/** Nothing larger is fetched here. */
const most = 200 << 20
const picture = /^image\/(?:png|jpeg|webp|gif|avif)$/
const film = /^video\/(?:mp4|webm|quicktime)$/

class Differs extends Error {}

/** bytes fetches a file and compares it with what the post says of it. */
async function bytes({ url, hash, type }: Enclosure): Promise<Blob> {
  const answer = await fetch(url, { credentials: 'omit' })
  if (!answer.ok || Number(answer.headers.get('Content-Length') ?? 0) > most) throw new Error(`HTTP ${answer.status}`)
  const buffer = await answer.arrayBuffer()
  if (hash) {
    const sum = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', buffer))))
    if (sum !== hash) throw new Differs()
  }
  return new Blob([buffer], { type: picture.test(type) || film.test(type) ? type : 'application/octet-stream' })
}

/** Media shows the files of a post. */
export function Media({ all }: { all: Enclosure[] }): JSX.Element {
  return <div class="ch-media">{all.map((one) => (here(one.url) && (picture.test(one.type) || film.test(one.type)) ? <Look key={one.url} one={one} /> : <File key={one.url} one={one} />))}</div>
}

/** A picture comes by itself, unless it is large or data are dear; a video when somebody wants to see it. */
function Look({ one }: { one: Enclosure }): JSX.Element {
  const moves = film.test(one.type)
  const [url, setUrl] = useState<string>()
  const [failed, setFailed] = useState<'differs' | 'failed'>()
  const [wanted, setWanted] = useState(!moves && !lowData.value && (one.size ?? 0) <= byItself)
  useEffect(() => {
    if (!wanted) return
    let made: string | undefined
    let over = false
    bytes(one).then((blob) => { if (!over) setUrl(made = URL.createObjectURL(blob)) }, (error: unknown) => { if (!over) { setFailed(error instanceof Differs ? 'differs' : 'failed'); setWanted(false) } })
    return () => { over = true; if (made) URL.revokeObjectURL(made) }
  }, [wanted, one.url, one.hash])
  if (failed === 'differs') return <p class="ch-differs" role="alert"><Icon name="shieldAlert" />{t('ch.media.differs')}</p>
  if (url) return moves ? <video class="ch-picture" src={url} controls autoPlay playsInline aria-label={one.name} /> : <img class="ch-picture" src={url} alt={one.name} />
  if (wanted) return <span class="ch-picture wait" role="status"><span class="spin" /><span class="vh">{t('busy')}</span></span>
  return <Button kind="s" icon={moves ? 'video' : 'image'} act={() => { setFailed(undefined); setWanted(true) }}>{failed ? t('again') : t(moves ? 'ch.media.play' : 'ch.media.load', { size: size(one.size ?? 0) })}</Button>
}

function File({ one }: { one: Enclosure }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const save = async (): Promise<void> => {
    setBusy(true)
    try { saveAs(await bytes(one), one.name || 'file') } catch (error) { toast(t(error instanceof Differs ? 'ch.media.differs' : 'ch.media.failed')) }
    setBusy(false)
  }
  const about = <><span class="tile"><Icon name="fileText" /></span><span class="grow"><b class="cut one" dir="auto">{one.name || one.type}</b><small>{here(one.url) ? (one.size ? size(one.size) : '') : t('ch.media.elsewhere', { host: new URL(one.url).host })}</small></span></>
  if (!here(one.url)) return <a class="act ch-file" href={one.url} target="_blank" rel="noopener noreferrer">{about}</a>
  return <button type="button" class="act ch-file" disabled={busy} title={t('ch.media.file', { name: one.name || one.type })} onClick={() => void save()}>{about}{busy && <span class="spin" />}</button>
}
