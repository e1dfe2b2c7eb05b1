import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { t } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'

/** Look shows one picture or video as large as the screen. */
export function Look({ url, video, name, close }: { url: string; video: boolean; name: string; close: () => void }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useTrap(box)
  return (
    <div class="look" ref={box} role="dialog" aria-modal="true" aria-label={name} onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); close() } }} onClick={(e) => { if (e.target === e.currentTarget) close() }}>
      <IconButton icon="x" label={t('close')} act={close} />
      {video ? <video src={url} controls autoplay playsInline /> : <img src={url} alt={name} />}
    </div>
  )
}
