// Where one writes: text that grows, what is answered or edited, emoji, files, voice. What is written here is kept as a draft at every pause.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import smilePath from 'icon:smile'
import attachPath from 'icon:paperclip'
import type { Chat } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { prefs } from '../../ui/prefs.ts'
import { toast } from '../../ui/toast.tsx'
import { openAttach, takePicture } from './Attach.tsx'
import { Above } from './Above.tsx'
import { Draft } from './draft.ts'
import { slowText, useWait } from './slow.ts'
import { Drawer } from './Drawer.tsx'
import { LinkCard, useCard } from './LinkCard.tsx'
import { found, type Found } from './mention.ts'
import { Mentions, useNamed } from './Mentions.tsx'
import { offerFiles } from './Prepare.tsx'
import { RecordBar, RecordButton, useVoice } from './Recording.tsx'
import { recording } from './recorder.ts'
import { edit } from './actions.tsx'
import { editing, replying, timeline } from './state.ts'

/** As long as the engine takes a text, in UTF-16 units. */
const longest = 60_000
/** A text that is being kept leaves the field together with the first picture of its bubble, which is one picture less; but not later than this. */
const leavesAfterMs = 80

/** Composer is the bar at the bottom of a conversation. */
export function Composer({ chat }: { chat: Chat }): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(chat.draft?.text ?? '')
  const [emoji, setEmoji] = useState(false)
  const [asked, setAsked] = useState<Found | undefined>(undefined)
  const named = useNamed(chat, asked)
  const wait = useWait(chat)
  const draft = useDraft(chat, text)
  useVoice(chat)
  const edited = editing.value
  const card = useCard(text, edited)
  const written = useRef(chat.draft?.edit) // the correction whose text stands in the field already
  const leaving = useRef<string | undefined>(undefined) // the text that stands in the field and is being kept
  const leave = (): void => {
    if (leaving.current === undefined) return
    leaving.current = undefined
    setText(''); setAsked(undefined)
    editing.value = undefined; replying.value = undefined
  }
  useEffect(() => {
    if (!edited) return
    if (edited.id !== written.current) { setText(edited.content.type === 'text' ? edited.content.text : ''); area.current?.focus() }
    written.current = undefined
  }, [edited])
  useLayoutEffect(() => grow(area.current), [text])
  const write = (value: string): void => { setText(value); setAsked(chat.kind === 'group' ? found(value, area.current?.selectionStart ?? value.length) : undefined) }
  const insert = (piece: string, from?: number): void => {
    const field = area.current
    const start = from ?? field?.selectionStart ?? text.length, end = field?.selectionEnd ?? text.length
    setText(text.slice(0, start) + piece + text.slice(end))
    setAsked(undefined)
    requestAnimationFrame(() => { field?.focus(); field?.setSelectionRange(start + piece.length, start + piece.length) })
  }
  const send = async (): Promise<void> => {
    const words = text.trim()
    if (!words || leaving.current !== undefined) return
    if (wait && !draft.target().edit) { toast(slowText(wait)); return }
    const preview = card.take(words)
    const target = draft.target(), mentions = draft.mentionsIn(words), shown = [editing.value, replying.value].flatMap((m) => m ?? [])
    draft.sent()
    leaving.current = text
    const late = setTimeout(leave, leavesAfterMs)
    try {
      if (target.edit) {
        await engine().edit(target.edit, words, preview, mentions)
        leave()
      } else {
        const kept = await engine().send(chat.jid, { text: words, ...(preview ? { content: { type: 'text', text: words, preview } } : {}), ...(target.reply ? { reply: target.reply } : {}), ...(mentions.length ? { mentions } : {}) })
        leave()
        timeline.value?.sent(kept)
      }
    } catch (error) {
      console.error('send', error)
      toast(t('notKept'))
      const meanwhile = leaving.current === undefined ? area.current?.value ?? '' : ''
      leave()
      setText(meanwhile.trim() ? `${words}\n${meanwhile}` : words)
      if (meanwhile.trim()) return // what is being written now answers or corrects something else
      written.current = target.edit
      void draft.seek(target, shown)
    } finally { clearTimeout(late) }
  }
  /** What is typed while the last text still stands there is a new one. */
  const typed = ({ value }: HTMLTextAreaElement, data: string | null): void => {
    const left = leaving.current
    leave()
    write(left !== undefined && data && value === left + data ? data : value)
    full(value, text)
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.isComposing) return
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || (prefs.enterSends.value && !event.shiftKey && !named.length))) { event.preventDefault(); void send() }
    else if (event.key === 'Escape' && (edited || replying.value || emoji)) { event.preventDefault(); event.stopPropagation(); cancel() }
    else if (event.key === 'ArrowUp' && !text) editLast(event)
    else if (event.key === 'e' && event.ctrlKey) { event.preventDefault(); setEmoji(!emoji) }
  }
  const cancel = (): void => { if (edited) setText(''); setEmoji(false); editing.value = undefined; replying.value = undefined }
  const paste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])], words = event.clipboardData?.getData('text/plain') ?? ''
    if (files.length) { event.preventDefault(); offerFiles(chat.jid, files) }
    else if (text.length + words.length > longest) { event.preventDefault(); void offerText(chat, words) }
  }
  const busy = recording.value !== undefined
  return (
    <footer class="chat-foot">
      <Above close={cancel} />
      {wait > 0 && <p class="slow" role="timer" aria-live="off"><Icon name="clock" />{slowText(wait)}</p>}
      <LinkCard maker={card} done={() => area.current?.focus()} />
      {asked && <Mentions people={named} pick={(p) => { draft.mentioned(p); insert(`@${p.name} `, asked.from) }} close={() => setAsked(undefined)} />}
      <div class="comp">
        {busy ? <RecordBar chat={chat} /> : (
          <div class="box">
            <IconButton path={smilePath} label={t('emoji')} expanded={emoji} act={() => setEmoji(!emoji)} />
            <textarea ref={area} rows={1} dir={text ? 'auto' : undefined} maxLength={longest} value={text} placeholder={t(chat.protection === 'omemo' ? 'write' : 'writeOpen')} aria-label={t('writeTo', { name: chat.name })}
              enterkeyhint={prefs.enterSends.value ? 'send' : 'enter'} onInput={(e) => typed(e.currentTarget, e.data)} onKeyDown={keys} onPaste={paste} />
            <IconButton path={attachPath} label={t('attach')} disabled={wait > 0} act={() => void openAttach(chat)} />
            {!text && !edited && <IconButton icon="camera" kind="spare" label={t('attach.camera')} disabled={wait > 0} act={() => takePicture(chat.jid)} />}
          </div>
        )}
        {!busy && (text.trim() || edited || wait)
          ? <button type="button" class="send" disabled={wait > 0 && !edited} aria-label={t(edited ? 'edit.done' : 'send')} onPointerDown={(e) => e.preventDefault()} onClick={() => void send()}><Icon name={edited ? 'check' : 'send'} flip /></button>
          : <RecordButton chat={chat} />}
      </div>
      {emoji && <Drawer chat={chat} pick={(sign) => insert(sign)} close={() => { setEmoji(false); area.current?.focus() }} />}
    </footer>
  )
}

/** A text that is too long for a message can go as a file; nothing of it is cut off without a word. */
async function offerText(chat: Chat, words: string): Promise<void> {
  if (await confirm({ title: t('long.title'), text: t('long.text', { n: longest }), yes: t('long.asFile') })) offerFiles(chat.jid, [new File([words], 'text.txt', { type: 'text/plain' })])
}

/** Says that no more fits, when the end is reached. */
function full(now: string, before: string): void {
  if (now.length >= longest && before.length < longest) toast(t('long.full', { n: longest }))
}

function useDraft(chat: Chat, text: string): Draft {
  const draft = useRef<Draft | undefined>(undefined)
  draft.current ??= new Draft(engine(), chat)
  const kept = draft.current
  useEffect(() => { kept.write(text, replying.value?.id, editing.value?.id) }, [text, replying.value, editing.value])
  useEffect(() => {
    kept.restore(timeline.value?.messages.value ?? [])
    const leave = (): void => kept.flush()
    addEventListener('pagehide', leave)
    return () => { removeEventListener('pagehide', leave); kept.close() }
  }, [])
  return kept
}

function editLast(event: KeyboardEvent): void {
  const mine = timeline.value?.messages.value.filter((m) => m.own && !m.copies && m.content.type === 'text' && !m.retracted)
  const last = mine?.[mine.length - 1]
  if (last) { event.preventDefault(); edit(last) }
}

function grow(field: HTMLTextAreaElement | null): void {
  if (!field) return
  field.style.height = ''
  if (field.value) field.style.height = `${field.scrollHeight}px` // measured only when there is something: that costs a layout
}
