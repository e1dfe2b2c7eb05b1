// How the server is: what deserves attention, figures of the last hour or day, and facts.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { AdminHealth } from '../../core/engine.ts'
import { t } from '../../i18n/t.ts'
import { ago, date, fullTime, size } from '../../i18n/when.ts'
import { Banner } from '../../ui/controls.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { Chart } from './chart.tsx'
import { admin, num, useAnswer } from './load.ts'
import { Waiting } from './Waiting.tsx'

const minute = 60_000
const day = 86_400_000
const soon = 14 * day
const stale = 8 * day

/** Health is the first page. It is read again each minute while it is looked at. */
export function Health(): JSX.Element {
  const [span, setSpan] = useState<'hour' | 'day'>('hour')
  const answer = useAnswer(() => admin('health', span), [span])
  const { value, reload } = answer
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) reload() }, minute)
    return () => clearInterval(timer)
  }, [reload])
  return (
    <>
      <div class="span"><Radios label={t('adm.span')} hideLabel bar value={span} change={setSpan} answers={[{ value: 'hour', label: t('adm.hour') }, { value: 'day', label: t('adm.day') }]} /></div>
      <Waiting answer={answer} />
      {value && <><Attention facts={value.facts} /><Figures health={value} /><About facts={value.facts} /></>}
    </>
  )
}

const time = (text: string | undefined): number | undefined => { const at = Date.parse(text ?? ''); return Number.isNaN(at) ? undefined : at }

function Attention({ facts }: { facts: AdminHealth['facts'] }): JSX.Element {
  const ends = time(facts['certificate-ends'])
  const backup = time(facts['backup'])
  const page = facts['newer-page']
  return (
    <div class="notices">
      {facts['newer'] && <Banner kind="info" icon="info" title={t('adm.newer', { version: facts['newer'] })} text={t('adm.newerText')}
        {...(page?.startsWith('https://') ? { action: { label: t('adm.newerPage'), act: () => { open(page, '_blank', 'noopener,noreferrer') } } } : {})} />}
      {ends !== undefined && ends - Date.now() < soon && <Banner kind="bad" icon="lock" title={t('adm.certSoon', { time: fullTime(ends * 1000) })} text={t('adm.certSoonText')} />}
      {backup === undefined && <Banner icon="circleAlert" title={t('adm.noBackup')} text={t('adm.noBackupText')} />}
      {backup !== undefined && Date.now() - backup > stale && <Banner icon="circleAlert" title={t('adm.oldBackup', { time: ago(backup * 1000) })} text={t('adm.noBackupText')} />}
    </div>
  )
}

function Figures({ health: { series, every, at } }: { health: AdminHealth }): JSX.Element {
  const of = (name: string): (number | null)[] => series[name] ?? []
  const common = { every, at }
  const milliseconds = (v: number): string => t('adm.ms', { value: num(v, v < 10 ? 1 : 0) })
  const seconds = (v: number): string => t('adm.s', { value: num(v, 1) })
  return (
    <div class="figs">
      <Chart {...common} title={t('adm.sessions')} values={of('sessions')} show={num} />
      <Chart {...common} title={t('adm.messages')} values={of('messages')} show={num} />
      <Chart {...common} title={t('adm.logins')} values={of('logins')} show={num} other={{ title: t('adm.refused'), values: of('logins-refused') }} />
      <Chart {...common} title={t('adm.stanzas')} values={of('stanzas')} show={num} />
      <Chart {...common} title={t('adm.commit')} values={of('commit')} show={milliseconds} other={{ title: t('adm.commitSlow'), values: of('commit-slow') }} />
      <Chart {...common} title={t('adm.oldest')} values={of('oldest')} show={seconds} />
      <Chart {...common} title={t('adm.queue')} values={of('queue')} show={num} other={{ title: t('adm.jobs'), values: of('jobs') }} />
      <Chart {...common} title={t('adm.memory')} values={of('memory')} show={size} />
      <Chart {...common} title={t('adm.cpu')} values={of('cpu')} show={(v) => t('adm.percent', { value: num(v, v < 10 ? 1 : 0) })} />
      <Chart {...common} title={t('adm.goroutines')} values={of('goroutines')} show={num} />
    </div>
  )
}

function About({ facts }: { facts: AdminHealth['facts'] }): JSX.Element {
  const stamp = (name: string): string => { const at = time(facts[name]); return at === undefined ? '–' : fullTime(at * 1000) }
  const since = time(facts['since'])
  return (
    <section class="card">
      <h2>{t('adm.about')}</h2>
      <dl class="facts">
        <dt>{t('adm.version')}</dt><dd><bdi dir="ltr">{facts['version'] ?? '–'}</bdi></dd>
        <dt>{t('adm.since')}</dt><dd>{since === undefined ? '–' : <time dateTime={date(since * 1000).toISOString()}>{fullTime(since * 1000)}</time>}</dd>
        <dt>{t('adm.certificate')}</dt><dd>{stamp('certificate-ends')}</dd>
        <dt>{t('adm.backup')}</dt><dd>{stamp('backup')}</dd>
      </dl>
    </section>
  )
}
