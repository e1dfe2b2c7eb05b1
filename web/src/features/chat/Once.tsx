// What can be opened once: how it stands in the conversation, how it is looked at for the only time, and the button with which it is sent so. Its bytes are in
// the memory of this page alone, as long as it is looked at.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Content, Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Busy, IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'
import { over } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { open } from './state.ts'
import { authorOf } from './label.ts'
import './once.css'

type Once = Extract<Content, { type: 'once' }>

const One = ({ used }: { used?: boolean }): JSX.Element => <span class={`once-1${used ? ' used' : ''}`} aria-hidden="true" />

/** Seen is what can be opened once, in its bubble. */
export function Seen({ message: m, content }: { message: Message; content: Once }): JSX.Element {
  const kind = t(`kind.${content.as}`)
  if (m.own) return <span class="once"><One used={someOpened(m) > 0} /><span><b>{kind}</b><small>{ownText(m)}</small></span></span>
  if (content.opened !== undefined || !content.file) return <span class="once"><One used /><span><b>{kind}</b><small>{t(content.opened === undefined ? 'once.none' : 'once.opened')}</small></span></span>
  return (
    <button type="button" class="once" onClick={() => show(m)}>
      <One /><span><b>{kind}</b><small>{t(content.as === 'voice' ? 'once.plays' : 'once.tap')}</small></span>
    </button>
  )
}

const someOpened = (m: Message): number => Object.values(m.receipts ?? {}).filter((r) => r.played !== undefined).length

function ownText(m: Message): string {
  const n = someOpened(m)
  if (!n) return t('once.tap')
  return open.value?.kind === 'group' || open.value?.kind === 'broadcast' ? t('once.openedBy', { n }) : t('once.opened')
}

function show(m: Message): void {
  if (open.value?.request) { toast(t('once.request')); return }
  void over((close) => <View message={m} close={close} />)
}

function View({ message: m, close }: { message: Message; close: () => void }): JSX.Element {
  const root = useRef<HTMLDivElement>(null)
  const [url, setUrl] = useState<string>()
  const as = useRef(m.content.type === 'once' ? m.content.as : 'image').current
  useTrap(root)
  useEffect(() => {
    let made: string | undefined
    let looks = true
    engine().openOnce(m.id).then((blob) => { if (looks) setUrl(made = URL.createObjectURL(blob)) }, (error: unknown) => {
      if (!looks) return
      const { name } = error as Error
      if (name !== 'NotHere' && name !== 'Offline') console.warn('view once', error)
      toast(t(name === 'NotHere' ? 'once.gone' : name === 'Offline' ? 'once.offline' : 'once.failed'))
      close()
    })
    return () => { looks = false; if (made) URL.revokeObjectURL(made) }
  }, [])
  const name = t(`kind.${as}`)
  const nothing = (event: Event): void => event.preventDefault()
  return (
    <div class="once-view" role="dialog" aria-modal="true" aria-label={t('once.title')} tabIndex={-1} ref={root} data-theme="dark" onKeyDown={(e) => { if (e.key === 'Escape') { e.preventDefault(); e.stopPropagation(); close() } }}>
      <header>
        <IconButton icon="x" label={t('close')} act={close} />
        <span class="grow"><b class="cut one" dir="auto">{authorOf(m)}</b><small>{t('once.note')}</small></span><One />
      </header>
      <main onContextMenu={nothing}>
        {!url ? <p role="status"><Busy />{t('once.opening')}</p>
          : as === 'image' ? <img src={url} alt={name} draggable={false} />
            : as === 'video' ? <video src={url} controls autoPlay playsInline disablePictureInPicture controlsList="nodownload noremoteplayback" aria-label={name} />
              : <audio src={url} controls autoPlay controlsList="nodownload noremoteplayback" aria-label={name} />}
      </main>
    </div>
  )
}

/** Choice sends something so that it can be opened once, or not. */
export function Choice({ on, change }: { on: boolean; change: (on: boolean) => void }): JSX.Element {
  return <button type="button" class="ib" aria-pressed={on} aria-label={t('once.send')} title={t('once.send')} onClick={() => change(!on)}><One /></button>
}

/** Hint says honestly what that means. */
export function Hint(): JSX.Element {
  return <p class="once-hint" role="status">{t('once.hint')}</p>
}

/** mayOnce is whether that can be done in the open chat: it needs encryption, and somebody else. */
export const mayOnce = (): boolean => open.value?.protection === 'omemo' && open.value.kind !== 'self'
