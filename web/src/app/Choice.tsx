import type { JSX } from 'preact'
import type { Contact } from '../core/model.ts'
import { Avatar } from '../ui/Avatar.tsx'
import { Icon } from '../ui/Icon.tsx'
import { calledOf } from './session.ts'
import './choice.css'

/** Choice is a contact that is chosen, or not, by a click. */
export function Choice({ contact: c, on, act }: { contact: Contact; on: boolean; act: () => void }): JSX.Element {
  return (
    <button type="button" class="act choice" role="checkbox" aria-checked={on} onClick={act}>
      <Avatar id={c.jid} name={calledOf(c)} picture={c.avatar} size="s" />
      <span class="grow"><span class="cut block" dir="auto">{calledOf(c)}</span><small class="cut one" dir="ltr">{c.jid}</small></span>
      <span class="tick" aria-hidden="true">{on && <Icon name="check" />}</span>
    </button>
  )
}
