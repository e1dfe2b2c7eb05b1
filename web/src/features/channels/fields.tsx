// What owners decide about a channel, as fields of a form.
import type { JSX } from 'preact'
import type { ChannelSettings } from '../../core/channels.ts'
import { languages, t } from '../../i18n/t.ts'
import { Field, Switch } from '../../ui/controls.tsx'
import { PictureInput } from '../../ui/PictureInput.tsx'
import { Radios } from '../../ui/Radios.tsx'

/** What is being decided; segments are lines until they are sent. */
export interface Deciding extends Omit<ChannelSettings, 'segments'> { lines: string; file?: Blob | undefined }

/** begun is what a form begins with. */
export const begun = (s?: ChannelSettings): Deciding => ({
  title: s?.title ?? '', description: s?.description ?? '', language: s?.language ?? '', private: s?.private ?? false, picture: s?.picture ?? '', comments: s?.comments ?? '', reactions: s?.reactions ?? true,
  lines: (s?.segments ?? []).map(({ name, label }) => `${name} ${label}`.trim()).join('\n'),
})

/** decided is what is sent; undefined when the segments are written wrongly. */
export function decided({ lines, file: _, ...rest }: Deciding): ChannelSettings | undefined {
  const segments = lines.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => /^([a-z\d](?:[a-z\d._-]{0,30}[a-z\d])?)(?:\s+(.*))?$/.exec(line))
  if (segments.length > 50 || segments.some((one) => !one)) return undefined
  return { ...rest, segments: segments.flatMap((one) => (one?.[1] ? [{ name: one[1], label: one[2]?.trim() || one[1] }] : [])) }
}

/** Fields asks for all of it. */
export function Fields({ value, change, children }: { value: Deciding; change: (value: Deciding) => void; children?: JSX.Element | undefined }): JSX.Element {
  const set = (part: Partial<Deciding>): void => change({ ...value, ...part })
  const wrong = decided(value) ? undefined : t('ch.segmentsWrong')
  return (
    <>
      <PictureInput id={value.title || 'channel'} name={value.title || '?'} picture={value.file} change={(file) => set({ file, ...(file ? {} : { picture: '' }) })} choose={t('ch.picture')} remove={t('ch.pictureRemove')} />
      <Field label={t('ch.title')} value={value.title} change={(title) => set({ title })} limit={100} required />
      {children}
      <Field label={t('ch.text')} value={value.description} change={(description) => set({ description })} limit={2048} multiline />
      <div class="field">
        <label for="ch-language">{t('ch.language')}</label>
        <select id="ch-language" value={value.language} onChange={(e) => set({ language: e.currentTarget.value })}>
          <option value="">{t('ch.languageNone')}</option>
          {Object.entries(languages).map(([code, called]) => <option key={code} value={code} lang={code}>{called}</option>)}
          {value.language && !(value.language in languages) && <option value={value.language}>{value.language}</option>}
        </select>
      </div>
      <section class="card flat">
        <Radios label={t('ch.access')} value={value.private ? 'private' : 'open'} change={(kind) => set({ private: kind === 'private' })} answers={[{ value: 'open', label: t('ch.open') }, { value: 'private', label: t('ch.private') }]} />
        <p class="small">{t(value.private ? 'ch.privateText' : 'ch.openText')}</p>
        <Switch label={t('ch.reactions')} hint={t('ch.reactionsText')} on={value.reactions} change={(reactions) => set({ reactions })} />
      </section>
      <Field label={t('ch.segments')} hint={t('ch.segmentsHint')} wrong={wrong} value={value.lines} change={(lines) => set({ lines })} limit={5000} multiline />
      <Field label={t('ch.comment')} hint={t('ch.commentHint')} value={value.comments} change={(comments) => set({ comments })} limit={1000} ltr />
    </>
  )
}
