// A long list of rows of equal height, of which only those near the window are in the page (WEB.md §2.4). Row heights follow the text size,
// so the height is measured, not assumed.
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

const leastRow = 60
/** No more rows are drawn at first than can be seen. */
const atOpen = Math.min(40, Math.ceil(innerHeight / leastRow) + 1)
const spare = 8

interface RowsProps<T> {
  items: T[]
  label: string
  keyOf: (item: T) => string
  draw: (item: T) => JSX.Element
  /** What stands above the rows and scrolls with them. */
  head?: JSX.Element | false | undefined
  foot?: JSX.Element | false | undefined
}

/** Rows draws items as a list; the position and the number of all are told to screen readers. */
export function Rows<T>({ items, label, keyOf, draw, head, foot }: RowsProps<T>): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const [height, setHeight] = useState(0)
  const [span, setSpan] = useState({ from: 0, to: atOpen })
  useLayoutEffect(() => {
    const row = list.current?.querySelector('li[aria-posinset]')
    if (row) { const tall = row.getBoundingClientRect().height; if (Math.abs(tall - height) > .5) setHeight(tall) }
  })
  useEffect(() => {
    const element = box.current
    if (!element || !height) return
    const look = (): void => {
      const above = element.scrollTop - (list.current?.offsetTop ?? 0)
      const from = Math.max(0, Math.floor(above / height) - spare)
      const to = Math.ceil((above + element.clientHeight) / height) + spare
      setSpan((old) => (Math.abs(old.from - from) >= spare / 2 || Math.abs(old.to - to) >= spare / 2 || (from === 0 && old.from) ? { from, to } : old))
    }
    look()
    element.addEventListener('scroll', look, { passive: true })
    const size = new ResizeObserver(look)
    size.observe(element)
    return () => { element.removeEventListener('scroll', look); size.disconnect() }
  }, [height])
  const from = Math.min(span.from, Math.max(0, items.length - atOpen))
  const part = items.slice(from, span.to)
  return (
    <div class="scroll" ref={box}>
      {head}
      <ul class="rows" role="list" ref={list} aria-label={label} style={{ paddingTop: `${from * height}px`, ...(items.length > span.to ? { paddingBottom: `${(items.length - span.to) * height}px` } : {}) }}>
        {part.map((item, i) => <li key={keyOf(item)} aria-setsize={items.length} aria-posinset={from + i + 1}>{draw(item)}</li>)}
      </ul>
      {foot}
    </div>
  )
}
