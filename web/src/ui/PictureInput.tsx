import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Avatar } from './Avatar.tsx'
import { Button } from './controls.tsx'

interface PictureProps {
  id: string
  name: string
  /** A picture that was chosen here; `shown` is the key of the one before. */
  picture: Blob | undefined
  shown?: string | undefined
  change: (picture: Blob | undefined) => void
  choose: string
  remove: string
}

const side = 512

/** square cuts the middle out of a picture and makes it 512 px; undefined when it is no picture. */
export async function square(file: Blob): Promise<Blob | undefined> {
  try {
    const bitmap = await createImageBitmap(file)
    const edge = Math.min(bitmap.width, bitmap.height)
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = Math.min(side, edge)
    canvas.getContext('2d')?.drawImage(bitmap, (bitmap.width - edge) / 2, (bitmap.height - edge) / 2, edge, edge, 0, 0, canvas.width, canvas.height)
    bitmap.close()
    return await new Promise((done) => canvas.toBlob((blob) => done(blob ?? undefined), 'image/jpeg', .85))
  } catch { return undefined }
}

/** PictureInput shows somebody's picture and lets another be chosen. */
export function PictureInput({ id, name, picture, shown, change, choose, remove }: PictureProps): JSX.Element {
  const file = useRef<HTMLInputElement>(null)
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    if (!picture) { setUrl(undefined); return }
    const made = URL.createObjectURL(picture)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [picture])
  return (
    <div class="picture-of">
      {url ? <span class="av l" aria-hidden="true"><img src={url} alt="" /></span> : <Avatar id={id} name={name} picture={shown} size="l" />}
      <input type="file" accept="image/*" class="vh" ref={file} tabIndex={-1} aria-hidden="true"
        onChange={(e) => { const picked = e.currentTarget.files?.[0]; if (picked) void square(picked).then((made) => { if (made) change(made) }) }} />
      <div class="dos">
        <Button kind="s" icon="camera" act={() => file.current?.click()}>{choose}</Button>
        {(picture || shown) && <Button kind="t" act={() => change(undefined)}>{remove}</Button>}
      </div>
    </div>
  )
}
