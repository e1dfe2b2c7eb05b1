// Posts of ours that have not left yet, or could not.
import type { JSX } from 'preact'
import type { Waiting } from '../../core/channels.ts'
import { t, type Key } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button, Pill } from '../../ui/controls.tsx'
import { desk, tried } from './desk.tsx'

const reasons: Record<string, Key> = { forbidden: 'ch.why.forbidden', 'resource-constraint': 'ch.why.often', 'policy-violation': 'ch.why.often', 'too-large': 'ch.why.large', quota: 'ch.why.large', 'not-acceptable': 'ch.why.large' }

/** Unsents lists them below the posts, each with what can be done. */
export function Unsents({ all }: { all: Waiting[] }): JSX.Element {
  return (
    <ol class="ch-posts">
      {all.map((one) => (
        <li key={one.item}>
          <article class="ch-post unsent">
            {one.text && <p class="txt" dir="auto">{one.text}</p>}
            {one.media.length > 0 && <p class="small">{t('ch.files', { n: one.media.length })}</p>}
            <footer>
              {one.state === 'waiting' ? <Pill kind="wait" icon="clock">{one.at === undefined ? t('ch.waiting') : t('ch.waitingAt', { time: fullTime(one.at) })}</Pill> : <Pill kind="bad" icon="circleAlert">{t('ch.notSent')}</Pill>}
              {one.state === 'failed' && <span class="small">{t(reasons[one.failure ?? ''] ?? 'ch.why.other')}</span>}
            </footer>
            <div class="dos">
              {one.state === 'failed' && <Button kind="p" icon="refresh" act={() => void tried(desk().then((d) => d.retry(one.item)))}>{t('ch.retry')}</Button>}
              <Button kind="t" act={() => void tried(desk().then((d) => d.discard(one.item)))}>{t('ch.discard')}</Button>
            </div>
          </article>
        </li>
      ))}
    </ol>
  )
}
