// In a slow group one waits between two messages: how long still.
import { useEffect, useState } from 'preact/hooks'
import { leads } from '../../app/groups.ts'
import type { Chat } from '../../core/model.ts'
import { t } from '../../i18n/t.ts'
import { length, now } from '../../i18n/when.ts'

const second = 1_000_000

const left = ({ group }: Chat): number => (group?.nextAt && !leads(group) ? Math.max(0, Math.ceil((group.nextAt - now()) / second)) : 0)

/** useWait gives the seconds after which we may write again, 0 for now; what shows it is drawn again each second. */
export function useWait(chat: Chat): number {
  const [, redraw] = useState(0)
  const seconds = left(chat)
  useEffect(() => {
    if (!seconds) return
    const timer = setTimeout(() => redraw((n) => n + 1), 1000)
    return () => clearTimeout(timer)
  })
  return seconds
}

/** slowText says how long one still waits. */
export const slowText = (seconds: number): string => t('slow.wait', { time: length(seconds) })
