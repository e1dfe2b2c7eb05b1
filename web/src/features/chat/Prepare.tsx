// Files before they are sent: looked at, with words, as they are or made smaller.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import pencil from 'icon:pencil'
import type { Outgoing } from '../../core/engine.ts'
import { MAX_ONCE, type JID } from '../../core/model.ts'
import { preparePicture } from '../../app/media.ts'
import { engine } from '../../app/session.ts'
import { size } from '../../i18n/when.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field, IconButton, Switch } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { once as oncePart, wantOnce } from './late.ts'
import { lookAt } from '../../app/poster.ts'
import { replying } from './state.ts'

const mostAtOnce = 20

/** What is said with files. */
interface Said { caption?: string; hd?: boolean; sticker?: boolean; once?: boolean }

/** offerFiles shows files before they are sent to a chat, with what was said about them already. */
export function offerFiles(jid: JID, files: File[], said: Said = {}): void {
  if (!files.length) return
  if (files.length > mostAtOnce) toast(t('files.most', { n: mostAtOnce }))
  void over((close) => <Prepare jid={jid} files={files.slice(0, mostAtOnce)} said={said} close={close} />)
}

const kindOf = (file: File): 'image' | 'video' | 'file' => (/^image\/(?!svg)/.test(file.type) ? 'image' : file.type.startsWith('video/') ? 'video' : 'file')

function Prepare({ jid, files, said, close }: { jid: JID; files: File[]; said: Said; close: () => void }): JSX.Element {
  const [list, setList] = useState(files)
  const [at, setAt] = useState(0)
  const [caption, setCaption] = useState(said.caption ?? '')
  const [hd, setHd] = useState(said.hd ?? false)
  const [sticker, setSticker] = useState(said.sticker ?? false)
  const [once, setOnce] = useState(said.once ?? false)
  useEffect(wantOnce, [])
  const part = list.every((f) => kindOf(f) !== 'file' && f.size <= MAX_ONCE) && oncePart.value?.mayOnce() ? oncePart.value : undefined
  const single = once && !!part
  const shown = list[Math.min(at, list.length - 1)]
  const pictures = list.some((f) => kindOf(f) !== 'file')
  const send = (event: Event): void => { event.preventDefault(); close(); void sendAll(jid, list, single ? { hd, once } : { caption: caption.trim(), hd, sticker }) }
  const drop = (): void => { if (list.length === 1) close(); else { setList(list.filter((f) => f !== shown)); setAt(0) } }
  const edit = async (): Promise<void> => {
    const made = shown && await preparePicture(shown, caption).catch(() => { toast(t('part.failed')); return undefined })
    if (!made) return
    setList((all) => all.map((f) => (f === shown ? new File([made.blob], made.blob === shown ? f.name : f.name.replace(/\.\w+$/, '') + '.jpg', { type: made.blob.type }) : f)))
    setCaption(made.caption)
    setHd(made.hd)
  }
  if (!shown) return <Sheet title={t('files.title', { n: 0 })} close={close}>{null}</Sheet>
  return (
    <Sheet title={t('files.title', { n: list.length })} close={close}>
      <form class="preview" onSubmit={send}>
        <Show file={shown} />
        {list.length > 1 && (
          <div class="thumbs" role="tablist" aria-label={t('files.all')}>
            {list.map((f, i) => <button type="button" role="tab" key={f.name + i} aria-selected={f === shown} onClick={() => setAt(i)} aria-label={f.name}>{kindOf(f) === 'image' ? <Small file={f} /> : <Icon name={kindOf(f) === 'video' ? 'video' : 'fileText'} />}</button>)}
          </div>
        )}
        {part && single ? <part.Hint /> : <Field label={t('files.caption')} value={caption} change={setCaption} limit={2000} focus />}
        {pictures && <Switch label={t('files.hd')} hint={t('files.hdHint')} on={hd} change={setHd} />}
        {!single && list.every((f) => kindOf(f) === 'image') && <Switch label={t('files.sticker')} hint={t('files.stickerHint')} on={sticker} change={setSticker} />}
        <div class="do">{kindOf(shown) === 'image' && <IconButton path={pencil} label={t('files.edit')} act={() => void edit().catch(() => undefined)} />}<IconButton icon="trash" label={t('files.drop')} act={drop} />{part && <part.Choice on={once} change={setOnce} />}<Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" icon="send" submit>{t('send')}</Button></div>
      </form>
    </Sheet>
  )
}

function useUrl(file: File): string | undefined {
  const [url, setUrl] = useState<string | undefined>(undefined)
  useEffect(() => { const made = URL.createObjectURL(file); setUrl(made); return () => URL.revokeObjectURL(made) }, [file])
  return url
}

function Show({ file }: { file: File }): JSX.Element {
  const url = useUrl(file)
  const kind = kindOf(file)
  if (kind === 'image') return <img src={url} alt={file.name} />
  if (kind === 'video') return <video src={url} controls muted playsInline />
  return <div class="doc"><span class="tile"><Icon name="fileText" /></span><span class="grow"><b class="cut" dir="auto">{file.name}</b><small class="num">{size(file.size)}</small></span></div>
}

function Small({ file }: { file: File }): JSX.Element {
  return <img src={useUrl(file)} alt="" />
}

/** The words go with the first file; each file is a message of its own. What could not be kept is offered again: choosing it anew would be lost work. */
async function sendAll(jid: JID, files: File[], { caption, hd, sticker, once }: Said): Promise<void> {
  const answered = replying.value
  const reply = answered?.id
  replying.value = undefined
  for (const [i, file] of files.entries()) {
    const message: Outgoing = { file: { blob: file, name: file.name, mime: file.type || 'application/octet-stream', as: sticker ? 'sticker' : kindOf(file), hd: hd && !sticker, ...(once ? { once } : {}), ...(i === 0 && caption ? { caption } : {}), ...await measure(file) }, ...(i === 0 && reply ? { reply } : {}) }
    try { await engine().send(jid, message) } catch (error) {
      console.error('send file', error)
      if (i === 0) replying.value = answered
      toast(t('fileNotKept'))
      offerFiles(jid, files.slice(i), { ...(i === 0 ? { caption } : {}), hd, sticker, once })
      return
    }
  }
}

/** The size of a picture, and what a video looks like, keep its place in the conversation from the first moment. */
async function measure(file: File): Promise<{ width?: number; height?: number; seconds?: number; poster?: string }> {
  try {
    if (kindOf(file) === 'image') { const b = await createImageBitmap(file); const found = { width: b.width, height: b.height }; b.close(); return found }
    if (kindOf(file) === 'video') return await lookAt(file)
  } catch { return {} }
  return {}
}
