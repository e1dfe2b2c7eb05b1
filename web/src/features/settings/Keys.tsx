import type { JSX } from 'preact'
import { shortcuts } from '../../app/shortcuts.tsx'
import { t } from '../../i18n/t.ts'

/** Keys lists every shortcut. */
export function Keys(): JSX.Element {
  return (
    <section class="card flat">
      <ul class="list-plain">{shortcuts.map((s) => <li key={s.text}><span>{t(s.text)}</span><small dir="ltr">{s.keys.map((k, i) => <span key={k}>{i > 0 && ' + '}<kbd>{k}</kbd></span>)}</small></li>)}</ul>
    </section>
  )
}
