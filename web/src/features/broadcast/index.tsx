// A broadcast list: what it is called, and who of the contacts is on it. What is written to it is a chat like any other (features/chat).
import type { JSX } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import { isBroadcast, MAX_BROADCAST, type Chat, type JID } from '../../core/model.ts'
import { Choice } from '../../app/Choice.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath, go } from '../../app/router.ts'
import { calledOf, chatOf, contacts, engine, ready } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { language, t } from '../../i18n/t.ts'
import { Button, Empty, Field } from '../../ui/controls.tsx'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { plain } from '../../ui/plain.ts'
import { Rows } from '../../ui/Rows.tsx'
import { say, toast } from '../../ui/toast.tsx'
import '../../ui/css/pages.css'
import './broadcast.css'

const longestName = 100

/** Broadcast makes a list, or changes the one that the address names. */
export default function Broadcast({ params }: ViewProps): JSX.Element {
  const jid = params['jid']
  if (!ready.value) return <div class="blank" />
  const chat = jid ? chatOf(jid) : undefined
  if (jid && (!chat?.to || !isBroadcast(jid))) return <><PageHead title={t('bc.title')} /><Empty title={t('bc.gone')} /></>
  return <List key={jid ?? 'new'} chat={chat} />
}

function List({ chat }: { chat: Chat | undefined }): JSX.Element {
  const [name, setName] = useState(chat?.title ?? '')
  const [to, setTo] = useState<JID[]>(chat?.to ?? [])
  const [busy, setBusy] = useState(false)
  const save = async (): Promise<void> => {
    if (busy || !name.trim() || !to.length) return
    setBusy(true)
    const jid = chat?.jid ?? `${crypto.randomUUID()}@broadcast.invalid`
    try {
      await engine().setChat(jid, { title: name, to })
      if (chat) toast(t('bc.saved'))
      go(chatPath(jid), { replace: true })
    } catch (error) { console.error('broadcast', error); toast(t('notKept')); setBusy(false) }
  }
  return (
    <>
      <PageHead title={t('bc.title')} up={chat ? chatPath(chat.jid) : '/new'} always />
      <div class="bc-top">
        <Field label={t('bc.name')} value={name} change={setName} limit={longestName} required />
        <p class="small">{t('bc.how')}</p>
      </div>
      <People chosen={to} change={setTo} />
      <div class="bc-end">
        <Button kind="p" wide act={() => void save()} disabled={busy || !name.trim() || !to.length}>{t(chat ? 'bc.save' : 'bc.make', { n: to.length })}</Button>
        {chat && <Button kind="d" icon="trash" act={() => void drop(chat)}>{t('bc.delete')}</Button>}
      </div>
    </>
  )
}

async function drop(chat: Chat): Promise<void> {
  if (!await confirm({ title: t('bc.deleteTitle', { name: chat.name }), text: t('bc.deleteText'), yes: t('bc.delete'), danger: true })) return
  try {
    await engine().clearChat(chat.jid)
    await engine().setChat(chat.jid, { title: undefined, to: undefined, pinned: undefined })
    go('/', { replace: true })
  } catch (error) { console.error('broadcast', error); toast(t('notKept')) }
}

function People({ chosen, change }: { chosen: JID[]; change: (chosen: JID[]) => void }): JSX.Element {
  const [words, setWords] = useState('')
  const root = useRef<HTMLDivElement>(null)
  const me = engine().account().jid
  const on = useMemo(() => new Set(chosen), [chosen])
  const all = useMemo(() => {
    const order = new Intl.Collator(language.value)
    const first = new Set(chosen)
    return contacts.value.filter((c) => c.jid !== me && (c.subscription !== 'none' || c.asks === 'out' || first.has(c.jid)))
      .sort((a, b) => Number(first.has(b.jid)) - Number(first.has(a.jid)) || order.compare(calledOf(a), calledOf(b)))
  }, [contacts.value, language.value]) // who was on it stands first, and nobody moves while one chooses
  const wanted = plain(words.trim())
  const shown = wanted ? all.filter((c) => plain(calledOf(c)).includes(wanted) || c.jid.includes(wanted)) : all
  const toggle = (jid: JID): void => {
    if (!on.has(jid) && chosen.length >= MAX_BROADCAST) { toast(t('bc.most', { n: MAX_BROADCAST })); return }
    const next = on.has(jid) ? chosen.filter((j) => j !== jid) : [...chosen, jid]
    change(next)
    say(t('bc.people', { n: next.length }))
  }
  const find = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    const [first] = shown
    if (wanted && first && shown.length === 1) { toggle(first.jid); setWords('') }
  }
  return (
    <>
      <div class="find bc-find"><div class="search"><Icon name="search" /><input type="search" dir={words ? 'auto' : undefined} autocapitalize="none" spellcheck={false} aria-label={t('bc.find')} placeholder={t('bc.find')} value={words} onInput={(e) => setWords(e.currentTarget.value)} onKeyDown={find} /></div></div>
      <div class="sheet-top" ref={root} onKeyDown={(e) => { if (root.current && (e.target as Element).closest('.act')) arrows(e, root.current, '.act') }}>
        <Rows items={shown} label={t('bc.people', { n: chosen.length })} keyOf={(c) => c.jid} draw={(c) => <Choice contact={c} on={on.has(c.jid)} act={() => toggle(c.jid)} />}
          foot={shown.length === 0 && <p class="pickwarn" tabIndex={0}>{t(wanted ? 'bc.noneFound' : 'bc.none')}</p>} />
      </div>
    </>
  )
}
