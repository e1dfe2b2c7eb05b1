// How large what is made of a moving picture is, how long its pictures stay, and that it is told on the wire.
import { expect, test } from 'vitest'
import { readContent, writeContent } from '../../../src/core/engine/content.ts'
import { lasts, prepareLoop, sizeOf } from '../../../src/core/media/gif.ts'
import { CLIENT } from '../../../src/core/xmpp/ns.ts'
import { el } from '../../../src/core/xmpp/xml.ts'

test.each([[320, 240, 320, 240], [1280, 720, 640, 360], [101, 51, 102, 52], [1, 5000, 2, 640], [1, 1, 2, 2]])('%i × %i becomes %i × %i', (w, h, width, height) => {
  expect(sizeOf(w, h)).toEqual({ width, height })
})

test('what says no time, or too short a one, is shown as browsers do', () => {
  expect([undefined, null, 0, 10_000, 20_000, 50_000, 2_000_000].map(lasts)).toEqual([.1, .1, .1, .1, .02, .05, 2])
})

test('where there is nothing to make it with, it stays as it is', async () => {
  expect(await prepareLoop(new Blob(['GIF89a'], { type: 'image/gif' }), () => undefined)).toBeUndefined()
})

test('it is told on the wire, of videos alone', () => {
  const media = { key: 'k', name: 'a.mp4', mime: 'video/mp4', size: 9, url: 'https://example.org/a.mp4', loop: true }
  const back = (mime: string) => { const { body, elements } = writeContent({ type: 'video', media: { ...media, mime } }); return readContent(body, el(CLIENT, 'message', {}, ...elements)) }
  expect(back('video/mp4')).toMatchObject({ type: 'video', media: { loop: true } })
  expect(back('image/jpeg')).not.toMatchObject({ media: { loop: true } })
})
