import type { JSX } from 'preact'
import type { ComponentChildren } from 'preact'
import { Avatar } from './Avatar.tsx'
import { Icon } from './Icon.tsx'
import './css/pages.css'

interface PeerProps {
  id: string
  name: string
  kind?: 'person' | 'group' | 'self' | 'business' | 'broadcast' | undefined
  picture?: string | undefined
  online?: boolean | undefined
  under?: ComponentChildren
  href?: string
  at?: boolean
  children?: ComponentChildren
}

/** Peer is somebody in a list: picture, name, a line below, and what can be done. With `href` the whole of it leads there. */
export function Peer({ id, name, kind = 'person', picture, online, under, href, at, children }: PeerProps): JSX.Element {
  const inside = (
    <>
      <Avatar id={id} name={name} kind={kind} picture={picture} online={online} size="s" />
      <span class="grow"><b class="cut one" dir="auto">{name}</b>{under && <small class="cut one">{under}</small>}</span>
      {href && !children && <Icon name="chevronRight" flip kind="go" />}
    </>
  )
  if (href && !children) return <a class="act peer" href={href} aria-current={at ? 'true' : undefined}>{inside}</a>
  return <div class="act peer">{inside}{children && <span class="ends">{children}</span>}</div>
}
