// Choosing people: from the contacts by a click, all of a list at once, or by addresses that are typed or pasted, one or two hundred of them.
import type { JSX } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import type { Contact, JID } from '../../core/model.ts'
import { Choice } from '../../app/Choice.tsx'
import { calledOf, chats, contacts, engine, nameOf } from '../../app/session.ts'
import { language, t } from '../../i18n/t.ts'
import { addressIn } from '../../ui/address.ts'
import { arrows } from '../../ui/focus.ts'
import { Icon } from '../../ui/Icon.tsx'
import { plain } from '../../ui/plain.ts'
import { Rows } from '../../ui/Rows.tsx'
import { say, toast } from '../../ui/toast.tsx'

/** As many of those who are chosen as are shown by name; the newest first. */
const mostChips = 24

interface PeopleProps {
  chosen: JID[]
  change: (chosen: JID[]) => void
  /** At most so many now, of so many altogether. */
  most: number
  max: number
  /** They are in it already, as far as is known. */
  except?: ReadonlySet<JID>
}

/** People shows whom one knows, and who of them is chosen. */
export function People({ chosen, change, most, max, except }: PeopleProps): JSX.Element {
  const [words, setWords] = useState('')
  const root = useRef<HTMLDivElement>(null)
  const me = engine().account().jid
  const all = useMemo(() => {
    const order = new Intl.Collator(language.value)
    return contacts.value.filter((c) => c.subscription !== 'none' && c.jid !== me && !except?.has(c.jid)).sort((a, b) => order.compare(calledOf(a), calledOf(b)))
  }, [contacts.value, language.value, except])
  const wanted = plain(words.trim())
  const shown = wanted ? all.filter((c) => plain(calledOf(c)).includes(wanted) || c.jid.includes(wanted)) : all
  const on = useMemo(() => new Set(chosen), [chosen])
  const add = (people: JID[]): void => {
    const fresh = [...new Set(people)].filter((jid) => !on.has(jid) && jid !== me && !except?.has(jid))
    const fits = fresh.slice(0, Math.max(0, most - chosen.length))
    if (fits.length < fresh.length) toast(t('gr.most', { n: most, max }))
    if (fits.length) { change([...chosen, ...fits]); say(t('gr.chosen', { n: chosen.length + fits.length })) }
  }
  const toggle = (jid: JID): void => { if (on.has(jid)) change(chosen.filter((j) => j !== jid)); else add([jid]) }
  const typed = addressIn(words)
  const take = (event: Event): void => {
    event.preventDefault()
    const [first] = shown
    if (typed) { add([typed]); setWords('') } else if (wanted && first && shown.length === 1) { toggle(first.jid); setWords('') }
  }
  const paste = (event: ClipboardEvent): void => {
    const many = (event.clipboardData?.getData('text/plain') ?? '').split(/[\s,;<>]+/).flatMap((one) => addressIn(one) ?? [])
    if (many.length < 2) return
    event.preventDefault()
    add(many)
  }
  return (
    <>
      <form class="find" onSubmit={take}>
        <div class="search"><Icon name="search" /><input type="search" dir={words ? 'auto' : undefined} autocapitalize="none" spellcheck={false} aria-label={t('gr.find')} placeholder={t('gr.find')} value={words} onInput={(e) => setWords(e.currentTarget.value)} onPaste={paste} /></div>
      </form>
      {chosen.length > 0 && <Chosen chosen={chosen} drop={toggle} />}
      <div class="sheet-top" ref={root} onKeyDown={(e) => { if (root.current && (e.target as Element).closest('.act')) arrows(e, root.current, '.act') }}>
        <Rows items={shown} label={t('tab.contacts')} keyOf={(c) => c.jid} draw={(c) => <Choice contact={c} on={on.has(c.jid)} act={() => toggle(c.jid)} />}
          head={<>{!wanted && <Lists all={all} add={add} />}{typed && !on.has(typed) && !all.some((c) => c.jid === typed) && <button type="button" class="act" onClick={() => { add([typed]); setWords('') }}><span class="tile"><Icon name="plus" /></span><span class="grow"><span class="cut block">{t('gr.addAddress', { address: typed })}</span></span></button>}</>}
          foot={shown.length === 0 && !typed && <p class="pickwarn" tabIndex={0}>{t(wanted ? 'gr.noneFound' : 'gr.noContacts')}</p>} />
      </div>
    </>
  )
}

/** Those who are chosen; a click takes one out again. */
function Chosen({ chosen, drop }: { chosen: JID[]; drop: (jid: JID) => void }): JSX.Element {
  const shown = chosen.slice(-mostChips).reverse()
  return (
    <ul class="chips chosen" aria-label={t('gr.chosen', { n: chosen.length })}>
      {shown.map((jid) => <li key={jid}><button type="button" class="chip" aria-label={t('gr.drop', { name: nameOf(jid) })} onClick={() => drop(jid)}><span dir="auto">{nameOf(jid)}</span><Icon name="x" /></button></li>)}
      {chosen.length > shown.length && <li class="rest num">{t('gr.moreChosen', { n: chosen.length - shown.length })}</li>}
    </ul>
  )
}

/** Everybody of a list at once: the lists of chats that a person made, and the groups of contacts that other apps made. */
function Lists({ all, add }: { all: Contact[]; add: (people: JID[]) => void }): JSX.Element | null {
  const known = new Set(all.map((c) => c.jid))
  const lists = new Map<string, Set<JID>>()
  const put = (name: string, jid: JID): void => { if (known.has(jid)) lists.set(name, (lists.get(name) ?? new Set()).add(jid)) }
  for (const c of all) for (const name of c.groups ?? []) put(name, c.jid)
  for (const c of chats.value ?? []) for (const name of c.lists ?? []) put(name, c.jid)
  if (!lists.size) return null
  return <div class="chips" role="group" aria-label={t('gr.lists')}>{[...lists].slice(0, 30).map(([name, people]) => <button type="button" class="chip" key={name} onClick={() => add([...people])}><Icon name="plus" /><span dir="auto">{name}</span><b class="num">{people.size}</b></button>)}</div>
}
