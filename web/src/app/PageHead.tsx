// The head of a page in a pane: the way back, what it is, and at most a few things to do.
import type { ComponentChildren, JSX } from 'preact'
import { t } from '../i18n/t.ts'
import { IconButton } from '../ui/controls.tsx'
import { wide } from '../ui/width.ts'
import { back } from './router.ts'

interface HeadProps {
  title: string
  /** Where Back leads when we came from outside. */
  up?: string
  /** The way back is shown beside other panes too. */
  always?: boolean
  /** It is one of the places at the bottom: there is nothing to go back to. */
  root?: boolean
  children?: ComponentChildren
}

/** PageHead names a page. Beside other panes there is nothing to go back to, so the arrow is left out there. */
export function PageHead({ title, up = '/', always, root, children }: HeadProps): JSX.Element {
  const arrow = !root && (always || !wide.value)
  return (
    <header class="top">
      {arrow && <IconButton icon="chevronLeft" label={t('back')} flip kind="back" act={() => back(up)} />}
      <h1 class="grow" tabIndex={-1} dir="auto">{title}</h1>
      {children}
    </header>
  )
}
