// The payment keys of an account, and the proposal that says which of them stay: how somebody gets back in who forgot the PIN of their only device, or whose wallet wrong PINs have frozen.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Facts } from '../../core/engine.ts'
import { loadPart, t, type Key } from '../../i18n/t.ts'
import { now } from '../../i18n/when.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Sheet } from '../../ui/overlay.tsx'
import { parted, standing } from './keys.ts'
import { admin, attempt, useAnswer } from './load.ts'
import { at, isolated, word } from './Money.tsx'
import { longest } from './Propose.tsx'
import { Waiting } from './Waiting.tsx'

const kinds: Record<string, Key> = { pin: 'pay.keyPin', passkey: 'pay.keyPasskey', offline: 'pay.keyOffline' }

/** keysOf reads the payment keys of an account, and the words for them, which are those of its owner. */
export const keysOf = async (account: string): Promise<Facts[]> => (await Promise.all([admin('keys', account), loadPart('pay')]))[0]

const nameOf = (k: Facts): string => k['name'] || t('pay.keyNoName')
const kindOf = (k: Facts): string => word(kinds, k['kind'])

/** keyRows are what a second administrator is shown of such a proposal: each key that stays, and each that does not. */
export function keyRows(all: Facts[], of: string | undefined): [string, string][] {
  const { stay, go } = parted(all, of)
  const rows = (label: string, keys: Facts[]): [string, string][] => keys.map((k) => [label, `${kindOf(k)} · ${isolated(nameOf(k))} · ${at(k['added'])}`])
  return [...stay.length ? rows(t('adm.keysStay'), stay) : [[t('adm.keysStay'), t('adm.keysNone')] as [string, string]], ...rows(t('adm.keysGo'), go)]
}

interface PurseKeysProps { account: string; frozen: string | undefined; close: () => void; made: () => void }

/** PurseKeys shows them and asks which stay. */
export function PurseKeys({ account, frozen, close, made }: PurseKeysProps): JSX.Element {
  const [stay, setStay] = useState<string[]>([])
  const [why, setWhy] = useState('')
  const answer = useAnswer(() => keysOf(account), [account])
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (await attempt(admin('propose', { kind: 'keys', account, of: stay.join(' '), why: why.trim() }), t('adm.proposed'))) { made(); close() }
  }
  const all = answer.value
  return (
    <Sheet title={t('adm.keys')} close={close}>
      <div class="sheet-in">
        <p><bdi dir="ltr">{account}</bdi></p>
        <Waiting answer={answer} />
        {all?.length === 0 && <p class="small">{t('adm.noKeys')}</p>}
        {all && all.length > 0 && <form class="form" onSubmit={(e) => void send(e)}>
          <p class="small">{t('adm.keysText')}</p>
          <fieldset class="checks keys-of">
            <legend>{t('adm.keysStay')}</legend>
            {all.map((k) => <OneKey key={k['id']} one={k} frozen={frozen} stays={stay.includes(k['id'] ?? '')}
              change={(yes) => setStay(yes ? [...stay, k['id'] ?? ''] : stay.filter((id) => id !== k['id']))} />)}
          </fieldset>
          <p class="small" role="status">{stay.length === 0 && t('adm.keysNone')}</p>
          <Field label={t('adm.why')} value={why} change={setWhy} limit={longest} required />
          <Button kind="p" wide submit disabled={!why.trim()}>{t('adm.propose')}</Button>
        </form>}
        <Button kind="t" wide act={close}>{t('close')}</Button>
      </div>
    </Sheet>
  )
}

function OneKey({ one, frozen, stays, change }: { one: Facts; frozen: string | undefined; stays: boolean; change: (stays: boolean) => void }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" checked={stays} onChange={(e) => change(e.currentTarget.checked)} />
      <span><b dir="auto">{nameOf(one)}</b> <small>{kindOf(one)} · {at(one['added'])}</small>
        {standing(one, frozen, now()).map((is) => <small key={is.says}>{is.until ? t(is.says, { when: at(is.until) }) : t(is.says)}</small>)}
      </span>
    </label>
  )
}
