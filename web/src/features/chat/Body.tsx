// What a message contains, by its kind.
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Content, LinkPreview, Message } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import { Icon } from '../../ui/Icon.tsx'
import { ContactCard, Place } from './cards.tsx'
import { Picture, Sticker } from './Picture.tsx'
import { Poll } from './Poll.tsx'
import { Event, Money } from './later.tsx'
import { Document } from './Document.tsx'
import { text } from './Text.tsx'
import { Voice } from './Voice.tsx'
import { once, wantOnce } from './late.ts'

const cards = new Set<Content['type']>(['image', 'video', 'location', 'contact', 'poll', 'event', 'payment', 'request', 'split', 'file'])

/** isCard is whether a content fills the bubble to its edges. */
export const isCard = (content: Content): boolean => cards.has(content.type)

/** body draws the content of a message. */
export function body(m: Message): JSX.Element | null {
  const { content } = m
  switch (content.type) {
    case 'text': return <>{content.preview && <Link preview={content.preview} />}{text(content.text, m.mentions)}</>
    case 'image': case 'video': return <><Picture message={m} content={content} />{content.caption && <div class="pad">{text(content.caption)}</div>}</>
    case 'sticker': return <Sticker message={m} content={content} />
    case 'voice': case 'audio': return <><Voice message={m} media={content.media} type={content.type} />{content.caption && text(content.caption)}</>
    case 'file': return <><Document message={m} media={content.media} />{content.caption && <div class="pad">{text(content.caption)}</div>}</>
    case 'location': return <Place message={m} content={content} />
    case 'contact': return <ContactCard content={content} />
    case 'event': return <Event message={m} content={content} />
    case 'once': return <Once message={m} content={content} />
    case 'poll': return <Poll message={m} content={content} />
    case 'payment': case 'request': case 'split': return <Money message={m} content={content} />
    case 'call': return <Call content={content} />
    case 'system': case 'undecryptable': return null
  }
}

/** The card was made by who sent it: nothing is fetched here (XEP-0511). */
function Link({ preview }: { preview: LinkPreview }): JSX.Element | null {
  let host: string
  try { const url = new URL(preview.url); if (!/^https?:$/.test(url.protocol)) return null; host = url.host } catch { return null }
  const picture = preview.image?.startsWith('data:image/') ? preview.image : undefined
  return (
    <a class="link" href={preview.url} target="_blank" rel="noopener noreferrer nofollow">
      {picture && <img src={picture} alt="" />}
      <span><b dir="auto">{preview.title}</b>{preview.description && <span class="desc" dir="auto">{preview.description}</span>}<small dir="ltr">{host}</small></span>
    </a>
  )
}

function Once(props: { message: Message; content: Extract<Content, { type: 'once' }> }): JSX.Element {
  useEffect(wantOnce, [])
  const part = once.value
  return part ? <part.Seen {...props} /> : <span class="gone">{t('kind.once')}</span>
}

function Call({ content }: { content: Extract<Content, { type: 'call' }> }): JSX.Element {
  return <span class="gone"><Icon name={content.video ? 'video' : 'phone'} />{t(`call.${content.outcome}`)}</span>
}
