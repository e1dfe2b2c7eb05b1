// One post: its words, its files, who signed it, what its readers say.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import eye from 'icon:eye'
import pencil from 'icon:pencil'
import copyIcon from 'icon:copy'
import smile from 'icon:smile-plus'
import type { Channel, Post, SignatureState } from '../../core/channels.ts'
import { groupIn } from '../../app/groups.ts'
import { go } from '../../app/router.ts'
import { nameOf } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { clock, fullTime } from '../../i18n/when.ts'
import { Button, IconButton } from '../../ui/controls.tsx'
import { EmojiPicker } from '../../ui/EmojiPicker.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { confirm, openMenu, over, Sheet } from '../../ui/overlay.tsx'
import { copy } from '../../ui/save.ts'
import { ask, tried } from './desk.tsx'
import { Media } from './Media.tsx'

type Written = Post & { kind: 'post' }

const foldAt = 900
const quick = ['👍', '❤️', '😂', '😮', '😢', '🙏']

/** PostCard shows a post. `edit` is there for who publishes. */
export function PostCard({ channel, post, edit }: { channel: Channel; post: Written; edit: ((post: Written) => void) | undefined }): JSX.Element {
  const takes = channel.reactions && !channel.ended
  const react = (emoji: string): void => { void tried(ask('react', channel.name, post.item, emoji === post.mine ? '' : emoji)) }
  return (
    <article class={`ch-post${post.signature === 'bad' ? ' bad' : ''}`} aria-label={post.title || post.text.slice(0, 60)}>
      {post.media.length > 0 && <Media all={post.media} />}
      {post.title && <h2 dir="auto">{post.title}</h2>}
      {post.text && <Words text={post.text} />}
      <footer>
        <Signature post={post} />
        <span class="ch-end">
        {post.edited && <span>{t('ch.edited')}</span>}
        {post.views > 0 && <span class="ch-views"><Icon path={eye} /><span aria-hidden="true">{post.views}</span><span class="vh">{t('ch.views', { n: post.views })}</span></span>}
        <time title={fullTime(post.entry)}>{clock(post.entry)}</time>
        {takes && <IconButton path={smile} label={t('ch.react')} act={() => void choose(react)} />}
        <IconButton icon="ellipsis" label={t('ch.postMenu')} menu act={(e) => void menu(e.currentTarget as HTMLElement, channel, post, edit)} />
        </span>
      </footer>
      <Reactions channel={channel} post={post} react={react} />
    </article>
  )
}

function Words({ text }: { text: string }): JSX.Element {
  const [open, setOpen] = useState(text.length < foldAt * 1.2)
  return <p class="txt" dir="auto">{linked(open ? text : text.slice(0, foldAt))}{!open && <>{'… '}<button type="button" class="more" onClick={() => setOpen(true)}>{t('ch.more')}</button></>}</p>
}

/** linked shows addresses in a text as links. */
function linked(text: string): (JSX.Element | string)[] {
  const out: (JSX.Element | string)[] = []
  let at = 0
  for (const found of text.matchAll(/\bhttps?:\/\/[^\s<>"']{1,2100}/giu)) {
    const url = found[0].replace(/[.,;:!?…»”’)]+$/u, '')
    if (url.length > 2048 || !URL.canParse(url)) continue
    out.push(text.slice(at, found.index), <a href={url} target="_blank" rel="noopener noreferrer" dir="ltr">{url}</a>)
    at = found.index + url.length
  }
  return [...out, text.slice(at)]
}

const signs: Record<SignatureState, { icon: IconName; kind: string }> = {
  good: { icon: 'shield', kind: 'ok' }, none: { icon: 'info', kind: '' }, bad: { icon: 'shieldAlert', kind: 'bad' }, unknown: { icon: 'shieldAlert', kind: 'wait' }, changed: { icon: 'shieldAlert', kind: 'wait' },
  unchecked: { icon: 'clock', kind: '' },
}

function Signature({ post }: { post: Written }): JSX.Element {
  const { signature: state } = post
  const { icon, kind } = signs[state]
  return <button type="button" class={`ch-sig ${kind}`} onClick={() => void explain(post)}><Icon name={icon} /><span>{t(`ch.sig.${state}` as Key, { name: nameOf(post.by) })}</span></button>
}

/** explain says what the signature of a post is worth. */
function explain(post: Written): Promise<void> {
  const { signature: state, by } = post
  return over((close) => (
    <Sheet title={t(`ch.sig.${state}` as Key, { name: nameOf(by) })} close={close}>
      <div class="sheet-in ch-why"><p>{t(`ch.sigText.${state}` as Key, { name: nameOf(by) })}</p><p><bdi dir="ltr">{by}</bdi></p></div>
      <div class="do">
        <Button kind={state === 'changed' ? 't' : 'p'} act={close}>{t('close')}</Button>
        {state === 'changed' && <Button kind="p" act={() => { close(); void tried(ask('believe', by), t('ch.saved')) }}>{t('ch.believe')}</Button>}
      </div>
    </Sheet>
  ))
}

function Reactions({ channel, post, react }: { channel: Channel; post: Written; react: (emoji: string) => void }): JSX.Element | null {
  const { reactions, comments, ended } = channel
  if (!comments && !post.sums.length) return null
  return (
    <div class="ch-reacts">
      {post.sums.map(({ emoji, count }) => (
        <button type="button" key={emoji} class="rx" aria-pressed={emoji === post.mine} disabled={!reactions || !!ended} aria-label={emoji === post.mine ? t('ch.unreact', { emoji }) : t('ch.reactWith', { emoji, n: count })} onClick={() => react(emoji)}>
          <span aria-hidden="true">{emoji} <span class="num">{count}</span></span>
        </button>
      ))}
      {comments && <button type="button" class="rx talk" onClick={() => go(groupIn(comments) ?? `/g#${encodeURI(comments.replace(/^xmpp:/i, ''))}`)}><Icon name="message" />{t('ch.comments')}</button>}
    </div>
  )
}

function choose(react: (emoji: string) => void): Promise<void> {
  return over((close) => (
    <Sheet title={t('ch.react')} close={close}>
      <div class="ch-quick">{quick.map((emoji) => <button type="button" key={emoji} aria-label={emoji} onClick={() => { close(); react(emoji) }}>{emoji}</button>)}</div>
      <EmojiPicker pick={(emoji) => { close(); react(emoji) }} />
    </Sheet>
  ))
}

async function menu(at: HTMLElement, { name }: Channel, post: Written, edit: ((post: Written) => void) | undefined): Promise<void> {
  await openMenu(at, t('ch.postMenu'), [
    { label: t('ch.copy'), path: copyIcon, act: () => void tried(copy([post.title, post.text].filter(Boolean).join('\n')), t('ch.copied')) },
    ...(edit ? [
      { label: t('ch.edit'), path: pencil, line: true, act: () => edit(post) },
      { label: t('ch.retract'), icon: 'trash' as const, danger: true, act: () => void retract(name, post.item) },
    ] : []),
  ])
}

async function retract(name: string, item: string): Promise<void> {
  if (await confirm({ title: t('ch.retractTitle'), text: t('ch.retractText'), yes: t('ch.retract'), danger: true })) await tried(ask('retract', name, item), t('ch.retracted'))
}
