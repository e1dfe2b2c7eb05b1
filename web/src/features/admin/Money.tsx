// Payments, for the operator: what is in circulation, what waits for a second administrator, wallets, disputes, what to look at, the log, and exports.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { EvidenceList } from '../../app/evidence.tsx'
import type { Facts } from '../../core/engine.ts'
import { engine } from '../../app/session.ts'
import { money } from '../../i18n/money.ts'
import { has, loadPart, t, type Key } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Banner, Button, Empty, Pill } from '../../ui/controls.tsx'
import { over } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { admin, attempt, conditionOf, num, useAnswer, type Answer } from './load.ts'
import { Export } from './Export.tsx'
import { Because, Propose } from './Propose.tsx'
import { Purse } from './Purse.tsx'
import { keyRows, keysOf } from './PurseKeys.tsx'
import { Second } from './Second.tsx'
import { Waiting } from './Waiting.tsx'

/** isolated keeps a text from mixing up the direction of the line that it stands in. */
export const isolated = (text: string): string => `\u2068${text}\u2069`

/** at reads a time of the wire. */
export const at = (text: string | undefined): string => text && Number.isFinite(Date.parse(text)) ? isolated(fullTime(Date.parse(text) * 1000)) : ''

/** The digits of each unit that the server pays in. */
export type Units = Record<string, number>

/** sum writes an amount that came in minor units. */
export const sum = (units: Units, amount: string | undefined, unit: string | undefined): string =>
  money(Number(amount ?? 0), { unit: unit ?? '', exponent: units[unit ?? ''] ?? 0 })

/** Money shows all of it, or that this server has no payments. */
export function Money(): JSX.Element {
  const [none, setNone] = useState(false)
  const [turn, setTurn] = useState(0)
  const answer = useAnswer(async () => {
    try { return await admin('money') } catch (error) {
      if (!['service-unavailable', 'item-not-found', 'feature-not-implemented'].includes(conditionOf(error))) throw error
      setNone(true)
      return { units: [], rails: [], unknown: [] }
    }
  }, [])
  if (none) return <Empty title={t('adm.noMoney')} text={t('adm.noMoneyText')} />
  const { value, reload } = answer
  const changed = (): void => { reload(); setTurn((n) => n + 1) }
  const units: Units = Object.fromEntries(value?.units.map((u) => [u['code'] ?? '', Number(u['exponent'] ?? 0)]) ?? [])
  return (
    <>
      <Waiting answer={answer} />
      {value && <>
        <Circulation units={units} all={value.units} />
        <Networks rails={value.rails} unknown={value.unknown} />
        <Proposals units={units} closed={value.units.filter((u) => u['closed'] === 'true').map((u) => u['code'] ?? '')} turn={turn} done={changed} />
        <Purse units={units} done={changed} />
        <Cases units={units} done={changed} />
        <Suspicions />
        <Audit key={turn} />
        <Export />
      </>}
    </>
  )
}

function Circulation({ units, all }: { units: Units; all: Facts[] }): JSX.Element {
  return (
    <section class="card">
      <h2>{t('adm.circulation')}</h2>
      {all.map((u) => {
        const facts: [Key, string | undefined][] = [['adm.inWallets', u['wallets']], ['adm.inPockets', u['pockets']], ['adm.held', u['held']], ['adm.feesTaken', u['fees']], ['adm.issued', u['issued']]]
        return (
          <div key={u['code']}>
            <h3><bdi dir="ltr">{u['code']}</bdi> {u['closed'] === 'true' && <Pill kind="info">{t('adm.closedUnit')}</Pill>}</h3>
            <dl class="facts">
              {facts.map(([label, amount]) => <><dt>{t(label)}</dt><dd>{sum(units, amount, u['code'])}</dd></>)}
              <dt>{t('adm.wallets')}</dt><dd>{num(Number(u['wallet-accounts'] ?? 0))}</dd>
            </dl>
          </div>
        )
      })}
    </section>
  )
}

/** The networks have a page of their own; what nobody knows is said here, too. */
function Networks({ rails, unknown }: { rails: Facts[]; unknown: Facts[] }): JSX.Element | null {
  if (rails.length === 0 && unknown.length === 0) return null
  return (
    <section class="card">
      <h2>{t('adm.networks')}</h2>
      {unknown.length > 0 && <Banner kind="bad" icon="circleAlert" title={t('adm.unknown', { n: unknown.length })} text={t('adm.unknownText')} />}
      <p><a href="/admin/rails">{t('adm.toNetworks')}</a></p>
    </section>
  )
}

const kinds: Record<string, Key> = { issue: 'adm.kindIssue', withdraw: 'adm.kindWithdraw', correct: 'adm.kindCorrect', refund: 'adm.kindRefund', keys: 'adm.keys' }
/** What `of` names, where that is no payment. */
const ofs: Record<string, Key> = { refund: 'adm.wayIn', keys: 'adm.keysStay' }
const states: Record<string, Key> = { done: 'adm.stateDone', declined: 'adm.stateDeclined', refused: 'adm.stateRefused', open: 'adm.stateOpen' }

/** word is the word for one of a few values, or the value itself. */
export const word = (words: Record<string, Key>, value: string | undefined): string => { const key = words[value ?? '']; return key ? t(key) : value ?? '' }

function Proposals({ units, closed, turn, done }: { units: Units; closed: string[]; turn: number; done: () => void }): JSX.Element {
  const [decided, setDecided] = useState(false)
  const answer = useAnswer(() => admin('office', 'proposals', { decided }), [decided, turn])
  const me = engine().account().jid
  const decide = async (p: Facts, yes: boolean): Promise<void> => { if (await attempt(admin('decide', p['id'] ?? '', yes), t('adm.done'))) done() }
  const approve = async (p: Facts): Promise<void> => {
    let about: [string, string | undefined][] = []
    if (!await attempt(aboutOf(p).then((rows) => { about = rows }))) return // nobody says yes to keys without knowing which ones
    void over((close) => <Second title={t('adm.approve')} units={units} transfer={p['kind'] === 'refund' ? p['of'] ?? '?' : undefined} close={close} does={() => decide(p, true)}
      sentence={() => p['kind'] === 'keys' ? t('adm.keys') : `${word(kinds, p['kind'])}: ${sum(units, p['amount'], p['unit'])}`}
      facts={[...about, [t('adm.why'), p['words']], [t('adm.proposer'), p['by']]]} />)
  }
  return (
    <section class="card">
      <h2>{t('adm.proposals')}</h2>
      <p class="small">{t('adm.proposalsText')}</p>
      <div class="dos">
        {closed.length > 0 && <Button kind="s" icon="plus" act={() => void over((close) => <Propose units={units} closed={closed} close={close} made={done} />)}>{t('adm.propose')}</Button>}
      </div>
      <div class="span"><Radios label={t('adm.which')} hideLabel bar value={decided ? 'decided' : 'open'} change={(v) => setDecided(v === 'decided')}
        answers={[{ value: 'open', label: t('adm.stateOpen') }, { value: 'decided', label: t('adm.decided') }]} /></div>
      <Rows answer={answer} none={t('adm.noProposals')}>{(p) => (
        <article class="report" key={p['id']} aria-label={`${word(kinds, p['kind'])}: ${p['account'] ?? ''}`}>
          <p><Pill kind={p['state'] === 'done' ? 'ok' : p['state'] === 'open' ? 'wait' : 'bad'}>{word(states, p['state'])}</Pill> {word(kinds, p['kind'])} {p['kind'] !== 'keys' && <b>{sum(units, p['amount'], p['unit'])}</b>} <bdi dir="ltr">{p['account']}</bdi></p>
          {p['of'] && <small>{t(ofs[p['kind'] ?? ''] ?? 'adm.payment')}: <bdi dir="ltr">{p['of']}</bdi></small>}
          {p['kind'] === 'keys' && !p['of'] && <small>{t('adm.keysNone')}</small>}
          <blockquote dir="auto">{p['words']}</blockquote>
          <small>{[t('adm.proposedBy', { name: p['by'] ?? '' }), at(p['at']), p['approver'] && t('adm.decidedBy', { name: p['approver'] }), at(p['decided'])].filter(Boolean).join(' · ')}</small>
          {p['state'] === 'open' && <div class="dos">
            {p['by'] !== me && <Button kind="s" icon="check" act={() => void approve(p)}>{t('adm.approve')}</Button>}
            <Button kind="g" act={() => void decide(p, false)}>{t('adm.decline')}</Button>
          </div>}
        </article>
      )}</Rows>
      {answer.value?.more && <p class="small">{t('adm.newestOnly')}</p>}
    </section>
  )
}

/** aboutOf is whom and what a proposal is about; of one to send back what a network has brought in, that transfer says it. */
async function aboutOf(p: Facts): Promise<[string, string | undefined][]> {
  const whose: [string, string | undefined] = [t('adm.account'), p['account']]
  if (p['kind'] === 'keys') return [whose, ...keyRows(await keysOf(p['account'] ?? ''), p['of'])]
  return p['kind'] === 'refund' ? [] : [whose, [t('adm.payment'), p['of']]]
}

/** Rows shows what a list has, or that there is nothing. */
export function Rows<T>({ answer, none, children }: { answer: Answer<{ more: boolean; rows: T[] }>; none: string; children: (row: T) => JSX.Element }): JSX.Element {
  return <><Waiting answer={answer} />{answer.value?.rows.length === 0 && <p class="small">{none}</p>}{answer.value?.rows.map(children)}</>
}

/** Colours of what became of a dispute. */
const ended: Record<string, 'ok' | 'info'> = { refunded: 'ok', rejected: 'info', withdrawn: 'info' }

/** what writes a word of the wire in the words of who pays. */
const what = (before: string, value = ''): string => { const key = before + value; return has(key) ? t(key) : value }

/** Disputes: those that have not ended, among them what the operator has upheld and the payee still owes; and those that have. */
function Cases({ units, done }: { units: Units; done: () => void }): JSX.Element {
  const [texts, setTexts] = useState(false)
  const [decided, setDecided] = useState(false)
  const [before, setBefore] = useState<string>()
  const answer = useAnswer(() => admin('cases', { decided, ...(before ? { before } : {}) }), [decided, before])
  useEffect(() => { Promise.all([loadPart('payevidence'), loadPart('paycards'), loadPart('paymore')]).then(() => setTexts(true), (error: unknown) => console.warn('texts', error)) }, [])
  const decide = (c: Facts, how: 'dismiss' | 'uphold'): void => void over((close) => <Because title={t(`adm.${how}`)} text={t('adm.dismissText')} close={close}
    does={async (why) => { if (await attempt(admin(how, c['id'] ?? '', why), t('adm.done'))) { close(); answer.reload(); done() } }} />)
  return (
    <section class="card">
      <h2>{t('adm.cases')}</h2>
      <div class="span"><Radios label={t('adm.cases')} hideLabel bar value={decided ? 'decided' : 'open'} change={(v) => { setDecided(v === 'decided'); setBefore(undefined) }}
        answers={[{ value: 'open', label: t('adm.stateOpen') }, { value: 'decided', label: t('adm.ended') }]} /></div>
      <Rows answer={answer} none={t(decided ? 'adm.noEnded' : 'adm.noCases')}>{({ facts: c, evidence }) => (
        <article class="report" key={c['id']} aria-label={c['payer']}>
          <p>{texts && <Pill kind={ended[c['state'] ?? ''] ?? 'wait'}>{what('pm.d-', c['state'])}</Pill>} <b>{sum(units, c['amount'], c['unit'])}</b> <bdi dir="ltr">{c['payer']}</bdi> → <bdi dir="ltr">{c['payee']}</bdi></p>
          {texts && <p><b>{what('pm.w-', c['why'])}</b></p>}
          {c['words'] && <blockquote dir="auto">{c['words']}</blockquote>}
          {Number(c['refunded'] ?? 0) > 0 && <p>{t('adm.givenBack', { amount: sum(units, c['refunded'], c['unit']) })}</p>}
          {texts && c['decided'] && <p dir="auto">{t('pm.decided', { why: c['decided'] })}</p>}
          <small>{at(c['at'])} · <bdi dir="ltr">{c['of']}</bdi></small>
          {texts && evidence.length > 0 && <EvidenceList pieces={evidence} called={(jid) => jid} />}
          {c['state'] === 'open' && <div class="dos"><Button kind="g" act={() => decide(c, 'dismiss')}>{t('adm.dismiss')}</Button><Button kind="g" act={() => decide(c, 'uphold')}>{t('adm.uphold')}</Button></div>}
        </article>
      )}</Rows>
      {answer.value?.more && <Button kind="g" wide act={() => setBefore(answer.value?.rows.at(-1)?.facts['place'])}>{t('adm.older')}</Button>}
      {before && <Button kind="t" wide act={() => setBefore(undefined)}>{t('adm.newest')}</Button>}
    </section>
  )
}

const suspicions: Record<string, Key> = {
  splitting: 'adm.susSplitting', 'new-payees': 'adm.susPayees', 'wrong-pins': 'adm.susPins', 'double-promise': 'adm.susPromise', 'promise-void': 'adm.susVoid', 'takes-back': 'adm.susBack', 'pin-guessing': 'adm.susGuess', 'link-guessing': 'adm.susLinks',
}

function Suspicions(): JSX.Element {
  const answer = useAnswer(() => admin('office', 'suspicions'), [])
  return (
    <section class="card">
      <h2>{t('adm.suspicions')}</h2>
      <p class="small">{t('adm.suspicionsText')}</p>
      <Rows answer={answer} none={t('adm.noSuspicions')}>{(s) => (
        <p key={`${s['at'] ?? ''}${s['account'] ?? ''}${s['kind'] ?? ''}`}><b><bdi dir="ltr">{s['account']}</bdi></b> {word(suspicions, s['kind'])} <bdi dir="ltr">{s['about']}</bdi><br /><small>{at(s['at'])}</small></p>
      )}</Rows>
    </section>
  )
}

function Audit(): JSX.Element {
  const [before, setBefore] = useState<string>()
  const answer = useAnswer(() => admin('office', 'audit', before ? { before } : {}), [before])
  return (
    <section class="card">
      <h2>{t('adm.audit')}</h2>
      <Rows answer={answer} none={t('adm.noAudit')}>{(d) => (
        <p key={d['id']}><b><bdi dir="ltr">{d['who']}</bdi></b> <bdi dir="ltr">{d['what']} {d['account']}</bdi> <span dir="auto">{d['about']}</span><br /><small>{at(d['at'])}</small></p>
      )}</Rows>
      {answer.value?.more && <Button kind="g" wide act={() => setBefore(answer.value?.rows.at(-1)?.['id'])}>{t('adm.older')}</Button>}
      {before && <Button kind="t" wide act={() => setBefore(undefined)}>{t('adm.newest')}</Button>}
    </section>
  )
}
