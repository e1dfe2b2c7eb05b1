// The stickers that a person kept: sent with a touch, taken away with a long press or Delete; new ones made of pictures, or taken from packs.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import plusPath from 'icon:image-plus'
import type { Chat, Message, PackPlace, Sticker, StickerPack } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Button, Field } from '../../ui/controls.tsx'
import { arrows } from '../../ui/focus.ts'
import { hold } from '../../ui/gestures.ts'
import { Icon } from '../../ui/Icon.tsx'
import { openMenu, over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { useBytes } from './bytes.ts'
import { replying, timeline } from './state.ts'

const says = (sticker: { text?: string }): string => sticker.text || t('kind.sticker')

/** Stickers is the shelf in the drawer. */
export function Stickers({ chat, sent }: { chat: Chat; sent: () => void }): JSX.Element {
  const [all, setAll] = useState<Sticker[]>()
  useEffect(() => engine().watchStickers(setAll), [])
  const send = async (sticker: Sticker): Promise<void> => {
    const reply = replying.value?.id
    replying.value = undefined
    try {
      timeline.value?.sent(await engine().sendSticker(chat.jid, sticker.key, reply))
      sent()
    } catch (error) { console.error('sticker', error); toast(t('notKept')) }
  }
  if (!all) return <Busy />
  return (
    <div class="stickers" role="group" aria-label={t('stick.all')} onKeyDown={(e) => gridKeys(e, e.currentTarget)}>
      <button type="button" class="make" onClick={make}><Icon path={plusPath} /><span>{t('stick.make')}</span></button>
      {all.map((sticker) => <One key={sticker.key} sticker={sticker} act={() => void send(sticker)} />)}
      {!all.length && <p class="none">{t('stick.none')}</p>}
    </div>
  )
}

function One({ sticker, act }: { sticker: Sticker; act: () => void }): JSX.Element {
  const url = useBytes(sticker.key, undefined)
  const drop = (): void => void engine().dropSticker(sticker.key).then(() => toast(t('stick.dropped')), () => toast(t('notKept')))
  const menu = (where: { x: number; y: number }): void => void openMenu(where, says(sticker), [
    ...(sticker.pack?.jid ? [{ label: t('stick.pack'), icon: 'sticker' as const, act: () => showPack({ ...sticker.pack, id: sticker.pack?.id ?? '', jid: sticker.pack?.jid ?? '' }) }] : []),
    { label: t('stick.drop'), icon: 'trash', danger: true, act: drop },
  ])
  const key = (event: KeyboardEvent): void => { if (event.key === 'Delete') { event.preventDefault(); drop() } }
  return (
    <button type="button" aria-label={says(sticker)} title={says(sticker)} aria-keyshortcuts="Delete" onClick={act} onKeyDown={key} {...hold(menu)}>
      {url ? <img src={url} alt="" decoding="async" /> : <Icon name="sticker" />}
    </button>
  )
}

function gridKeys(event: KeyboardEvent, grid: HTMLElement): void {
  const all = [...grid.querySelectorAll<HTMLElement>('button')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const columns = getComputedStyle(grid).gridTemplateColumns.split(' ').length
  const by = event.key === 'ArrowDown' ? columns : event.key === 'ArrowUp' ? -columns : 0
  if (by) { event.preventDefault(); all[at + by]?.focus() } else arrows(event, grid, 'button', 'horizontal')
}

function make(): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = 'image/*'
  input.addEventListener('change', () => { const file = input.files?.[0]; if (file) void over((close) => <Make file={file} close={close} />) })
  input.click()
}

/** A picture becomes a sticker: small, with its holes; what it says is for those who do not see it. */
function Make({ file, close }: { file: File; close: () => void }): JSX.Element {
  const [text, setText] = useState('')
  const [url, setUrl] = useState<string>()
  useEffect(() => { const made = URL.createObjectURL(file); setUrl(made); return () => URL.revokeObjectURL(made) }, [file])
  const keep = (event: Event): void => {
    event.preventDefault()
    engine().keepSticker({ blob: file, text: text.trim(), make: true }).then(() => { close(); toast(t('stick.kept')) }, () => toast(t('stick.failed')))
  }
  return (
    <Sheet title={t('stick.make')} close={close}>
      <form class="preview stick-make" onSubmit={keep}>
        <img src={url} alt={file.name} />
        <Field label={t('stick.says')} hint={t('stick.saysHint')} value={text} change={setText} limit={100} focus />
        <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" icon="check" submit>{t('stick.keep')}</Button></div>
      </form>
    </Sheet>
  )
}

/** keepFrom keeps the sticker of a message. */
export function keepFrom(message: Message): void {
  engine().keepSticker({ message: message.id }).then(() => toast(t('stick.kept')), () => toast(t('stick.failed')))
}

/** showPack lets a person look at the pack of a sticker, and add it. */
export function showPack(place: PackPlace & { jid: string }): void {
  void over((close) => <Sheet title={t('stick.packTitle')} close={close}><Pack place={place} close={close} /></Sheet>)
}

function Pack({ place, close }: { place: PackPlace & { jid: string }; close: () => void }): JSX.Element {
  const [pack, setPack] = useState<StickerPack | null>()
  useEffect(() => { engine().stickerPack(place).then((found) => setPack(found ?? null), () => setPack(null)) }, [])
  if (pack === undefined) return <Busy />
  if (pack === null || !pack.stickers.length) return <p class="sheet-in" role="alert">{t('stick.packFailed')}</p>
  const add = async (): Promise<void> => {
    try {
      // The first one comes to stand first.
      for (const { blob, text } of [...pack.stickers].reverse()) await engine().keepSticker({ blob, text, pack: place })
      close()
      toast(t('stick.kept'))
    } catch (error) { console.error('pack', error); toast(t('stick.failed')) }
  }
  return (
    <div class="sheet-in stack">
      <div><b dir="auto">{pack.name}</b>{pack.summary && <p class="small" dir="auto">{pack.summary}</p>}</div>
      <ul class="stickers">{pack.stickers.map((s, i) => <li key={i}><Shown blob={s.blob} text={s.text} /></li>)}</ul>
      {pack.missing > 0 && <p class="small">{t('stick.missing', { n: pack.missing })}</p>}
      {pack.restricted ? <p class="small">{t('stick.restricted')}</p>
        : <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" icon="check" act={() => void add()}>{t('stick.add', { n: pack.stickers.length })}</Button></div>}
    </div>
  )
}

function Shown({ blob, text }: { blob: Blob; text: string }): JSX.Element {
  const made = useRef<string>(undefined)
  made.current ??= URL.createObjectURL(blob)
  useEffect(() => () => { if (made.current) URL.revokeObjectURL(made.current) }, [])
  return <img src={made.current} alt={text || t('kind.sticker')} />
}
