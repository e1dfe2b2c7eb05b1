import type { JSX } from 'preact'
import { choose, language, languages, t } from '../../i18n/t.ts'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'

/** Language lets a person choose, each language by its own name. */
export function Language(): JSX.Element {
  return (
    <section class="card flat">
      <Radios label={t('set.language')} hideLabel value={language.value} answers={Object.entries(languages).map(([value, label]) => ({ value, label, lang: value }))}
        change={(value) => { choose(value).catch(() => toast(t('part.failedWhy'))) }} />
    </section>
  )
}
