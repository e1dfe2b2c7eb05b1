// What a page of administration waits for: an answer, or why there is none.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Admin } from '../../core/engine.ts'
import { connection, engine } from '../../app/session.ts'
import { region, t } from '../../i18n/t.ts'
import { toast } from '../../ui/toast.tsx'

/** An answer that is awaited: `failed` says why it did not come, and `value` may still be the one before. */
export interface Answer<T> { value: T | undefined; failed: 'forbidden' | 'failed' | undefined; reload: () => void }

/** conditionOf is the XMPP condition of an error, '' for another one. */
export const conditionOf = (error: unknown): string => (error as { condition?: string } | null)?.condition ?? ''

/** useAnswer asks once for each change of what is asked, as soon as there is a connection, and again on reload; an answer that is overtaken is dropped. */
export function useAnswer<T>(ask: () => Promise<T>, what: unknown[]): Answer<T> {
  const [value, setValue] = useState<T>()
  const [failed, setFailed] = useState<Answer<T>['failed']>()
  const turn = useRef(0)
  const reload = useCallback(() => {
    const mine = ++turn.current
    ask().then(
      (got) => { if (mine === turn.current) { setValue(() => got); setFailed(undefined) } },
      (error: unknown) => { if (mine === turn.current) setFailed(conditionOf(error) === 'forbidden' ? 'forbidden' : 'failed') },
    )
  }, what)
  const { state } = connection.value
  const live = state === 'live' || state === 'fallback'
  useEffect(() => { if (live) reload(); return () => { turn.current++ } }, [...what, live])
  return { value, failed: failed ?? (state === 'offline' || state === 'refused' ? 'failed' : undefined), reload }
}

/** admin asks the server through the engine, in whichever tab it runs. */
export function admin<K extends keyof Admin>(what: K, ...args: Parameters<Admin[K]>): ReturnType<Admin[K]> {
  return engine().admin(what, ...args)
}

/** attempt does one thing and says when it did not work; true when it did. */
export async function attempt(does: Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await does
    if (done) toast(done)
    return true
  } catch (error) {
    const condition = conditionOf(error)
    toast(t(condition === 'conflict' ? 'adm.taken' : condition === 'not-allowed' ? 'adm.notYou' : condition === 'item-not-found' ? 'adm.gone' : condition === 'not-acceptable' ? 'adm.notAny' : condition === 'remote-server-timeout' ? 'adm.noList' : 'adm.failed'))
    return false
  }
}

/** num writes a number as people of the language do. */
export const num = (value: number, digits = 0): string => new Intl.NumberFormat(region.value, { maximumFractionDigits: digits }).format(value)

/** spell writes a length of time that is given in seconds. */
export function spell(seconds: number): string {
  const [value, unit] = seconds % 86_400 === 0 ? [seconds / 86_400, 'day'] : seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : seconds % 60 === 0 ? [seconds / 60, 'minute'] : [seconds, 'second']
  return new Intl.NumberFormat(region.value, { style: 'unit', unit: unit as string, unitDisplay: 'long' }).format(value as number)
}

/** about writes about how long seconds are: minutes, hours or days. */
export function about(seconds: number): string {
  const minutes = Math.max(0, Math.round(seconds / 60)) || 0
  const [value, unit] = minutes < 120 ? [minutes, 'minute'] : minutes < 2880 ? [Math.round(minutes / 60), 'hour'] : [Math.round(minutes / 1440), 'day']
  return new Intl.NumberFormat(region.value, { style: 'unit', unit: unit as string, unitDisplay: 'long' }).format(value as number)
}
