// Lists that a person makes of their chats: a chip above the list for each. The sheet that puts a chat on them is loaded when it is asked for.
import { computed } from '@preact/signals'
import type { Chat } from '../../core/model.ts'
import { chats } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { toast } from '../../ui/toast.tsx'

/** As many lists as there may be. */
export const mostLists = 20

/** The names of all lists that have a chat, in order. */
export const lists = computed(() => [...new Set((chats.value ?? []).flatMap((c) => c.lists ?? []))].sort((a, b) => a.localeCompare(b)).slice(0, mostLists))

/** askLists asks on which lists a chat is to be. */
export async function askLists(chat: Chat): Promise<void> {
  try { await (await import('./ChooseLists.tsx')).chooseLists(chat) } catch (error) { console.warn('lists', error); toast(t('part.failed')) }
}
