// The channels that one follows.
import type { JSX } from 'preact'
import { t } from '../../i18n/t.ts'

/** Channels lists them. */
export function Channels(): JSX.Element {
  return <section aria-labelledby="up-channels"><h2 id="up-channels">{t('up.channels')}</h2></section>
}
