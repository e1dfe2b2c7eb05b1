// What a second administrator sees before saying yes: all that it is about, and where it is about a transfer with a network, that transfer. Without it there is no yes.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Facts } from '../../core/engine.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { Dialog } from '../../ui/overlay.tsx'
import { admin, useAnswer } from './load.ts'
import { sum, word, type Units } from './Money.tsx'
import { ways } from './railWords.ts'
import { Waiting } from './Waiting.tsx'

/** What is decided: `transfer` is the id of the one that it is about, `sentence` says what is agreed to, once it is known. */
export interface Decision { title: string; units: Units; transfer?: string | undefined; sentence: (transfer: Facts) => string; facts: [string, string | undefined][]; does: () => Promise<void> }

/** Second asks for the decision. */
export function Second({ title, units, transfer = '', sentence, facts, does, close }: Decision & { close: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const answer = useAnswer(async () => transfer ? (await admin('transfer', transfer)).facts : {}, [transfer])
  const f = answer.value
  const known = f && (!transfer || f['id'] === transfer)
  const agree = async (): Promise<void> => { setBusy(true); await does(); close() }
  return (
    <Dialog title={title} close={close} alert>
      <Waiting answer={answer} />
      {known && <>
        <p><b>{sentence(f)}</b></p>
        <dl class="facts">{[...facts, ...rowsOf(f, units)].map(([label, text]) => text && <><dt>{label}</dt><dd><bdi dir="auto">{text}</bdi></dd></>)}</dl>
      </>}
      <div class="do">
        <Button kind="t" act={close}>{t('cancel')}</Button>
        {known && <Button kind="p" disabled={busy} act={() => void agree()}>{title}</Button>}
      </div>
    </Dialog>
  )
}

const rowsOf = (f: Facts, units: Units): [string, string | undefined][] => f['id'] === undefined ? [] : [
  [word(ways, f['kind']), sum(units, f['amount'], f['unit'])], [t('adm.network'), f['rail']], [t('adm.account'), f['account']], [t('adm.there'), f['address']], [t('adm.reference'), f['reference']], [t('adm.id'), f['id']],
]
