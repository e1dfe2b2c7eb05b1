import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { PageHead } from '../../app/PageHead.tsx'
import { back } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Button } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import { ask, pathOf, useChannel, why } from './desk.tsx'
import { begun, decided, Fields, type Deciding } from './fields.tsx'

/** Edit changes what the owners of a channel decide. */
export function Edit({ name }: { name: string }): JSX.Element {
  const channel = useChannel(name)
  const [value, setValue] = useState<Deciding>()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string>()
  useEffect(() => { if (channel && !value) setValue(begun(channel)) }, [channel])
  const save = async (event: Event): Promise<void> => {
    event.preventDefault()
    const settings = value && decided(value)
    if (busy || !settings) return
    setBusy(true)
    setFailed(undefined)
    try {
      await ask('configure', name, settings, value.file)
      toast(t('ch.saved'))
      back(pathOf(name, 'about'))
    } catch (error) { setFailed(why(error)) }
    setBusy(false)
  }
  return (
    <div class="scroll">
      <PageHead title={t('ch.settings')} up={pathOf(name, 'about')} always />
      {!value ? <Busy /> : (
        <form class="page" onSubmit={(e) => void save(e)}>
          <Fields value={value} change={setValue} />
          {failed && <p class="wrong" role="alert">{failed}</p>}
          <Button kind="p" wide submit disabled={busy}>{t(busy ? 'busy' : 'ch.save')}</Button>
        </form>
      )}
    </div>
  )
}
