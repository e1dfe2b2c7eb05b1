// What the lines that nobody wrote say, in the chat and in the list.
import type { Content } from '../core/model.ts'
import { has, t } from '../i18n/t.ts'
import { length } from '../i18n/when.ts'
import { contactOf, engine, nameOf, ready } from './session.ts'

/** A line that nobody wrote, without its type. */
export type SystemLine = Omit<Extract<Content, { type: 'system' }>, 'type'>

/** lineText is the sentence of a line; undefined where there is none for it, or the texts are not here yet. */
export function lineText(line: SystemLine): string | undefined {
  const key = `system.${line.key}`
  if (line.key.startsWith('group-')) return groupText(key, line)
  return has(key) ? t(key, line.values) : undefined
}

/** A line of a group: who did it and to whom, as they are called here; a sentence of its own for what we did, and for what was done to us. */
function groupText(key: string, { values = {}, by, who = [] }: SystemLine): string | undefined {
  const me = ready.value ? engine().account().jid : undefined
  const own = by !== undefined && by === me ? `${key}.you` : me !== undefined && who.includes(me) ? `${key}.me` : key
  const found = has(own) ? own : has(key) ? key : undefined
  if (!found) return undefined
  const more = Number(values['more'] || 0)
  const named = who.length === 1 && who[0] ? contactOf(who[0])?.name ?? values['who'] ?? nameOf(who[0]) : values['who'] ?? ''
  return t(found, {
    ...values, by: (by && contactOf(by)?.name) ?? values['by'] ?? (by ? nameOf(by) : ''), who: more ? t('system.others', { names: named, n: more }) : named,
    time: length(Number(values['seconds'] ?? 0)), why: values['reason'] ? t('system.because', { reason: values['reason'] }) : '',
  }).trim()
}
