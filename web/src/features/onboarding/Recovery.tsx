// The recovery code: shown once here, and kept by the person before the first chat opens.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import copyIcon from 'icon:copy'
import download from 'icon:download'
import { engine } from '../../app/session.ts'
import { go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { Busy, Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { saveAs } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { Gate } from './Gate.tsx'
import { afterKeys } from './steps.ts'

const shownKey = 'recovery'

/** The code that this step shows: each that is made ends the one before, so that a page that is loaded again shows the same until the step is left. */
async function madeHere(jid: string): Promise<string> {
  const shown = sessionStorage.getItem(shownKey)
  if (shown?.startsWith(`${jid}\n`)) return shown.slice(jid.length + 1)
  const code = await engine().recoveryCode()
  sessionStorage.setItem(shownKey, `${jid}\n${code}`)
  return code
}

/** Recovery is the last step of joining that matters. */
export function Recovery({ to }: { to: string | null }): JSX.Element {
  const [code, setCode] = useState<string>()
  const [none, setNone] = useState(false)
  const [kept, setKept] = useState(false)
  const { jid } = engine().account()
  useEffect(() => { madeHere(jid).then(setCode, () => setNone(true)) }, [])
  const next = (): void => { sessionStorage.removeItem(shownKey); go(afterKeys(to), { replace: true }) }
  return (
    <Gate title={t('ob.recTitle')} text={none ? t('ob.recNone') : t('ob.recText')} step={[4, 4]}>
      {!none && !code && <Busy />}
      {code && (
        <div class="stack">
          <output class="secret" aria-label={t('ob.recCode')}>{code}</output>
          <div class="dos">
            <button type="button" class="chip" onClick={() => void navigator.clipboard.writeText(code).then(() => toast(t('ob.copied')), () => undefined)}><Icon path={copyIcon} />{t('ob.copy')}</button>
            <button type="button" class="chip" onClick={() => saveAs(new Blob([`${t('ob.recFile', { address: jid })}\n\n${code}\n`], { type: 'text/plain' }), `palabre-${jid}.txt`)}><Icon path={download} />{t('ob.recSave')}</button>
          </div>
          <label class="check"><input type="checkbox" checked={kept} onChange={(e) => setKept(e.currentTarget.checked)} /><span>{t('ob.recKept')}</span></label>
        </div>
      )}
      <Button kind="p" wide disabled={!none && !kept} act={next}>{t('ob.recDone')}</Button>
      {!none && <Button kind="t" wide act={next}>{t('ob.later')}</Button>}
    </Gate>
  )
}
