import type { JSX } from 'preact'
import { t } from '../../i18n/t.ts'
import { Switch } from '../../ui/controls.tsx'
import { prefs } from '../../ui/prefs.ts'
import { Radios } from '../../ui/Radios.tsx'

const smallest = .85, largest = 1.6, step = .05

/** Looks is how chats look and how the keys behave, on this device. */
export function Looks(): JSX.Element {
  return (
    <>
      <section class="card">
        <Radios bar label={t('set.theme')} value={prefs.theme.value} change={(value) => { prefs.theme.value = value }}
          answers={[{ value: 'auto', label: t('set.themeAuto') }, { value: 'light', label: t('set.themeLight') }, { value: 'dark', label: t('set.themeDark') }]} />
      </section>
      <section class="card">
        <div class="range">
          <label for="text-size">{t('set.textSize')} · <output class="num">{Math.round(prefs.textSize.value * 100)} %</output></label>
          <input id="text-size" type="range" min={smallest} max={largest} step={step} value={prefs.textSize.value} aria-valuetext={`${Math.round(prefs.textSize.value * 100)} %`} onInput={(e) => { prefs.textSize.value = Number(e.currentTarget.value) }} />
        </div>
        <p class="sample">{t('set.sizePreview')}</p>
      </section>
      <section class="card flat">
        <Switch label={t('set.contrast')} on={prefs.contrast.value === 'high'} change={(on) => { prefs.contrast.value = on ? 'high' : 'auto' }} />
        <Switch label={t('set.motion')} hint={t('set.motionHint')} on={prefs.motion.value === 'off'} change={(on) => { prefs.motion.value = on ? 'off' : 'auto' }} />
        <Switch label={t('set.wallpaper')} on={prefs.wallpaper.value} change={(on) => { prefs.wallpaper.value = on }} />
        <Switch label={t('set.enter')} hint={t('set.enterHint')} on={prefs.enterSends.value} change={(on) => { prefs.enterSends.value = on }} />
      </section>
    </>
  )
}
