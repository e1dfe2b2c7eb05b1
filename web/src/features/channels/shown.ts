// Which posts a reader has before them: their sums are asked for, and each is counted as seen once by this device.
import { useCallback, useEffect, useRef } from 'preact/hooks'
import { ask } from './desk.tsx'

/** How long a post rests before a reader to count, and how often sums are asked for again, in milliseconds. */
const rest = 800
const anew = 30_000

/** useShown gives the ref of what shows a post, which names it in `data-item`. */
export function useShown(name: string): (element: HTMLElement | null) => void {
  const visible = useRef(new Set<string>())
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const tell = useRef(() => undefined as void)
  tell.current = () => {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      if (document.visibilityState !== 'visible' || !visible.current.size) return
      void ask('shown', name, [...visible.current].slice(-100)).catch(() => undefined) // told with what is shown next
    }, rest)
  }
  const observer = useRef<IntersectionObserver>(undefined)
  observer.current ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const item = (target as HTMLElement).dataset['item']
      if (!item) continue
      if (isIntersecting) visible.current.add(item)
      else visible.current.delete(item)
    }
    tell.current()
  }, { threshold: .3 })
  useEffect(() => {
    const again = (): void => tell.current()
    const every = setInterval(again, anew)
    document.addEventListener('visibilitychange', again)
    return () => {
      clearInterval(every)
      clearTimeout(timer.current)
      document.removeEventListener('visibilitychange', again)
      observer.current?.disconnect()
    }
  }, [])
  return useCallback((element: HTMLElement | null) => { if (element) observer.current?.observe(element) }, [])
}
