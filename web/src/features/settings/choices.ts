// What a person chose, as the engine keeps it: shown at once, and put back when it could not be kept.
import { useEffect, useState } from 'preact/hooks'
import type { Choices } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { toast } from '../../ui/toast.tsx'

/** useChoices gives the choices (undefined until they were read) and how to change some of them. */
export function useChoices(): [Choices | undefined, (change: Partial<Choices>) => void] {
  const [choices, setChoices] = useState<Choices>()
  useEffect(() => engine().watchChoices(setChoices), [])
  const change = (some: Partial<Choices>): void => {
    const before = choices
    if (before) setChoices({ ...before, ...some })
    engine().choose(some).catch(() => { setChoices(before); toast(t('set.failed')) })
  }
  return [choices, change]
}
