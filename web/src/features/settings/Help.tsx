import type { JSX } from 'preact'
import { go } from '../../app/router.ts'
import { exists } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'

const questions = ['ticks', 'offline', 'stuck', 'who', 'key', 'lost', 'other']

/** Help answers what people ask. */
export function Help(): JSX.Element {
  return (
    <>
      {questions.map((q) => <details class="more" key={q}><summary>{t(`help.${q}` as Key)}</summary><p>{t(`help.${q}Text` as Key)}</p></details>)}
      {exists('happening') && <Button kind="s" icon="activity" wide act={() => go('/happening')}>{t('help.happening')}</Button>}
    </>
  )
}
