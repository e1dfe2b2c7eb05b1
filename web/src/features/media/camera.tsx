// Taking a photo inside the client.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import flip from 'icon:switch-camera'
import { t } from '../../i18n/t.ts'
import { IconButton } from '../../ui/controls.tsx'
import { useTrap } from '../../ui/focus.ts'
import { over } from '../../ui/overlay.tsx'
import './media.css'

/** shoot opens the camera and gives the photo as a JPEG; undefined when none was taken. */
export async function shoot(): Promise<Blob | undefined> {
  let photo: Blob | undefined
  await over((done) => <Camera close={done} took={(blob) => { photo = blob; done() }} />)
  return photo
}

function Camera({ close, took }: { close: () => void; took: (blob: Blob) => void }): JSX.Element {
  const root = useRef<HTMLDivElement>(null)
  const video = useRef<HTMLVideoElement>(null)
  const [facing, setFacing] = useState<'environment' | 'user'>('environment')
  const [state, setState] = useState<'asking' | 'on' | 'none'>('asking')
  useTrap(root)
  useEffect(() => {
    let stream: MediaStream | undefined
    let over = false
    const stop = (): void => { for (const track of stream?.getTracks() ?? []) track.stop() }
    void (async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 2560 }, height: { ideal: 1440 } } })
        if (over || !video.current) { stop(); return }
        video.current.srcObject = stream
        await video.current.play()
        setState('on')
      } catch { if (!over) setState('none') }
    })()
    return () => { over = true; stop() }
  }, [facing])
  const take = (): void => {
    const from = video.current
    if (!from?.videoWidth) return
    const canvas = document.createElement('canvas')
    canvas.width = from.videoWidth
    canvas.height = from.videoHeight
    canvas.getContext('2d')?.drawImage(from, 0, 0)
    canvas.toBlob((blob) => { if (blob) took(blob) }, 'image/jpeg', .92)
  }
  return (
    <div class="viewer shoot" role="dialog" aria-modal="true" aria-label={t('med.camera')} tabIndex={-1} ref={root} data-theme="dark" onKeyDown={(e) => { if (e.key === 'Escape') { e.stopPropagation(); close() } }}>
      <header><IconButton icon="x" label={t('close')} act={close} /></header>
      <div class="stage">{state === 'none' ? <p role="alert">{t('med.cameraNone')}</p> : <video ref={video} playsInline muted aria-label={t('med.camera')} />}</div>
      <footer>
        <span />
        <button type="button" class="trigger" aria-label={t('med.shoot')} disabled={state !== 'on'} onClick={take} />
        <span class="turn"><IconButton path={flip} label={t('med.turn')} act={() => setFacing(facing === 'user' ? 'environment' : 'user')} /></span>
      </footer>
    </div>
  )
}
