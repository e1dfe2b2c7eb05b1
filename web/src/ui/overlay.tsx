// What lies over the panes: sheets, dialogs and menus, in one stack, closed by Escape, by the veil, and by the browser's Back.
import { signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useId } from 'preact/hooks'
import { t } from '../i18n/t.ts'
import { Button } from './controls.tsx'
import { arrows, useTrap } from './focus.ts'
import { Icon, type IconName } from './Icon.tsx'

interface Layer { id: number; modal: boolean; draw: (close: () => void) => JSX.Element; closed: () => void }

/** What stands over the panes, the topmost last. */
export const layers = signal<Layer[]>([])
let next = 1

/** over lays something over the panes and fulfils when it is closed. */
export function over(draw: (close: () => void) => JSX.Element, modal = true): Promise<void> {
  return new Promise((closed) => { layers.value = [...layers.value, { id: next++, modal, draw, closed }] })
}

function close(id: number): void {
  const layer = layers.value.find((l) => l.id === id)
  layers.value = layers.value.filter((l) => l.id !== id)
  layer?.closed()
}

/** closeTop closes what is topmost; false when nothing stood over the panes. */
export function closeTop(): boolean {
  const top = layers.value[layers.value.length - 1]
  if (top) close(top.id)
  return top !== undefined
}

/** Overlays draws the stack; the shell has it once. */
export function Overlays(): JSX.Element {
  return <>{layers.value.map((l) => <div key={l.id}>{l.draw(() => close(l.id))}</div>)}</>
}

interface PanelProps { title: string; close: () => void; kind: 'sheet' | 'dialog'; alert?: boolean; hideTitle?: boolean; children: ComponentChildren }

function Panel({ title, close, kind, alert, hideTitle, children }: PanelProps): JSX.Element {
  const ref = useRef<HTMLDivElement>(null)
  const id = useId()
  useTrap(ref)
  const key = (event: KeyboardEvent): void => { if (event.key === 'Escape') { event.stopPropagation(); close() } }
  return (
    <div class={`veil${kind === 'dialog' ? ' mid' : ''}`} onClick={(e) => { if (e.target === e.currentTarget) close() }} onKeyDown={key}>
      <div class={kind} ref={ref} role={alert ? 'alertdialog' : 'dialog'} aria-modal="true" aria-labelledby={id} tabIndex={-1}>
        <h2 id={id} class={hideTitle ? 'vh' : ''}>{title}</h2>
        {children}
      </div>
    </div>
  )
}

/** Sheet comes from below on a phone and stands in the middle on a desk. */
export function Sheet(props: Omit<PanelProps, 'kind'>): JSX.Element {
  return <Panel kind="sheet" {...props} />
}

/** Dialog asks before going on. */
export function Dialog(props: Omit<PanelProps, 'kind'>): JSX.Element {
  return <Panel kind="dialog" {...props} />
}

/** choose lets a person choose one of a few things to do; undefined when they would rather not. */
export async function choose<T extends string>(question: { title: string; text?: string; answers: { value: T; label: string; danger?: boolean; main?: boolean }[] }): Promise<T | undefined> {
  let answer: T | undefined
  await over((done) => (
    <Dialog title={question.title} close={done} alert>
      {question.text && <p>{question.text}</p>}
      <div class="do">
        <Button kind="t" act={done}>{t('cancel')}</Button>
        {question.answers.map((a) => <Button key={a.value} kind={a.danger ? 'd' : a.main ? 'p' : 's'} act={() => { answer = a.value; done() }}>{a.label}</Button>)}
      </div>
    </Dialog>
  ))
  return answer
}

/** confirm asks whether to go on. */
export async function confirm(question: { title: string; text?: string; yes: string; danger?: boolean }): Promise<boolean> {
  const { yes, danger = false, ...rest } = question
  return await choose({ ...rest, answers: [{ value: 'yes', label: yes, danger, main: !danger }] }) === 'yes'
}

/** One thing that a menu offers; `line` draws a line before it. */
export interface Item { label: string; icon?: IconName; path?: string; act: () => void; danger?: boolean; line?: boolean }

interface MenuProps { items: Item[]; at: { x: number; y: number }; close: () => void; label: string; head?: (close: () => void) => JSX.Element }

function Menu({ items, at, close, label, head }: MenuProps): JSX.Element {
  const ref = useRef<HTMLDivElement>(null)
  useTrap(ref)
  useLayoutEffect(() => { if (ref.current) place(ref.current, at) }, [])
  useEffect(() => {
    const away = (event: Event): void => { if (!ref.current?.contains(event.target as Node)) close() }
    addEventListener('pointerdown', away, true)
    return () => removeEventListener('pointerdown', away, true)
  }, [])
  const key = (event: KeyboardEvent): void => {
    const root = event.currentTarget as HTMLElement
    if (event.key === 'Escape' || event.key === 'Tab') { event.preventDefault(); event.stopPropagation(); close() }
    else if (!arrows(event, root, 'button', 'both')) typeAhead(event, root)
  }
  return (
    <section aria-label={label}><div class="menu" ref={ref} role="menu" aria-label={label} onKeyDown={key}>
      {head?.(close)}
      {items.map((item) => (
        <>
          {item.line && <hr role="separator" />}
          <button type="button" key={item.label} role="menuitem" tabIndex={-1} class={item.danger ? 'bad' : ''} onClick={() => { close(); item.act() }}>
            {(item.icon || item.path) && <Icon {...(item.icon ? { name: item.icon } : {})} {...(item.path ? { path: item.path } : {})} />}{item.label}
          </button>
        </>
      ))}
    </div></section>
  )
}

function typeAhead(event: KeyboardEvent, root: HTMLElement): void {
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey) return
  const wanted = event.key.toLocaleLowerCase()
  const found = [...root.querySelectorAll<HTMLElement>('[role=menuitem]')].find((e) => e.textContent?.trim().toLocaleLowerCase().startsWith(wanted))
  found?.focus()
}

const margin = 8

function place(menu: HTMLElement, { x, y }: { x: number; y: number }): void {
  const { width, height } = menu.getBoundingClientRect()
  const rtl = document.documentElement.dir === 'rtl'
  const left = rtl ? x - width : x
  menu.style.left = `${Math.max(margin, Math.min(left, innerWidth - width - margin))}px`
  menu.style.top = `${Math.max(margin, Math.min(y, innerHeight - height - margin))}px`
}

/** openMenu shows a menu below an element or at a place of the pointer. */
export function openMenu(where: HTMLElement | { x: number; y: number }, label: string, items: Item[], head?: (close: () => void) => JSX.Element): Promise<void> {
  let at: { x: number; y: number }
  if (where instanceof HTMLElement) {
    const box = where.getBoundingClientRect()
    at = { x: document.documentElement.dir === 'rtl' ? box.right : box.left, y: box.bottom + 4 }
  } else at = { x: where.x, y: where.y }
  return over((done) => <Menu items={items} at={at} close={done} label={label} {...(head ? { head } : {})} />, false)
}
