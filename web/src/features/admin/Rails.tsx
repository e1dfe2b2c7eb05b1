// Networks outside, for the operator: how each stands, transfers of which nobody knows, what is proposed to be said about them, comparisons with the networks' lists, and sending back what came in.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { engine } from '../../app/session.ts'
import type { Facts } from '../../core/engine.ts'
import { t, type Key } from '../../i18n/t.ts'
import { Banner, Button, Empty, Pill } from '../../ui/controls.tsx'
import { over } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { Comparisons } from './Comparisons.tsx'
import { about, admin, attempt, conditionOf, num, useAnswer } from './load.ts'
import { at, Rows, sum, word, type Units } from './Money.tsx'
import { Second } from './Second.tsx'
import { Say, Transfer } from './Transfer.tsx'
import { ways, railStates } from './railWords.ts'
import { Waiting } from './Waiting.tsx'

/** Rails shows all of it, or that this server has none. */
export function Rails(): JSX.Element {
  const [none, setNone] = useState(false)
  const [name, choose] = useState('')
  const [turn, setTurn] = useState(0)
  const answer = useAnswer(async () => {
    try {
      const [{ units }, found] = await Promise.all([admin('money'), admin('rails')])
      return { ...found, units: Object.fromEntries(units.map((u) => [u['code'] ?? '', Number(u['exponent'] ?? 0)])) }
    } catch (error) {
      if (!['service-unavailable', 'item-not-found', 'feature-not-implemented'].includes(conditionOf(error))) throw error
      setNone(true)
      return { rails: [], unknown: [], units: {} }
    }
  }, [])
  const { value, reload } = answer
  if (none || value?.rails.length === 0) return <Empty title={t('adm.noRails')} text={t('adm.noRailsText')} />
  const changed = (): void => { reload(); setTurn((n) => n + 1) }
  const rail = value?.rails.find((r) => r['name'] === name) ?? value?.rails[0]
  const of = rail?.['name'] ?? ''
  return (
    <>
      <Waiting answer={answer} />
      {value && rail && <>
        <section class="card"><h2>{t('adm.networks')}</h2>{value.rails.map((r) => <State key={r['name']} rail={r} />)}</section>
        <Unknown units={value.units} unknown={value.unknown} changed={changed} />
        <Verdicts key={`v${turn}`} units={value.units} unknown={value.unknown} changed={changed} />
        {value.rails.length > 1 && <div class="span"><Radios label={t('adm.network')} bar value={of} change={choose} answers={value.rails.map((r) => ({ value: r['name'] ?? '', label: titleOf(r) }))} /></div>}
        <Comparisons key={`c${of}`} rail={of} units={value.units} changed={changed} />
        <Transfers key={`t${of}${turn}`} rail={of} units={value.units} changed={changed} />
      </>}
    </>
  )
}

const titleOf = (rail: Facts): string => rail['title'] ?? rail['name'] ?? ''
const open = ['created', 'submitted', 'accepted', 'unknown']

function State({ rail }: { rail: Facts }): JSX.Element {
  const { up, answered, failed, why } = rail
  const queue = open.reduce((sum, state) => sum + Number(rail[state] ?? 0), 0)
  const lines: [Key, string | undefined][] = [['adm.lastAnswer', at(answered)], ['adm.lastFailure', failed && `${at(failed)}: ${why ?? ''}`]]
  return (
    <article class="report" aria-label={titleOf(rail)}>
      <p><b><bdi>{titleOf(rail)}</bdi></b> <bdi dir="ltr">{rail['title'] ? `${rail['name'] ?? ''} · ` : ''}{rail['kind']}</bdi> <Pill kind={up ? 'ok' : failed ? 'bad' : 'info'}>{t(up ? 'adm.up' : failed ? 'adm.down' : 'adm.notAsked')}</Pill></p>
      <dl class="facts">
        {lines.map(([label, text]) => text && <><dt>{t(label)}</dt><dd dir="auto">{text}</dd></>)}
        <dt>{t('adm.underWay')}</dt><dd>{num(queue)}</dd>
        {Object.entries(railStates).map(([state, label]) => rail[state] && <><dt>{t(label)}</dt><dd>{num(Number(rail[state]))}</dd></>)}
      </dl>
    </article>
  )
}

/** age is how long ago a time of the wire was. */
const age = (since: string | undefined): string => about((Date.now() - Date.parse(since ?? '')) / 1000)

/** show opens one transfer with all that became of it. */
const show = (id: string, units: Units, changed: () => void): void => void over((close) => <Transfer id={id} units={units} close={close} changed={changed} />)

function Unknown({ units, unknown, changed }: { units: Units; unknown: Facts[]; changed: () => void }): JSX.Element {
  return (
    <section class="card">
      <h2>{t('adm.notKnown')}</h2>
      {unknown.length > 0 ? <Banner kind="bad" icon="circleAlert" title={t('adm.unknown', { n: unknown.length })} text={t('adm.unknownText')} /> : <p class="small">{t('adm.allKnown')}</p>}
      {unknown.map((u) => {
        const id = u['id'] ?? ''
        return (
          <article class="report" key={id} aria-label={`${sum(units, u['amount'], u['unit'])} ${id}`}>
            <p><Pill kind="bad">{age(u['since'])}</Pill> {word(ways, u['kind'])} <b><bdi>{sum(units, u['amount'], u['unit'])}</bdi></b> <bdi dir="ltr">{u['rail']}</bdi></p>
            {u['why'] && <blockquote dir="auto">{u['why']}</blockquote>}
            <small>{t('adm.unknownSince', { time: at(u['since']) })} · <bdi dir="ltr">{id}</bdi></small>
            <div class="dos">
              <Button kind="s" icon="refresh" act={() => void attempt(admin('askRail', id), t('adm.asked')).then((done) => { if (done) changed() })}>{t('adm.askNow')}</Button>
              <Button kind="g" act={() => show(id, units, changed)}>{t('adm.details')}</Button>
              <Button kind="g" act={() => void over((close) => <Say transfer={u} units={units} close={close} made={changed} />)}>{t('adm.say')}</Button>
            </div>
          </article>
        )
      })}
    </section>
  )
}

const verdicts: Record<string, Key> = { settled: 'adm.verSettled', rejected: 'adm.verRejected' }

/** said is a verdict as a sentence; it may be that only a part was moved. */
const said = (v: Facts, f: Facts, units: Units): string => {
  const all = sum(units, f['amount'], f['unit'])
  return v['amount'] && v['amount'] !== f['amount'] ? t('adm.verPart', { amount: sum(units, v['amount'], f['unit']), all }) : `${word(verdicts, v['state'])}: ${all}`
}

function Verdicts({ units, unknown, changed }: { units: Units; unknown: Facts[]; changed: () => void }): JSX.Element {
  const [decided, setDecided] = useState(false)
  const answer = useAnswer(async () => ({ more: false, rows: await admin('verdicts', decided) }), [decided])
  const me = engine().account().jid
  const agree = (v: Facts): void => {
    void over((close) => <Second title={t('adm.agree')} units={units} transfer={v['id'] ?? '?'} close={close} sentence={(f) => said(v, f, units)}
      facts={[[t('adm.why'), v['words']], [t('adm.proposer'), v['by']]]} does={async () => { await attempt(admin('agree', v['number'] ?? ''), t('adm.done')); changed() }} />)
  }
  const disagree = async (v: Facts): Promise<void> => { if (await attempt(admin('disagree', v['number'] ?? ''), t('adm.done'))) changed() }
  return (
    <section class="card">
      <h2>{t('adm.verdicts')}</h2>
      <p class="small">{t('adm.verdictsText')}</p>
      <div class="span"><Radios label={t('adm.verdicts')} hideLabel bar value={decided ? 'decided' : 'open'} change={(v) => setDecided(v === 'decided')} answers={[{ value: 'open', label: t('adm.stateOpen') }, { value: 'decided', label: t('adm.decided') }]} /></div>
      <Rows answer={answer} none={t('adm.noVerdicts')}>{(v) => {
        const about = unknown.find((u) => u['id'] === v['id'])
        return (
          <article class="report" key={v['number']} aria-label={`${word(verdicts, v['state'])}: ${v['id'] ?? ''}`}>
            <p>{v['declined'] && <Pill kind="bad">{t('adm.stateDeclined')}</Pill>} <Pill kind={v['declined'] ? 'info' : decided ? 'ok' : 'wait'}>{word(verdicts, v['state'])}</Pill> {about && <b>{sum(units, v['amount'] ?? about['amount'], about['unit'])}</b>} <bdi dir="ltr">{v['id']}</bdi></p>
            <blockquote dir="auto">{v['words']}</blockquote>
            <small>{[t('adm.proposedBy', { name: v['by'] ?? '' }), v['approver'] && t('adm.decidedBy', { name: v['approver'] }), at(v['decided'])].filter(Boolean).join(' · ')}</small>
            <div class="dos">
              {!decided && v['by'] !== me && <Button kind="s" icon="check" act={() => agree(v)}>{t('adm.agree')}</Button>}
              {!decided && <Button kind="g" act={() => void disagree(v)}>{t(v['by'] === me ? 'adm.withdraw' : 'adm.decline')}</Button>}
              <Button kind="g" act={() => show(v['id'] ?? '', units, changed)}>{t('adm.details')}</Button>
            </div>
          </article>
        )
      }}</Rows>
    </section>
  )
}

function Transfers({ rail, units, changed }: { rail: string; units: Units; changed: () => void }): JSX.Element {
  const [before, setBefore] = useState<string>()
  const answer = useAnswer(() => admin('transfers', { rail, ...(before ? { before } : {}) }), [before])
  return (
    <section class="card">
      <h2>{t('adm.transfers')}</h2>
      <p class="small">{t('adm.transfersText')}</p>
      <Rows answer={answer} none={t('adm.noTransfers')}>{(r) => (
        <article class="report line" key={r['id']} aria-label={`${sum(units, r['amount'], r['unit'])} ${r['id'] ?? ''}`}>
          <p><Pill kind={r['state'] === 'settled' ? 'ok' : r['state'] === 'rejected' || r['state'] === 'unknown' || r['state'] === 'reversed' ? 'bad' : 'wait'}>{word(railStates, r['state'])}</Pill> {word(ways, r['kind'])} <b><bdi>{sum(units, r['amount'], r['unit'])}</bdi></b> <small><bdi>{at(r['created'])}</bdi> · <bdi dir="ltr">{r['reference'] ?? r['id']}</bdi></small></p>
          <Button kind="t" act={() => show(r['id'] ?? '', units, changed)}>{t('adm.details')}</Button>
        </article>
      )}</Rows>
      {answer.value?.more && <Button kind="g" wide act={() => setBefore(answer.value?.rows.at(-1)?.['number'])}>{t('adm.older')}</Button>}
      {before && <Button kind="t" wide act={() => setBefore(undefined)}>{t('adm.newest')}</Button>}
    </section>
  )
}
