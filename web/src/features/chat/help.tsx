// What to do about messages that could not be sent or read: what happened, what is kept, what helps.
import type { Message } from '../../core/model.ts'
import { chatPath, go } from '../../app/router.ts'
import { chatOf, engine, nameOf } from '../../app/session.ts'
import { exists } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { choose } from '../../ui/overlay.tsx'

/** explainProblem says why a message did not leave, and offers what may help. */
export async function explainProblem(message: Message): Promise<void> {
  const reason = message.failure ?? 'server'
  const devices = reason === 'untrusted-devices' || reason === 'no-devices'
  const answer = await choose({
    title: t(`failed.${reason}` as Key), text: t(`failed.${reason}.help` as Key, { name: nameOf(message.chat) }),
    answers: [
      { value: 'delete', label: t('act.deleteMine'), danger: true },
      ...(devices && exists('security') && !chatOf(message.chat)?.group ? [{ value: 'devices' as const, label: t('system.check') }] : []),
      { value: 'again', label: t('again'), main: true },
    ],
  })
  if (answer === 'again') await engine().retry(message.id)
  else if (answer === 'delete') await engine().remove([message.id], false)
  else if (answer === 'devices') go(`${chatPath(message.chat)}/security`)
}

/** explainLocked says why a message cannot be read here. */
export async function explainLocked(message: Message): Promise<void> {
  if (message.content.type !== 'undecryptable') return
  const name = nameOf(message.from)
  const answer = await choose({ title: t(`locked.${message.content.reason}`), text: t(`locked.${message.content.reason}.help` as Key, { name }), answers: [{ value: 'ask', label: t('locked.ask'), main: true }] })
  if (answer === 'ask') await engine().send(message.chat, { text: t('locked.please'), reply: message.id })
}
