// A link that is told once: to be copied, shared or scanned.
import type { JSX } from 'preact'
import { t } from '../../i18n/t.ts'
import { Button } from '../../ui/controls.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { copy, share } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'

/** LinkBox shows a link that the server will not tell again. */
export function LinkBox({ link, text }: { link: string; text: string }): JSX.Element {
  const copied = async (): Promise<void> => { toast(t(await copy(link) ? 'adm.copied' : 'adm.failed')) }
  return (
    <div class="linkbox" role="status">
      <p>{text}</p>
      <Qr text={link} label={t('adm.qr')} />
      <code class="print">{link}</code>
      <div class="dos">
        <Button kind="p" act={() => void copied()}>{t('adm.copy')}</Button>
        <Button kind="s" icon="send" act={() => void share({ url: link })}>{t('adm.share')}</Button>
      </div>
    </div>
  )
}
