// The channels that one follows, the one with the newest post first, and the ways to more.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import badge from 'icon:badge-check'
import type { Channel } from '../../core/channels.ts'
import { go, place } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { loadPart, t } from '../../i18n/t.ts'
import { shortTime } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import './channels.css'

/** Channels lists them. */
export function Channels(): JSX.Element {
  const [all, setAll] = useState<Channel[]>()
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let stop: (() => void) | undefined
    let over = false
    void Promise.all([engine().channels(), loadPart('channels')]).then(([desk]) => {
      if (over) return
      stop = desk.watch(setAll)
      void desk.ask('begin').catch(() => undefined) // what is kept is shown; the next session asks again
    }, () => { if (!over) setFailed(true) })
    return () => { over = true; stop?.() }
  }, [])
  return (
    <section class="up-channels" aria-labelledby="up-channels">
      <h2 id="up-channels">{t('up.channels')}</h2>
      {all ? <List all={all} /> : failed && <p class="up-none">{t('part.failed')}</p>}
    </section>
  )
}

function List({ all }: { all: Channel[] }): JSX.Element {
  return (
    <>
      {!all.length && <div class="up-none"><b>{t('ch.none')}</b><p>{t('ch.noneText')}</p></div>}
      <ul class="rows">{all.map((channel) => <li key={channel.name}><Row channel={channel} /></li>)}</ul>
      <div class="dos">
        <Button kind="s" icon="search" act={() => go('/updates/channels')}>{t('ch.find')}</Button>
        <Button kind="s" icon="plus" act={() => go('/updates/channels/new')}>{t('ch.new')}</Button>
      </div>
    </>
  )
}

function Row({ channel }: { channel: Channel }): JSX.Element {
  const { name, title, picture, mark, last, unread, muted } = channel
  const path = `/channels/${encodeURIComponent(name)}`
  const at = place.value.path.startsWith(path)
  return (
    <a class={`row${unread ? ' un' : ''}${at ? ' at' : ''}`} href={path} aria-current={at ? 'page' : undefined}>
      <Face name={name} title={title} picture={picture} />
      <span class="b">
        <span class="l1"><span class="n cut" dir="auto">{title}</span>{mark && <span class="up-mark" title={t('ch.marked')}><Icon path={badge} /><span class="vh">{t('ch.marked')}</span></span>}{last && <time>{shortTime(last.time)}</time>}</span>
        <span class="l2">
          {last?.media && <Icon name={last.media === 'image' ? 'image' : 'fileText'} kind="k" />}
          <span class="tx cut" dir="auto">{last?.text ?? ''}</span>
          <span class="end">
            {muted && <><Icon name="bellOff" /><span class="vh">{t('mark.muted')}</span></>}
            {unread > 0 && <span class={`badge num${muted ? ' mut' : ''}`}><span aria-hidden="true">{unread > 99 ? '99+' : unread}</span><span class="vh">{t('chats.unread', { n: unread })}</span></span>}
          </span>
        </span>
      </span>
    </a>
  )
}

function Face({ name, title, picture }: Pick<Channel, 'name' | 'title' | 'picture'>): JSX.Element {
  const [failed, setFailed] = useState<string>()
  if (!picture || failed === picture || !URL.canParse(picture) || new URL(picture).origin !== location.origin) return <Avatar id={`${name}@channels`} name={title} />
  return <span class="av" aria-hidden="true"><img src={picture} alt="" loading="lazy" onError={() => setFailed(picture)} /></span>
}
