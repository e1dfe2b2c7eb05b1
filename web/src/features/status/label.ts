// A status in words.
import type { Status } from '../../core/engine.ts'
import { t, type Key } from '../../i18n/t.ts'

/** wordsOf is what a status says, or what it is. */
export function wordsOf({ content, unreadable }: Status): string {
  if (unreadable) return t('st.unreadable')
  if (!content) return t('st.loading')
  if (content.type === 'text') return content.text
  return 'caption' in content && content.caption ? content.caption : t(`kind.${content.type}` as Key)
}

/** whyOf says why a status was not told. */
export function whyOf({ failure }: Status): string {
  const known: Partial<Record<string, Key>> = { nobody: 'st.failed.nobody', 'no-devices': 'st.failed.nobody', many: 'st.failed.many', 'too-large': 'st.failed.large', quota: 'st.failed.quota' }
  return t(known[failure ?? ''] ?? 'st.failed.other')
}
