// Adding to the home screen: offered by the browser, or told for the iPhone, where nothing else keeps messages for longer than a week.
import type { JSX } from 'preact'
import share from 'icon:share'
import { installable, install, iosWeb } from '../../app/install.ts'
import { go } from '../../app/router.ts'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { Gate } from './Gate.tsx'
import { ending } from './steps.ts'

/** Install is the last step; it is passed over where nothing can be installed. */
export function Install({ to }: { to: string | null }): JSX.Element {
  const end = (): void => go(ending(to), { replace: true })
  const ios = iosWeb()
  return (
    <Gate title={t('ob.installTitle')} text={t('ob.installText')} logo>
      {ios && <p class="card"><span><Icon path={share} /> {t('ob.installIos')}</span></p>}
      {installable.value && <Button kind="p" wide icon="plus" act={() => void install().then(end)}>{t('ob.install')}</Button>}
      <Button kind={installable.value ? 't' : 'p'} wide act={end}>{t('ob.finish')}</Button>
    </Gate>
  )
}
