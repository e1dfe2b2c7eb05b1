// What is shown while an answer is awaited, or did not come.
import type { JSX } from 'preact'
import { t } from '../../i18n/t.ts'
import { Banner, Busy, Empty } from '../../ui/controls.tsx'
import type { Answer } from './load.ts'

/** Waiting shows nothing once there is a value and all is well. */
export function Waiting<T>({ answer: { value, failed, reload } }: { answer: Answer<T> }): JSX.Element | null {
  if (failed === 'forbidden') return <Empty title={t('adm.forbidden')} text={t('adm.forbiddenText')} />
  if (failed) return <Banner kind="bad" icon="circleAlert" title={t('adm.noAnswer')} text={t(value === undefined ? 'adm.noAnswerText' : 'adm.oldAnswer')} action={{ label: t('again'), act: reload }} />
  return value === undefined ? <Busy /> : null
}
