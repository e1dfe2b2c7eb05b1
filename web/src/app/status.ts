// The viewer of statuses and what makes a new one, for whoever lists them: they are loaded when they are first needed.
import { loadPart, t } from '../i18n/t.ts'
import { toast } from '../ui/toast.tsx'

/** showStatuses shows somebody's statuses from the first that was not looked at, and after them those of the others in the list. */
export async function showStatuses(jid: string, others: string[] = []): Promise<void> {
  try {
    const [{ view }] = await Promise.all([import('../features/status/stories.tsx'), loadPart('status')])
    await view(jid, others)
  } catch (error) { console.warn('status', error); toast(t('part.failed')) }
}

/** beforehand loads what shows statuses and makes them while there is a connection, so that it is there when there is none. */
export function beforehand(): void {
  void Promise.all([import('../features/status/stories.tsx'), import('../features/status/telling.tsx'), loadPart('status')]).catch((error: unknown) => console.warn('status', error))
}

/** newStatus lets a person tell something for a day. */
export async function newStatus(): Promise<void> {
  try {
    const [{ compose }] = await Promise.all([import('../features/status/telling.tsx'), loadPart('status')])
    await compose()
  } catch (error) { console.warn('status', error); toast(t('part.failed')) }
}
