// What was shared in a chat: photos and videos, links, documents, voice messages, and what is starred.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import link from 'icon:link'
import type { Message } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, place } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { fullTime, length, shortTime, size } from '../../i18n/when.ts'
import { Busy, Button, Empty } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Thumb } from '../../ui/Thumb.tsx'
import { view } from './viewer.tsx'
import '../../ui/css/pages.css'
import './media.css'

type Kind = 'media' | 'links' | 'files' | 'voice' | 'starred'
const kinds: Kind[] = ['media', 'links', 'files', 'voice', 'starred']
const isKind = (text: string | null): text is Kind => kinds.includes(text as Kind)

/** Gallery is the page of what was shared in a chat. */
export default function Gallery({ params }: ViewProps): JSX.Element {
  const jid = params['jid'] ?? ''
  const asked = place.value.query.get('kind')
  const [kind, setKind] = useState<Kind>(isKind(asked) ? asked : 'media')
  useEffect(() => { if (isKind(asked)) setKind(asked) }, [asked])
  return (
    <>
      <PageHead title={t('med.title')} up={`/chat/${encodeURIComponent(jid)}/about`} always />
      <div class="chips" role="group" aria-label={t('med.kinds')}>
        {kinds.map((k) => <button type="button" class="chip" key={k} aria-pressed={kind === k} onClick={() => setKind(k)}>{t(`med.${k}` as Key)}</button>)}
      </div>
      <div class="scroll gallery"><Shared key={`${jid} ${kind}`} jid={jid} kind={kind} /></div>
    </>
  )
}

function Shared({ jid, kind }: { jid: string; kind: Kind }): JSX.Element {
  const [all, setAll] = useState<Message[]>()
  const [more, setMore] = useState(false)
  const load = async (before?: number): Promise<void> => {
    const page = await engine().gallery(jid, kind, before).catch(() => [])
    const known = all ?? []
    const fresh = page.filter((m) => !known.some((k) => k.id === m.id))
    setMore(fresh.length > 0)
    setAll([...known, ...fresh])
  }
  useEffect(() => { void load() }, [])
  if (!all) return <Busy />
  if (!all.length) return <Empty title={t('med.none')} text={t('med.noneText')} />
  const oldest = Math.min(...all.map((m) => m.order))
  return (
    <>
      {kind === 'media' ? <ul class="grid">{all.map((m) => <li key={m.id}><Square message={m} /></li>)}</ul> : <ul>{all.map((m) => <li key={m.id}><Line message={m} /></li>)}</ul>}
      {more && <div class="dos mid"><Button kind="t" act={() => void load(oldest)}>{t('med.more')}</Button></div>}
    </>
  )
}

const whoOf = (m: Message): string => (m.own ? t('med.you') : nameOf(m.from))

function Square({ message: m }: { message: Message }): JSX.Element {
  return <button type="button" class="square" aria-label={t('med.open', { kind: t(`kind.${m.content.type}` as Key), name: whoOf(m), time: fullTime(m.time) })} onClick={() => void view(m.chat, m.id)}><Thumb message={m} /></button>
}

const linkIn = /https?:\/\/[^\s<>"]{1,2000}/i

function Line({ message: m }: { message: Message }): JSX.Element {
  const { content: c } = m
  const media = 'media' in c ? c.media : undefined
  const text = c.type === 'text' ? c.preview?.title ?? linkIn.exec(c.text)?.[0] ?? c.text : media && c.type === 'file' ? media.name : 'caption' in c && c.caption ? c.caption : t(`kind.${c.type}` as Key)
  const facts = [whoOf(m), shortTime(m.time), media && size(media.size), media?.seconds !== undefined && length(media.seconds)].filter(Boolean).join(' · ')
  const icon = c.type === 'voice' ? 'mic' : c.type === 'file' ? 'fileText' : c.type === 'image' ? 'image' : c.type === 'video' ? 'video' : 'message'
  const isLink = c.type === 'text' && linkIn.test(c.text)
  return (
    <a class="act" href={chatPath(m.chat, m.id)}>
      <span class="tile">{isLink ? <Icon path={link} /> : <Icon name={icon} />}</span>
      <span class="grow"><span class="cut one" dir="auto">{text}</span><small>{facts}</small></span>
    </a>
  )
}
