// Searching everything that is on this device: chats and people by name, messages by their words, by kind. It opens at the place.
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Chat, Contact, Content, SearchHit } from '../../core/model.ts'
import { chatPath, place } from '../../app/router.ts'
import { chats, contactOf, contacts, engine, nameOf, ready } from '../../app/session.ts'
import { back } from '../../app/router.ts'
import { t, type Key } from '../../i18n/t.ts'
import { shortTime } from '../../i18n/when.ts'
import { Busy, Empty, IconButton } from '../../ui/controls.tsx'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { plain } from '../../ui/plain.ts'
import { Thumb } from '../../ui/Thumb.tsx'
import { excerpt } from './excerpt.ts'
import '../../ui/css/pages.css'

type Kind = 'all' | 'photos' | 'videos' | 'links' | 'docs' | 'voice' | 'music'
const kinds: Kind[] = ['all', 'photos', 'videos', 'links', 'docs', 'voice', 'music']
const contentOf: Record<Kind, Content['type'] | 'link' | undefined> = { all: undefined, photos: 'image', videos: 'video', links: 'link', docs: 'file', voice: 'voice', music: 'audio' }

const words = signal('')
const kind = signal<Kind>('all')
const pauseMs = 150
const maxNames = 8
/** As many as the engine gives at most. */
const maxHits = 100

/** useHits searches a moment after typing stops; without words it lists all of a kind. An answer that comes too late is dropped. */
function useHits(within: string | undefined): { hits: SearchHit[] | undefined; failed: boolean } {
  const [state, setState] = useState<{ hits: SearchHit[] | undefined; failed: boolean }>({ hits: undefined, failed: false })
  const asked = words.value.trim()
  useEffect(() => {
    const type = contentOf[kind.value]
    if ((!asked && !type) || !ready.value) { setState({ hits: undefined, failed: false }); return }
    let wanted = true
    const timer = setTimeout(() => {
      engine().search(asked, { ...(within ? { chat: within } : {}), ...(type ? { kind: type } : {}) })
        .then((hits) => { if (wanted) setState({ hits, failed: false }) }, () => { if (wanted) setState({ hits: [], failed: true }) })
    }, asked ? pauseMs : 0)
    return () => { wanted = false; clearTimeout(timer) }
  }, [asked, kind.value, within, ready.value])
  return state
}

/** Search is the page of everything that can be found. */
export default function Search(): JSX.Element {
  const root = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const { query } = place.value
  const within = query.get('in') ?? undefined
  const q = query.get('q')
  useEffect(() => { if (q !== null) words.value = q }, [q])
  useEffect(() => { field.current?.focus() }, [])
  const { hits, failed } = useHits(within)
  const label = within ? t('find.inChat', { name: nameOf(within) }) : t('find.field')
  return (
    <>
      <header class="top find-top">
        <IconButton icon="chevronLeft" label={t('back')} flip kind="back" act={() => back('/')} />
        <h1 class="vh" tabIndex={-1}>{t('find.title')}</h1>
        <div class="search grow" role="search"><Icon name="search" />
          <input ref={field} type="search" dir="auto" enterkeyhint="search" aria-label={label} placeholder={label} value={words.value} onInput={(e) => { words.value = e.currentTarget.value }}
            onKeyDown={(e) => { if (e.key === 'ArrowDown' && root.current) arrows(e, root.current, '.act') }} />
          {words.value && <IconButton icon="x" label={t('clear')} act={() => { words.value = ''; field.current?.focus() }} />}
        </div>
      </header>
      <div class="chips" role="group" aria-label={t('find.kinds')}>
        {kinds.map((k) => <button type="button" class="chip" key={k} aria-pressed={kind.value === k} onClick={() => { kind.value = k }}>{t(`find.${k}` as Key)}</button>)}
      </div>
      <div class="sheet-top" ref={root} onKeyDown={(e) => { if (root.current && (e.target as Element).closest('.act')) arrows(e, root.current, '.act') }}>
        <div class="scroll list-in"><Results within={within} hits={hits} failed={failed} /></div>
      </div>
    </>
  )
}

function Results({ within, hits, failed }: { within: string | undefined; hits: SearchHit[] | undefined; failed: boolean }): JSX.Element {
  const wanted = plain(words.value.trim())
  if (!wanted && kind.value === 'all') return <Empty title={t('find.start')} text={t('find.startText')} />
  const named = within || !wanted || kind.value !== 'all' ? { chats: [], people: [] } : names(wanted)
  const none = named.chats.length + named.people.length + (hits?.length ?? 1) === 0
  return (
    <>
      {failed && <p role="alert" class="under-head">{t('find.failed')}</p>}
      {named.chats.length > 0 && <><h2>{t('find.chats')}</h2><ul>{named.chats.map((c) => <li key={c.jid}><Peer id={c.jid} name={c.name} kind={c.kind} picture={c.avatar} href={chatPath(c.jid)} /></li>)}</ul></>}
      {named.people.length > 0 && <><h2>{t('find.people')}</h2><ul>{named.people.map((c) => <li key={c.jid}><Peer id={c.jid} name={nameOf(c.jid)} picture={c.avatar} under={<bdi dir="ltr">{c.jid}</bdi>} href={chatPath(c.jid)} /></li>)}</ul></>}
      {!hits && <Busy />}
      {hits && hits.length > 0 && (
        <>
          <h2>{t('find.messages')} · <span role="status">{t('find.count', { n: hits.length })}</span></h2>
          <ul>{hits.map((h) => <li key={h.message.id}><Hit hit={h} /></li>)}</ul>
          {wanted && hits.length >= maxHits && <p class="under-head small">{t('find.more', { n: maxHits })}</p>}
        </>
      )}
      {none && !failed && <Empty title={t('find.none')} text={t('find.noneText')} />}
    </>
  )
}

function names(wanted: string): { chats: Chat[]; people: Contact[] } {
  const found = (chats.value ?? []).filter((c) => plain(c.name).includes(wanted)).slice(0, maxNames)
  const shown = new Set(found.map((c) => c.jid))
  const people = contacts.value.filter((c) => !shown.has(c.jid) && (plain(nameOf(c.jid)).includes(wanted) || c.jid.includes(wanted))).slice(0, maxNames)
  return { chats: found, people }
}

function Hit({ hit }: { hit: SearchHit }): JSX.Element {
  const { message, chat } = hit
  const { content } = message
  const text = content.type === 'text' ? content.text : 'caption' in content && content.caption ? content.caption : content.type === 'file' || content.type === 'audio' ? content.media.name : ''
  const who = message.own ? t('find.you') : contactOf(message.from)?.name ?? message.author ?? nameOf(message.from)
  return (
    <a class="act hit" href={chatPath(message.chat, message.id)}>
      {(content.type === 'image' || content.type === 'video') && <Thumb message={message} />}
      <span class="grow">
        <span class="hit-head"><b class="cut" dir="auto">{chat.name}</b><time class="num">{shortTime(message.time)}</time></span>
        <small class="two"><span dir="auto">{who}</span>: {content.type !== 'text' && <>{t(`kind.${content.type}` as Key)} </>}
          <span dir="auto">{excerpt(text, hit.marks).map((part, i) => (part.marked ? <mark key={i}>{part.text}</mark> : part.text))}</span></small>
      </span>
    </a>
  )
}
