import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import disk from 'icon:hard-drive'
import type { AutoLoad, Choices } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { size } from '../../i18n/when.ts'
import { Icon } from '../../ui/Icon.tsx'
import { prefs } from '../../ui/prefs.ts'
import { Radios } from '../../ui/Radios.tsx'
import { useChoices } from './choices.ts'

/** Data is what loads by itself, and what is kept here. */
export function Data(): JSX.Element {
  const [choices, change] = useChoices()
  return (
    <>
      <section class="card">
        <Radios bar label={t('set.lowData')} value={prefs.lowData.value} change={(value) => { prefs.lowData.value = value }}
          answers={[{ value: 'auto', label: t('set.lowAuto') }, { value: 'on', label: t('set.on') }, { value: 'off', label: t('set.off') }]} />
        <p class="small">{t('set.lowDataHint')}</p>
      </section>
      {choices && (
        <section class="card flat">
          <h2 class="label2">{t('set.auto')}</h2>
          <Kinds label={t('set.autoWifi')} now={choices.autoLoad.wifi} change={(wifi) => change({ autoLoad: { ...choices.autoLoad, wifi } })} />
          <Kinds label={t('set.autoMobile')} now={choices.autoLoad.mobile} change={(mobile) => change({ autoLoad: { ...choices.autoLoad, mobile } })} />
        </section>
      )}
      <Used />
    </>
  )
}

const kinds = [['image', 'set.kindPhotos'], ['voice', 'set.kindVoice'], ['video', 'set.kindVideos'], ['file', 'set.kindFiles']] as const

function Kinds({ label, now, change }: { label: string; now: AutoLoad; change: (fresh: Choices['autoLoad']['wifi']) => void }): JSX.Element {
  return (
    <fieldset class="checks">
      <legend>{label}</legend>
      {kinds.map(([kind, text]) => {
        const on = now.includes(kind)
        return <button type="button" class="chip" key={kind} aria-pressed={on} onClick={() => change(on ? now.filter((k) => k !== kind) : [...now, kind])}>{t(text)}</button>
      })}
    </fieldset>
  )
}

/** How much there is, and the way to the page that says what. */
function Used(): JSX.Element {
  const [used, setUsed] = useState<number>()
  useEffect(() => { engine().storage().then((kept) => setUsed(kept.used), () => undefined) }, [])
  return (
    <section class="card flat">
      <a class="act" href="/settings/storage"><span class="tile"><Icon path={disk} /></span><span class="grow">{t('sto.title')}<small class="num">{used === undefined ? '' : t('set.spaceOnly', { used: size(used) })}</small></span><Icon name="chevronRight" flip kind="go" /></a>
    </section>
  )
}
