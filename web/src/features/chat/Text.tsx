// The words of a message: styled, with links and mentions, folded when long.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Message } from '../../core/model.ts'
import { groupIn } from '../../app/groups.ts'
import { chatPath } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { link, trim } from './links.ts'
import { styled, type Styled } from './styled.ts'

type Mentions = NonNullable<Message['mentions']>

const foldAt = 900
const foldLines = 18
const onlyEmoji = /^(?:\p{Extended_Pictographic}[\p{Emoji_Modifier}\u{FE0F}]?(?:\u{200D}\p{Extended_Pictographic}\u{FE0F}?)*\s*|\p{Regional_Indicator}{2}\s*){1,3}$/u

/** text shows the words of a message. */
export function text(words: string, mentions: Mentions = []): JSX.Element {
  if (words.length < 60 && onlyEmoji.test(words)) return <span class="txt big">{words}</span>
  const short = fold(words)
  if (short !== words) return <Folded words={words} short={short} mentions={mentions} />
  return <span class="txt" dir="auto">{draw(styled(words), mentions)}</span>
}

function Folded({ words, short, mentions }: { words: string; short: string; mentions: Mentions }): JSX.Element {
  const [open, setOpen] = useState(false)
  return (
    <span class="txt" dir="auto">
      {draw(styled(open ? words : short), mentions)}
      {!open && <>{'… '}<button type="button" class="more" onClick={() => setOpen(true)}>{t('text.more')}</button></>}
    </span>
  )
}

function fold(text: string): string {
  const lines = text.split('\n')
  if (lines.length > foldLines + 4) return lines.slice(0, foldLines).join('\n').slice(0, foldAt)
  return text.length > foldAt * 1.2 ? text.slice(0, foldAt) : text
}

function draw(parts: Styled[], mentions: Mentions): (JSX.Element | string)[] {
  return parts.flatMap((part) => {
    switch (part.kind) {
      case 'text': return withMentions(part.text, part.from, mentions)
      case 'strong': return <strong>{draw(part.parts, mentions)}</strong>
      case 'emphasis': return <em>{draw(part.parts, mentions)}</em>
      case 'strike': return <s>{draw(part.parts, mentions)}</s>
      case 'code': return <code>{part.text}</code>
      case 'pre': return <pre tabIndex={0}>{part.text}</pre>
      case 'quote': return <blockquote>{draw(part.parts, [])}</blockquote>
    }
  })
}

function withMentions(text: string, from: number, mentions: Mentions): (JSX.Element | string)[] {
  const here = mentions.filter((m) => m.from >= from && m.to <= from + text.length && m.to > m.from).sort((a, b) => a.from - b.from)
  const out: (JSX.Element | string)[] = []
  let at = 0
  for (const m of here) {
    const start = m.from - from
    if (start < at) continue
    out.push(...withLinks(text.slice(at, start)))
    const name = text.slice(start, m.to - from)
    out.push(m.jid === engine().account().jid ? <span class="at me">{name}</span> : <a class="at" href={chatPath(m.jid)}>{name}</a>)
    at = m.to - from
  }
  out.push(...withLinks(text.slice(at)))
  return out
}

/** Links show where they lead, and nothing else; what opens learns nothing about us. The link of a group opens here. */
function withLinks(text: string): (JSX.Element | string)[] {
  const out: (JSX.Element | string)[] = []
  let at = 0
  for (const found of text.matchAll(link)) {
    const url = trim(found[0])
    const group = groupIn(url)
    const safe = shown(url)
    if (!safe) continue
    out.push(text.slice(at, found.index), group ? <a href={group} dir="ltr">{safe.text}</a> : <a href={safe.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">{safe.text}</a>)
    at = found.index + url.length
  }
  out.push(text.slice(at))
  return out.filter((part) => part !== '')
}

/** A name in letters that look like others is shown as the network knows it. */
function shown(url: string): { href: string; text: string } | undefined {
  try {
    const parsed = new URL(url)
    const foreign = parsed.host.includes('xn--')
    return { href: parsed.href, text: foreign ? parsed.href : url }
  } catch { return undefined }
}
