import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../i18n/t.ts'

/** Qr shows a QR code; `label` says what scanning it does. What cannot be drawn, for lack of network or because it is longer than 2 KB, says so. */
export function Qr({ text, label }: { text: string; label: string }): JSX.Element {
  const [drawn, setDrawn] = useState<{ path: string; size: number } | 'failed'>()
  useEffect(() => {
    let wanted = true
    setDrawn(undefined)
    import('./qrcode.ts').then(({ draw }) => { if (wanted) setDrawn(draw(text)) }).catch(() => { if (wanted) setDrawn('failed') })
    return () => { wanted = false }
  }, [text])
  if (drawn === 'failed') return <p class="small">{t('part.failed')}</p>
  return <div class="qr">{drawn && <svg viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={label}><path d={drawn.path} fill="#000" /></svg>}</div>
}
