// A channel's page: its posts, oldest first, and what can be done with them.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import megaphone from 'icon:megaphone'
import type { Channel, Post, Waiting as Unsent } from '../../core/channels.ts'
import { back, go } from '../../app/router.ts'
import { engine, ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { dayName } from '../../i18n/when.ts'
import { Busy, Button, Empty, IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { wide } from '../../ui/width.ts'
import { Compose } from './Compose.tsx'
import { ask, desk, pathOf, tried, useChannel, watch, why } from './desk.tsx'
import { Mark, Picture } from './Face.tsx'
import { PostCard } from './Post.tsx'
import { Unsents } from './Unsents.tsx'
import { useShown } from './shown.ts'

/** Posts that are drawn at first, and how many more at a time. */
const page = 30
/** So near to the end a reader is taken along by new posts, in pixels. */
const near = 120

/** Read is a channel's page. */
export function Read({ name }: { name: string }): JSX.Element {
  if (!ready.value) return <div class="blank" />
  return <Opened name={name} />
}

function Opened({ name }: { name: string }): JSX.Element {
  const channel = useChannel(name)
  const [failed, setFailed] = useState<{ missing: boolean; text: string }>()
  const open = (): void => {
    setFailed(undefined)
    ask('open', name).catch((error: unknown) => {
      const { condition } = (error ?? {}) as { condition?: string }
      setFailed({ missing: /^(item-not-found|gone|forbidden|not-allowed)$/.test(condition ?? ''), text: why(error) })
    })
  }
  useEffect(open, [name])
  if (channel) return <Whole key={name} channel={channel} />
  const head = <header class="hd"><IconButton icon="chevronLeft" label={t('back')} flip kind="back" act={() => back('/updates')} /><h1 class="nm cut" dir="ltr">{name}</h1></header>
  if (!failed) return <>{head}<Busy /></>
  return <>{head}{failed.missing ? <Empty title={t('ch.missing')} text={t('ch.missingText')} /> : <Empty title={failed.text}><Button kind="p" icon="refresh" act={open}>{t('again')}</Button></Empty>}</>
}

function Whole({ channel }: { channel: Channel }): JSX.Element {
  const { name } = channel
  const [posts, setPosts] = useState<Post[]>()
  const [older, setOlder] = useState(false)
  const [unsent, setUnsent] = useState<Unsent[]>([])
  const [edited, setEdited] = useState<Post & { kind: 'post' }>()
  const publishes = !channel.ended && (channel.standing === 'owner' || channel.standing === 'publisher')
  const limit = useRef(page)
  const fresh = useRef<{ unread: number; first?: { entry: number; unread: number } }>({ unread: channel.unread })
  if (posts && fresh.current.unread) {
    const { unread } = fresh.current
    const entry = posts.filter((p) => p.kind === 'post' && p.by !== engine().account().jid).at(-unread)?.entry
    fresh.current = { unread: 0, ...(entry ? { first: { entry, unread } } : {}) }
  }
  const again = useRef<() => void>(() => undefined)
  useEffect(() => watch((d) => {
    let stop = d.watchPosts(name, () => limit.current, (all, more) => { setPosts(all); setOlder(more) })
    again.current = () => { stop(); stop = d.watchPosts(name, () => limit.current, (all, more) => { setPosts(all); setOlder(more) }) }
    const stopUnsent = d.watchWaiting(name, setUnsent)
    return () => { stop(); stopUnsent() }
  }), [name])
  useEffect(() => {
    const see = (): void => { if (posts && document.visibilityState === 'visible') void desk().then((d) => d.read(name)) }
    see()
    document.addEventListener('visibilitychange', see)
    return () => document.removeEventListener('visibilitychange', see)
  }, [posts, name])
  const more = async (): Promise<void> => {
    limit.current += page
    if (posts && posts.length < limit.current - page) await tried(ask('older', name))
    again.current()
  }
  const waits = unsent.filter((u) => u.edits || !posts?.some((p) => p.kind === 'post' && p.item === u.item))
  return (
    <>
      <Head channel={channel} />
      <div class="ch-body">
        {!posts ? <Busy /> : <Log channel={channel} posts={posts} first={fresh.current.first} older={older} more={more} edit={publishes ? setEdited : undefined}>{waits.length > 0 && <Unsents all={waits} />}</Log>}
        {channel.ended ? <p class="ch-bar small" role="status">{t('ch.ended')}</p> : publishes ? <Compose key={edited?.item ?? ''} channel={channel} edited={edited} done={() => setEdited(undefined)} /> : !channel.following && <Follow channel={channel} />}
      </div>
    </>
  )
}

function Head({ channel }: { channel: Channel }): JSX.Element {
  const { name, title, picture, mark, followers } = channel
  return (
    <header class="hd">
      {!wide.value && <IconButton icon="chevronLeft" label={t('back')} flip kind="back" act={() => back('/updates')} />}
      <a class="who" href={pathOf(name, 'about')}>
        <Picture name={name} title={title} picture={picture} size="s" />
        <span><h1 class="nm" tabIndex={-1}><span class="cut" dir="auto">{title}</span>{mark && <Mark />}</h1><span class="sub">{t('ch.followers', { n: followers })}</span></span>
      </a>
      <IconButton icon="info" label={t('ch.about')} act={() => go(pathOf(name, 'about'))} />
    </header>
  )
}

function Follow({ channel: { name } }: { channel: Channel }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const follow = async (): Promise<void> => { setBusy(true); await tried(ask('follow', name), t('ch.following')); setBusy(false) }
  return <div class="ch-bar"><p class="small">{t('ch.hidden')}</p><Button kind="p" wide disabled={busy} act={() => void follow()}>{t(busy ? 'busy' : 'ch.follow')}</Button></div>
}

interface LogProps { channel: Channel; posts: Post[]; /** The first that was not read when the page was opened, and how many there were. */ first: { entry: number; unread: number } | undefined; older: boolean; more: () => Promise<void>; edit: ((post: Post & { kind: 'post' }) => void) | undefined; children?: JSX.Element | false }

function Log({ channel, posts, first: fresh, older, more, edit, children }: LogProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const at = useRef({ end: true, height: 0, first: 0 })
  const [busy, setBusy] = useState(false)
  const see = useShown(channel.name)
  useLayoutEffect(() => {
    const e = box.current
    if (!e) return
    const first = posts[0]?.entry ?? 0
    const line = at.current.height ? undefined : e.querySelector<HTMLElement>('.unread-line')
    if (line) { e.scrollTop = line.offsetTop - near; at.current.end = e.scrollHeight - e.scrollTop - e.clientHeight < near }
    else if (at.current.end) e.scrollTop = e.scrollHeight
    else if (first < at.current.first) e.scrollTop += e.scrollHeight - at.current.height
    at.current = { ...at.current, height: e.scrollHeight, first }
  })
  useEffect(() => {
    const e = box.current
    if (!e) return
    const grown = new ResizeObserver(() => { if (at.current.end) e.scrollTop = e.scrollHeight })
    grown.observe(e)
    if (e.firstElementChild) grown.observe(e.firstElementChild)
    return () => grown.disconnect()
  }, [])
  const load = async (): Promise<void> => { if (busy) return; setBusy(true); await more(); setBusy(false) }
  const scrolled = (): void => {
    const e = box.current
    if (!e) return
    const grew = e.scrollHeight !== at.current.height // a picture came meanwhile: nobody has scrolled
    at.current.height = e.scrollHeight
    if (at.current.end && grew) { e.scrollTop = e.scrollHeight; return }
    at.current.end = e.scrollHeight - e.scrollTop - e.clientHeight < near
    if (older && e.scrollTop < near && e.scrollHeight > e.clientHeight + near) void load()
  }
  return (
    <div class="scroll ch-log" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label={channel.title}>
      <div class="ch-in">
        {older && <Button kind="t" disabled={busy} act={() => void load()}>{t(busy ? 'busy' : 'ch.older')}</Button>}
        {!posts.length && !children && <Empty title={t('ch.noPosts')} />}
        <ol class="ch-posts">
          {posts.map((post, i) => (
            <>
              {dayName(post.entry) !== dayName(posts[i - 1]?.entry ?? 0) && <li class="day" key={`d${post.entry}`}>{dayName(post.entry)}</li>}
              {post.entry === fresh?.entry && <li class="unread-line" key="unread">{t('ch.fresh', { n: fresh.unread })}</li>}
              <li key={post.entry} data-item={post.kind === 'post' ? post.item : undefined} ref={post.kind === 'post' ? see : undefined}>
                {post.kind === 'line' ? <Line post={post} /> : <PostCard channel={channel} post={post} edit={edit} />}
              </li>
            </>
          ))}
        </ol>
        {children}
      </div>
    </div>
  )
}

function Line({ post }: { post: Post & { kind: 'line' } }): JSX.Element {
  const words = post.what === 'made' ? t('ch.line.made') : post.what === 'settings' ? t('ch.line.settings') : post.text ? t('ch.line.mark', { text: post.text }) : t('ch.line.unmark')
  return <p class="ch-line"><Icon path={megaphone} /><span dir="auto">{words}</span></p>
}
