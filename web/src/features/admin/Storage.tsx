// What is kept and how much room there is, and the limits that people run into.
import { Fragment, type JSX } from 'preact'
import type { Facts } from '../../core/engine.ts'
import { t, type Key } from '../../i18n/t.ts'
import { size } from '../../i18n/when.ts'
import { Banner } from '../../ui/controls.tsx'
import { admin, num, spell, useAnswer } from './load.ts'
import { Waiting } from './Waiting.tsx'

const tight = 0.1

/** Storage shows sizes. */
export function Storage(): JSX.Element {
  const answer = useAnswer(() => admin('storage'), [])
  const { value: f } = answer
  return <><Waiting answer={answer} />{f && <Sizes facts={f} />}<Limits /></>
}

function Sizes({ facts: f }: { facts: Facts }): JSX.Element {
  const bytes = (name: string): number => Number(f[name] ?? 0)
  const [free, all] = [bytes('disk.free'), bytes('disk.bytes')]
  return (
    <section class="card">
      <h2>{t('adm.storage')}</h2>
      {all > 0 && free / all < tight && <Banner kind="bad" icon="circleAlert" title={t('adm.diskTight')} text={t('adm.diskTightText')} />}
      <dl class="facts">
        <dt>{t('adm.database')}</dt><dd>{size(bytes('database.bytes'))} · <bdi dir="ltr">{f['database.engine'] === 'postgres' ? 'PostgreSQL' : 'SQLite'}</bdi></dd>
        <dt>{t('adm.uploads')}</dt><dd>{size(bytes('uploads.bytes'))} · {t('adm.files', { n: bytes('uploads.files') })}</dd>
        <dt>{t('adm.disk')}</dt><dd>{t('adm.freeOf', { free: size(free), all: size(all) })}</dd>
      </dl>
      <progress class="meter" max={Math.max(1, all)} value={all - free} aria-label={t('adm.disk')} />
    </section>
  )
}

type Kind = 'bytes' | 'seconds' | 'flag' | 'count'
const known: [name: string, label: Key, kind: Kind][] = [
  ['register.open', 'adm.limOpen', 'flag'], ['register.members_invite', 'adm.limInvite', 'flag'], ['register.invites_per_day', 'adm.limPerDay', 'count'],
  ['register.invite_life', 'adm.limInviteLife', 'seconds'], ['upload.max_size_bytes', 'adm.limFile', 'bytes'], ['upload.quota_bytes', 'adm.limQuota', 'bytes'],
  ['upload.expiry', 'adm.limExpiry', 'seconds'], ['max_sessions', 'adm.limSessions', 'count'], ['c2s.stanza_rate', 'adm.limStanzas', 'count'],
  ['c2s.byte_rate', 'adm.limBytes', 'bytes'], ['c2s.max_failures', 'adm.limFailures', 'count'], ['account.min_password_length', 'adm.limPassword', 'count'],
]

function Limits(): JSX.Element {
  const answer = useAnswer(() => admin('limits'), [])
  const { value } = answer
  const show = (text: string, kind: Kind): string => kind === 'flag' ? t(text === 'true' ? 'adm.yes' : 'adm.no')
    : kind === 'bytes' ? size(Number(text)) : kind === 'seconds' ? (text === '0' ? t('adm.never') : spell(Number(text))) : num(Number(text))
  return (
    <section class="card">
      <h2>{t('adm.limits')}</h2>
      <p class="small">{t('adm.limitsText')}</p>
      <Waiting answer={answer} />
      {value && <dl class="facts">{known.filter(([name]) => value[name] !== undefined).map(([name, label, kind]) => (
        <Fragment key={name}><dt>{t(label)}</dt><dd>{show(value[name] ?? '', kind)}</dd></Fragment>
      ))}</dl>}
    </section>
  )
}
