// The bytes of media that are on the screen, as addresses that an element can show. They are given back when nobody looks any more.
import { useEffect, useState } from 'preact/hooks'
import type { Message, Transfer } from '../../core/model.ts'
import { engine } from '../../app/session.ts'

/** useBytes gives a URL for media that is on this device, once it is; `moment` changes when it may have come. */
export function useBytes(key: string, moment: unknown): string | undefined {
  const [url, setUrl] = useState<string | undefined>(undefined)
  useEffect(() => {
    let made: string | undefined
    let wanted = true
    void engine().bytes(key).then((blob) => {
      if (!wanted || !blob) return
      made = URL.createObjectURL(blob)
      setUrl(made)
    })
    return () => { wanted = false; if (made) URL.revokeObjectURL(made) }
  }, [key, moment])
  return url
}

/** useSeen calls once when an element comes near the window. */
export function useSeen(element: () => Element | null, seen: () => void, active: boolean): void {
  useEffect(() => {
    const target = element()
    if (!active || !target) return
    const watch = new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting)) { watch.disconnect(); seen() } }, { rootMargin: '200px' })
    watch.observe(target)
    return () => watch.disconnect()
  }, [active])
}

/** whenHere fetches the media of a message and fulfils when its bytes are on this device; false when that failed, was stopped, or the message went. */
export function whenHere(message: Message, key: string): Promise<boolean> {
  return new Promise((done) => {
    let begun = false
    const end = (here: boolean): void => { stop(); done(here) }
    const look = async (state: Transfer['state'] | undefined): Promise<void> => {
      const active = state === 'running' || state === 'waiting'
      if (await engine().bytes(key)) end(true)
      else if (begun && !active) end(false)
      begun ||= active
    }
    const stop = engine().watchMessages(message.chat, (changed, removed) => {
      const now = changed.find((m) => m.id === message.id)
      if (removed.includes(message.id)) end(false)
      else if (now && 'media' in now.content) void look(now.content.media.transfer?.state)
    })
    engine().fetch(message.id).then(() => look(undefined), () => end(false))
  })
}
