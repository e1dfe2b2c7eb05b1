// Somebody says that they have looked at statuses of ours; or we have said so on another device. It is kept, and counted where it is shown.

import { keyOf, noteNew } from '../store/statuses.ts'
import type { Step } from './apply.ts'
import type { Letter } from './said.ts'

/** Keeps who has looked at what, once for each. What came before its status is there when that comes. */
export async function looked(step: Step, letter: Letter, items: string[]): Promise<void> {
  if (letter.group || letter.protection === 'none') return
  // Who may not see our presence is shown none of them: what such people say would only fill this device.
  if (!letter.own && !/^(from|both)$/.test((await step.tx.objectStore('contacts').get(letter.from))?.subscription ?? '')) return
  for (const id of items) {
    const views = step.tx.objectStore('statusViews')
    if (!await views.getKey([id, letter.from])) await views.put({ id, jid: letter.from, time: letter.time })
    const status = letter.own ? await step.tx.objectStore('statuses').get(keyOf(letter.chat, id)) : undefined
    if (status) await step.tx.objectStore('statuses').put({ ...status, seen: true, told: true })
  }
  if (letter.own) await noteNew(step.tx, step.now)
  step.changes.mark('updates')
}
