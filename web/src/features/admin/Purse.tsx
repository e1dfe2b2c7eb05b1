// One wallet: what is on it, what it may, and what an administrator decides about it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { AdminPurse } from '../../core/admin.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field, Pill } from '../../ui/controls.tsx'
import { over } from '../../ui/overlay.tsx'
import { pays } from './keys.ts'
import { admin, attempt, useAnswer } from './load.ts'
import { openingOf } from './opening.ts'
import { sum, type Units } from './Money.tsx'
import { Because, whole } from './Propose.tsx'
import { PurseKeys } from './PurseKeys.tsx'
import { Waiting } from './Waiting.tsx'

/** Purse looks for a wallet and shows it. */
export function Purse({ units, done }: { units: Units; done: () => void }): JSX.Element {
  const [name, setName] = useState('')
  const [found, setFound] = useState<AdminPurse>()
  const look = async (event: Event): Promise<void> => {
    event.preventDefault()
    setFound(undefined)
    await attempt(admin('purse', whole(name)).then(setFound))
  }
  return (
    <section class="card">
      <h2>{t('adm.purse')}</h2>
      <form class="form" onSubmit={(e) => void look(e)}>
        <Field label={t('adm.account')} value={name} change={setName} limit={200} ltr required />
        <Button kind="s" submit disabled={!name.trim()}>{t('adm.show')}</Button>
      </form>
      {found && <Shown purse={found} units={units} proposed={done} changed={(now) => { setFound(now); done() }} />}
    </section>
  )
}

function Shown({ purse, units, proposed, changed }: { purse: AdminPurse; units: Units; proposed: () => void; changed: (now: AdminPurse) => void }): JSX.Element {
  const { facts, levels, money } = purse
  const account = facts['account'] ?? ''
  const stopped = facts['stopped'] === 'true'
  const frozen = !!facts['frozen']
  const shut = facts['shut'] === 'true'
  const keyed = useAnswer(async () => shut ? pays(await admin('keys', account)) : false, [purse])
  const opening = openingOf(facts, keyed.value)
  const change = (title: string, text: string, what: { do: 'level' | 'stop' | 'go-on'; level?: string }): void => void over((close) => (
    <Because title={title} text={text} close={close} does={async (why) => { if (await attempt(admin('changePurse', account, { ...what, why }).then(changed), t('adm.done'))) close() }} />
  ))
  const limit = (amount: string | undefined, unit: string | undefined): string => amount && amount !== '0' ? sum(units, amount, unit) : t('adm.noLimit')
  return (
    <article class="report" aria-label={account}>
      <p><b><bdi dir="ltr">{account}</bdi></b> <Pill kind="info">{facts['level']}</Pill> {frozen && <Pill kind="wait">{t('adm.frozen')}</Pill>} {stopped && <Pill kind="bad">{t('adm.stopped')}</Pill>}</p>
      {money.map((m) => (
        <dl class="facts" key={m['unit']}>
          <dt>{t('adm.balance')}</dt><dd>{sum(units, m['balance'], m['unit'])}</dd>
          <dt>{t('adm.held')}</dt><dd>{sum(units, m['held'], m['unit'])}</dd>
          <dt>{t('adm.inPockets')}</dt><dd>{sum(units, m['pocket'], m['unit'])}</dd>
          <dt>{t('adm.perTransaction')}</dt><dd>{limit(m['transaction'], m['unit'])}</dd>
          <dt>{t('adm.perDay')}</dt><dd>{limit(m['day'], m['unit'])}</dd>
        </dl>
      ))}
      <div class="dos">
        {levels.filter((l) => l !== facts['level']).map((l) => (
          <Button key={l} kind="g" act={() => change(t('adm.setLevel', { level: l }), t('adm.setLevelText'), { do: 'level', level: l })}>{t('adm.setLevel', { level: l })}</Button>
        ))}
        <Button kind="g" act={() => void over((close) => <PurseKeys account={account} frozen={facts['frozen']} close={close} made={proposed} />)}>{t('adm.keys')}</Button>
        {opening.mayGoOn && <Button kind="s" act={() => change(t('adm.goOn'), opening.says.map((key) => t(key)).join(' '), { do: 'go-on' })}>{t('adm.goOn')}</Button>}
        {!stopped && <Button kind="d" act={() => change(t('adm.stop'), t('adm.stopText'), { do: 'stop' })}>{t('adm.stop')}</Button>}
      </div>
      {shut && <Waiting answer={keyed} />}
      {opening.byKeys && <p class="small">{t('adm.keysShut')}</p>}
      {opening.ownerOpens && <p class="small">{t('adm.ownerOpens')}</p>}
    </article>
  )
}
