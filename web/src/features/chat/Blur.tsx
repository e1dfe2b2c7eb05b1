import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { blurred } from './thumbhash.ts'

/** Blur draws the few bytes that came with a message in the place of its picture; nothing when they make no sense. */
export function Blur({ hash }: { hash: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  useLayoutEffect(() => {
    const picture = blurred(hash)
    const element = canvas.current
    if (!picture || !element) return
    element.width = picture.width
    element.height = picture.height
    element.getContext('2d')?.putImageData(new ImageData(picture.pixels, picture.width, picture.height), 0, 0)
  }, [hash])
  return <canvas ref={canvas} aria-hidden="true" />
}
