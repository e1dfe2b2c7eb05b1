// The keys of the whole client, in one list that is also what the help shows.
import type { JSX } from 'preact'
import { t, type Key } from '../i18n/t.ts'
import { Sheet, closeTop, layers, over } from '../ui/overlay.tsx'
import { back, chatPath, go, place } from './router.ts'
import { chats } from './session.ts'

interface Shortcut { keys: string[]; text: Key; matches?: (event: KeyboardEvent) => boolean; act?: () => void }

const plain = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.metaKey && !event.altKey

/** The shortcuts; those without `act` belong to the conversation, which acts on them itself. */
export const shortcuts: Shortcut[] = [
  { keys: ['?'], text: 'keys.help', matches: (e) => plain(e) && e.key === '?', act: showShortcuts },
  { keys: ['/'], text: 'keys.search', matches: (e) => (plain(e) && e.key === '/') || ((e.ctrlKey || e.metaKey) && e.key === 'k'), act: search },
  { keys: ['Alt', 'N'], text: 'keys.new', matches: (e) => e.altKey && e.code === 'KeyN', act: () => go('/new') },
  { keys: ['Alt', '↓'], text: 'keys.next', matches: (e) => e.altKey && e.key === 'ArrowDown', act: () => step(1) },
  { keys: ['Alt', '↑'], text: 'keys.previous', matches: (e) => e.altKey && e.key === 'ArrowUp', act: () => step(-1) },
  { keys: ['Esc'], text: 'keys.back', matches: (e) => e.key === 'Escape' && place.value.path !== '/', act: () => back() },
  { keys: ['Enter'], text: 'keys.send' },
  { keys: ['Shift', 'Enter'], text: 'keys.line' },
  { keys: ['↑'], text: 'keys.edit' },
  { keys: ['R'], text: 'keys.reply' },
  { keys: ['Ctrl', 'E'], text: 'keys.emoji' },
]

/** listen acts on the shortcuts. Letters do nothing while somebody writes. */
export function listen(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return
    if (layers.value.length) {
      if (event.key === 'Escape') closeTop() // the focus is in none of them, as when what had it has just gone
      return
    }
    const writing = (event.target as Element | null)?.closest('input,textarea,select,[contenteditable]')
    if (writing && plain(event) && event.key !== 'Escape') return
    const found = shortcuts.find((s) => s.matches?.(event))
    if (!found?.act) return
    event.preventDefault()
    found.act()
  })
}

function search(): void {
  const field = document.querySelector<HTMLInputElement>('input[type=search]')
  if (field?.offsetParent) field.focus()
  else { go('/'); requestAnimationFrame(() => document.querySelector<HTMLInputElement>('input[type=search]')?.focus()) }
}

function step(by: number): void {
  const list = (chats.value ?? []).filter((c) => !c.archived && !c.request)
  const at = list.findIndex((c) => c.jid === place.value.params['jid'])
  const next = list[at < 0 ? 0 : at + by]
  if (next) go(chatPath(next.jid), { replace: at >= 0 })
}

/** showShortcuts lays the list of keys over the panes. */
export function showShortcuts(): void {
  void over((done) => <Sheet title={t('keys.title')} close={done}><List /></Sheet>)
}

function List(): JSX.Element {
  return (
    <ul class="list-plain">
      {shortcuts.map((s) => <li key={s.text}>{t(s.text)}<small>{s.keys.map((k, i) => <>{i > 0 && ' + '}<kbd>{k}</kbd></>)}</small></li>)}
    </ul>
  )
}
