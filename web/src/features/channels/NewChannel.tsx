import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { go } from '../../app/router.ts'
import { ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { ask, nameIn, pathOf, webOf, why } from './desk.tsx'
import { begun, decided, Fields } from './fields.tsx'

/** addressOf makes an address of a title: its letters that an address may have. */
const addressOf = (title: string): string => title.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z\d]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40)

/** NewChannel makes a channel. */
export function NewChannel(): JSX.Element {
  const [value, setValue] = useState(() => begun())
  const [typed, setTyped] = useState<string>()
  const [readers, setReaders] = useState('')
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string>()
  const name = typed ?? addressOf(value.title)
  const wrong = name && nameIn(name) !== name ? t('ch.nameWrong') : undefined
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    const settings = decided(value)
    if (busy || !settings || !value.title.trim() || !name || wrong) return
    setBusy(true)
    setFailed(undefined)
    try {
      await ask('create', name, settings, value.private ? readers.split(/[\s,;]+/).filter(Boolean) : [], value.file)
      go(pathOf(name), { replace: true })
    } catch (error) { setFailed(why(error)); setBusy(false) }
  }
  if (!ready.value) return <div class="blank" />
  return (
    <>
      <PageHead title={t('ch.new')} always up="/updates" />
      <div class="scroll"><form class="page" onSubmit={(e) => void make(e)}>
        <Fields value={value} change={setValue}>
          <Field label={t('ch.name')} hint={t('ch.nameHint', { link: webOf(name || '…') })} wrong={wrong} value={name} change={(now) => setTyped(now.toLowerCase())} limit={64} required ltr />
        </Fields>
        {value.private && <Field label={t('ch.readers')} hint={t('ch.readersHint')} value={readers} change={setReaders} limit={20_000} multiline ltr />}
        {failed && <p class="wrong" role="alert">{failed}</p>}
        <Button kind="p" wide submit disabled={busy}>{t(busy ? 'busy' : 'ch.make')}</Button>
      </form></div>
    </>
  )
}
