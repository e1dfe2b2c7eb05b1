import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { GroupSettings, Who } from '../../core/groups.ts'
import { tried } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Empty, Switch } from '../../ui/controls.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import type { PageProps } from './index.tsx'

const pauses = [0, 10, 30, 60, 300, 900, 3600]

/** pauseText is how long one waits in a slow group. */
const pauseText = (seconds: number): string => (seconds === 0 ? t('gr.slowOff') : seconds < 60 ? t('gr.seconds', { n: seconds }) : seconds < 3600 ? t('gr.minutes', { n: seconds / 60 }) : t('gr.hours', { n: Math.round(seconds / 3600) }))

/** Settings are what the owners of a group decide. What is changed holds at once, for all. */
export function Settings({ chat: { jid }, group }: PageProps): JSX.Element {
  const [asked, setAsked] = useState<Partial<GroupSettings>>({})
  const now = { ...group.settings, ...asked }
  const up = `${chatPath(jid)}/about`
  if (group.affiliation !== 'owner') return <div class="scroll"><PageHead title={t('gr.settings')} up={up} always /><Empty title={t('gr.settingsNot')} /></div>
  const set = async (change: Partial<GroupSettings>): Promise<void> => {
    setAsked((before) => ({ ...before, ...change }))
    if (await tried(engine().group('setSettings', jid, change), t('gr.saved'))) return
    setAsked((before) => Object.fromEntries(Object.entries(before).filter(([key]) => !(key in change))))
  }
  const who = (key: 'writes' | 'adds' | 'edits', label: Key): JSX.Element => (
    <Radios<Who> label={t(label)} value={now[key]} bar change={(value) => void set({ [key]: value })} answers={[{ value: 'all', label: t('gr.all') }, { value: 'admins', label: t('gr.admins') }]} />
  )
  const known = pauses.includes(now.slow) ? pauses : [...pauses, now.slow].sort((a, b) => a - b)
  return (
    <div class="scroll">
      <PageHead title={t('gr.settings')} up={up} always />
      <div class="page">
        <section class="card flat">{who('writes', 'gr.whoWrites')}{who('adds', 'gr.whoAdds')}{who('edits', 'gr.whoEdits')}</section>
        <section class="card flat">
          <Switch label={t('gr.approval')} hint={t('gr.approvalText')} on={now.approval} change={(approval) => void set({ approval })} />
          <Switch label={t('gr.history')} hint={t('gr.historyText')} on={now.history} change={(history) => void set({ history })} />
        </section>
        <section class="card flat"><Radios label={t('gr.slow')} value={String(now.slow)} change={(value) => void set({ slow: Number(value) })} answers={known.map((s) => ({ value: String(s), label: pauseText(s) }))} /></section>
        <section class="card flat">
          <Radios label={t('gr.kind')} value={now.private ? 'private' : 'open'} change={(kind) => void setKind(kind === 'private', set)} answers={[{ value: 'private', label: t('gr.private') }, { value: 'open', label: t('gr.open') }]} />
          <p class="small">{t(now.private ? 'gr.privateText' : 'gr.openText')}</p>
          {!now.private && <Switch label={t('gr.listed')} hint={t('gr.listedText')} on={now.listed} change={(listed) => void set({ listed })} />}
          {!now.private && <Switch label={t('gr.anonymous')} hint={t('gr.anonymousText')} on={now.anonymous} change={(anonymous) => void set({ anonymous })} />}
        </section>
      </div>
    </div>
  )
}

/** What is said is encrypted, or not any more: nobody changes that by a slip. */
async function setKind(closed: boolean, set: (change: Partial<GroupSettings>) => Promise<void>): Promise<void> {
  const sure = await confirm({ title: t(closed ? 'gr.closeTitle' : 'gr.openTitle'), text: t(closed ? 'gr.privateText' : 'gr.openText'), yes: t('gr.yes'), danger: !closed })
  if (sure) await set(closed ? { private: true, listed: false, anonymous: false } : { private: false })
}
