// An open conversation: who, what was said, and where one writes.
import '../../ui/css/bubble.css'
import '../../ui/css/media.css'
import '../../ui/css/composer.css'
import { effect } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo } from 'preact/hooks'
import type { Chat } from '../../core/model.ts'
import { ConnectionBanner } from '../../app/Connection.tsx'
import { mayWrite } from '../../app/groups.ts'
import { chatOf, engine, ready } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { Composer } from './Composer.tsx'
import { DropPlace } from './drop.tsx'
import { Head, SelectionHead } from './Head.tsx'
import { Log } from './Log.tsx'
import { Pinned } from './Pinned.tsx'
import { hush } from './player.ts'
import { deselect, editing, jump, open, replying, selected, timeline } from './state.ts'
import { Timeline } from './timeline.ts'
import { NotAllowed } from './NotAllowed.tsx'
import { Request } from './Request.tsx'
import { asked, Invited, Silent } from './Silent.tsx'

/** Conversation shows the chat that the address names. */
export default function Conversation({ params }: ViewProps): JSX.Element {
  const jid = params['jid'] ?? ''
  if (!ready.value || !jid) return <div class="chat" />
  return <Open key={jid} jid={jid} message={params['message']} />
}

function Open({ jid, message }: { jid: string; message: string | undefined }): JSX.Element {
  const line = useMemo(() => new Timeline(engine(), jid), [])
  useLayoutEffect(() => begin(line, jid, message), []) // before the first picture, not after it
  useEffect(() => { if (message && line.loaded.value) void jump(message) }, [message])
  const here = open.value?.jid === jid && line.loaded.value ? open.value : undefined
  const chat = here ?? chatOf(jid)
  if (!chat) return <div class="chat" />
  return (
    <>
      {selected.value.size > 0 ? <SelectionHead /> : <Head chat={chat} />}
      {here && <Pinned chat={here} />}
      <div class="chat">
        {here ? <Log line={line} chat={here} /> : <div class="log" />}
        {here && (
          <div class="foot">
            <div class="chat-foot"><div class="chat-banner"><ConnectionBanner /></div></div>
            <Foot chat={here} />
          </div>
        )}
        {here && mayWrite(here) && <DropPlace chat={here} />}
      </div>
    </>
  )
}

/** Where one writes, or why one cannot. */
function Foot({ chat }: { chat: Chat }): JSX.Element {
  if (chat.blocked) return <NotAllowed chat={chat} />
  if (chat.request && !chat.group) return <Request chat={chat} />
  if (chat.request || asked(chat)) return <Invited chat={chat} />
  if (!mayWrite(chat)) return <Silent chat={chat} />
  return <>{chat.group && <Invited chat={chat} />}<Composer chat={chat} /></>
}

/** Reads the chat and its messages at the same time. */
function begin(line: Timeline, jid: string, message: string | undefined): () => void {
  let told: ((chat: Chat | undefined) => void) | undefined
  const known = new Promise<Chat | undefined>((tell) => { told = tell })
  timeline.value = line
  const stop = engine().watchChat(jid, (chat) => {
    open.value = chat ?? fresh(jid)
    if (told && chat?.markedUnread) void engine().setChat(jid, { markedUnread: false })
    told?.(chat)
    told = undefined
  })
  line.open(known).then(() => { if (message) void jump(message) }, (error: unknown) => { console.error('messages', error); line.loaded.value = true })
  return () => { stop(); line.close(); hush(); forget() }
}

/** A chat that has no message yet. */
function fresh(jid: string): Chat {
  return { jid, kind: 'person', name: jid.split('@')[0] ?? jid, time: Date.now() * 1000, unread: 0, protection: 'omemo' }
}

function forget(): void {
  open.value = undefined
  timeline.value = undefined
  replying.value = undefined
  editing.value = undefined
  deselect()
}

effect(() => { if (!timeline.value) deselect() })
