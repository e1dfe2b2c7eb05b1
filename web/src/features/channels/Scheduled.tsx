import type { JSX } from 'preact'
import { Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, Empty } from '../../ui/controls.tsx'
import { ask, pathOf, tried, useAsked } from './desk.tsx'

/** Scheduled lists posts that wait at the server for their time. */
export function Scheduled({ name }: { name: string }): JSX.Element {
  const asked = useAsked(() => ask('scheduled', name), [name])
  const cancel = async (id: string): Promise<void> => { if (await tried(ask('cancel', name, id), t('ch.cancelled'))) asked.again() }
  return (
    <div class="scroll">
      <PageHead title={t('ch.scheduled')} up={pathOf(name, 'about')} always />
      {!asked.value ? <Waiting asked={asked} /> : !asked.value.length ? <Empty title={t('ch.scheduledNone')} /> : (
        <ul class="page">{asked.value.map((post) => (
          <li class="card" key={post.id}>
            <b>{t('ch.scheduledAt', { time: fullTime(post.at), name: nameOf(post.by) })}</b>
            <p class="txt" dir="auto">{post.text}</p>
            {post.media > 0 && <p class="small">{t('ch.files', { n: post.media })}</p>}
            <div class="do"><Button kind="d" act={() => void cancel(post.id)}>{t('ch.cancelPost')}</Button></div>
          </li>
        ))}</ul>
      )}
    </div>
  )
}
