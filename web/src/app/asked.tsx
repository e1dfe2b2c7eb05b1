// What is asked of the server for a page, and what is shown until it has answered, or when it cannot.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { whyNot } from './groups.ts'
import { t } from '../i18n/t.ts'
import { Busy, Button, Empty } from '../ui/controls.tsx'

/** What was asked: not here yet, here, or why not. */
export interface Asked<T> { value: T | undefined; failed: string | undefined; again: () => void }

/** useAsked asks when it is first shown, and whenever one of `on` changes; what was answered before stays until then. `why` says what a failure means. */
export function useAsked<T>(ask: () => Promise<T>, on: unknown[], why = whyNot): Asked<T> {
  const [turn, setTurn] = useState(0)
  const [value, setValue] = useState<T>()
  const [failed, setFailed] = useState<string>()
  useEffect(() => {
    let wanted = true
    setFailed(undefined)
    ask().then((found) => { if (wanted) setValue(() => found) }, (error: unknown) => { if (wanted) setFailed(why(error)) })
    return () => { wanted = false }
  }, [turn, ...on])
  return { value, failed, again: () => setTurn((n) => n + 1) }
}

/** Waiting stands where an answer will be: it says why there is none, and asks again. */
export function Waiting({ asked: { failed, again } }: { asked: Asked<unknown> }): JSX.Element {
  if (!failed) return <Busy />
  return <Empty title={failed}><Button kind="p" icon="refresh" act={again}>{t('again')}</Button></Empty>
}
