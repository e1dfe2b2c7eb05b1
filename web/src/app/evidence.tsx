// What the sides of a dispute have shown, for both of them and for the operator: words, and files, which are fetched when somebody opens them and shown only if they are what was shown.
// A file that lies elsewhere is not fetched: its address is there to be read.
// Texts are of the part `payevidence`.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { pictureType } from '../core/evidence.ts'
import { isHere, visible, type Evidence } from '../core/pay.ts'
import { t } from '../i18n/t.ts'
import { fullTime, size as sizeText } from '../i18n/when.ts'
import { Button } from '../ui/controls.tsx'
import { Icon } from '../ui/Icon.tsx'
import { over, Sheet } from '../ui/overlay.tsx'
import { saveAs } from '../ui/save.ts'
import './evidence.css'
import { whyPay } from './pay.ts'
import { engine } from './session.ts'

/** EvidenceList shows each piece, by whom (as `called` says) and when. */
export function EvidenceList({ pieces, called }: { pieces: Evidence[]; called: (jid: string) => string }): JSX.Element {
  return (
    <ul class="card flat said">
      {pieces.map((e, i) => <li key={i}><b dir="auto">{called(e.by)}</b> <small>{fullTime(e.time)}</small>{e.text && <p dir="auto">{e.text}</p>}{e.address && (isHere(e.address, location.host) ? <Piece piece={e} /> : <Elsewhere piece={e} address={e.address} />)}{e.hash && <small class="print">SHA-256 {e.hash}</small>}</li>)}
      {!pieces.length && <li><p>{t('sh.none')}</p></li>}
    </ul>
  )
}

/** A file at an address where nothing is fetched from. */
function Elsewhere({ piece, address }: { piece: Evidence; address: string }): JSX.Element {
  return <div class="evidence"><p class="small"><bdi>{piece.name || t('sh.file')}</bdi> · {t('sh.elsewhere')}</p><code dir="ltr">{visible(address)}</code></div>
}

/** A file: it is fetched, decrypted and compared with its hash when it is opened. */
function Piece({ piece }: { piece: Evidence }): JSX.Element {
  const [state, setState] = useState<{ done?: number; failed?: string; good?: boolean }>({})
  const stop = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  const name = piece.name || t('sh.file')
  const open = async (): Promise<void> => {
    if (state.done !== undefined) return
    stop.current = new AbortController()
    setState({ done: 0 })
    try {
      const blob = await (await engine().pay()).openFile(piece, (done, all) => setState({ done: all ? done / all : 0 }), stop.current.signal)
      setState({ good: true })
      await show(blob, name)
    } catch (error) { setState({ failed: whyPay(error) }) }
  }
  return (
    <div class="evidence">
      <Button act={() => void open()} disabled={state.done !== undefined}><Icon name="fileText" /><span class="cut" dir="auto">{name}</span>{piece.size !== undefined && <small>{sizeText(piece.size)}</small>}</Button>
      {state.done !== undefined && <progress max={1} value={state.done} aria-label={t('sh.opening')} />}
      {state.good && <small class="good" role="status">{t('sh.good')}</small>}
      {state.failed && <p class="wrong" role="alert">{state.failed}</p>}
    </div>
  )
}

async function show(blob: Blob, name: string): Promise<void> {
  const type = pictureType(new Uint8Array(await blob.slice(0, 12).arrayBuffer()))
  if (!type) { saveAs(blob, name); return }
  const url = URL.createObjectURL(new Blob([blob], { type }))
  await over((close) => <Sheet title={name} close={close}><div class="evidence-picture"><img src={url} alt={name} /><Button act={() => saveAs(blob, name)}>{t('sh.save')}</Button></div></Sheet>)
  URL.revokeObjectURL(url)
}
