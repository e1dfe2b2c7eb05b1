// What takes space on this device: by kind, the largest files, by chat; and what can be given back, with what stays said plainly.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { FileKind, LargeFile, Space, Storage } from '../../core/model.ts'
import { keep } from '../../app/enter.ts'
import { chatPath } from '../../app/router.ts'
import { chatOf, engine, nameOf } from '../../app/session.ts'
import { t, type Key } from '../../i18n/t.ts'
import { shortTime, size } from '../../i18n/when.ts'
import { Busy, Button, IconButton } from '../../ui/controls.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { toast } from '../../ui/toast.tsx'

const kinds: Record<FileKind, { name: Key; icon: IconName; colour: number }> = {
  image: { name: 'set.kindPhotos', icon: 'image', colour: 3 }, video: { name: 'set.kindVideos', icon: 'video', colour: 5 }, voice: { name: 'set.kindVoice', icon: 'mic', colour: 2 },
  file: { name: 'set.kindFiles', icon: 'fileText', colour: 1 }, sticker: { name: 'sto.stickers', icon: 'sticker', colour: 4 }, other: { name: 'sto.other', icon: 'contact', colour: 7 },
}
const shown = 5

/** Kept is the page of what takes space. */
export function Kept(): JSX.Element {
  const [kept, setKept] = useState<Storage>()
  const load = (): void => { engine().storage().then(setKept, () => toast(t('set.failed'))) }
  useEffect(load, [])
  if (!kept) return <Busy />
  const drop = async (what: Space, bytes: number, text: string): Promise<void> => {
    if (!await confirm({ title: t('set.freeTitle', { size: size(bytes) }), text, yes: t('set.freeYes'), danger: true })) return
    engine().freeSpace(what).then((freed) => { toast(t('sto.freed', { size: size(freed) })); load() }, () => toast(t('set.failed')))
  }
  return (
    <>
      <All kept={kept} />
      <Kinds kept={kept} drop={(kind, bytes) => void drop({ kind }, bytes, t('sto.freeKind', { kind: t(kinds[kind].name) }))} />
      <Largest files={kept.largest} drop={(file) => void drop({ keys: [file.key] }, file.bytes, t('sto.freeFile', { name: nameFor(file) }))} />
      <Chats kept={kept} drop={(jid, bytes) => void drop({ chat: jid }, bytes, t('set.freeText', { name: nameOf(jid) }))} />
    </>
  )
}

type Drop<T extends unknown[]> = (...what: T) => void

function All({ kept }: { kept: Storage }): JSX.Element {
  const [safe, setSafe] = useState<boolean>()
  const used = size(kept.used)
  const persistent = safe ?? kept.persistent
  const ask = async (): Promise<void> => { const done = await keep(); setSafe(done); if (!done) toast(t('set.keptRefused')) }
  return (
    <section class="card flat">
      <h2 class="label2">{t('set.space')}</h2>
      <div class="range">
        <span class="num">{kept.quota ? t('set.spaceUsed', { used, quota: size(kept.quota) }) : t('set.spaceOnly', { used })}</span>
        {kept.quota > 0 && <meter class="meter" aria-label={t('set.space')} min={0} max={kept.quota} value={kept.used} />}
        <p class="small">{t(persistent ? 'set.keptSafe' : 'set.keptNot')}</p>
        <p class="small">{t('sto.messages', { n: kept.messages })}</p>
        {!persistent && <div class="dos"><Button kind="s" act={() => void ask()}>{t('set.keepSafe')}</Button></div>}
      </div>
    </section>
  )
}

function Kinds({ kept, drop }: { kept: Storage; drop: Drop<[FileKind, number]> }): JSX.Element {
  const all = kept.kinds.reduce((sum, k) => sum + k.bytes, 0)
  return (
    <section class="card flat">
      <h2 class="label2">{t('sto.kinds')}</h2>
      {all === 0 && <p class="small">{t('set.nothingKept')}</p>}
      {all > 0 && <svg class="shares" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">{shares(kept.kinds, all).map(({ kind, from, wide }) => <rect key={kind} class={`c${kinds[kind].colour}`} x={from} y={0} width={wide} height={4} />)}</svg>}
      <ul>{kept.kinds.map(({ kind, files, bytes, stays }) => (
        <li key={kind} class="act">
          <span class={`tile c${kinds[kind].colour}`}><Icon name={kinds[kind].icon} /></span>
          <span class="grow">{t(kinds[kind].name)}<small>{t('set.perChatLine', { size: size(bytes), media: t('set.mediaCount', { n: files }) })}{stays > 0 && kind !== 'sticker' && ` · ${t('sto.notSent', { size: size(stays) })}`}</small></span>
          {bytes > stays && <span class="ends"><IconButton icon="trash" label={t('sto.drop', { name: t(kinds[kind].name) })} act={() => drop(kind, bytes - stays)} /></span>}
        </li>
      ))}</ul>
    </section>
  )
}

function shares(all: Storage['kinds'], total: number): { kind: FileKind; from: number; wide: number }[] {
  let from = 0
  return all.map(({ kind, bytes }) => {
    const wide = 100 * bytes / total
    from += wide
    return { kind, from: from - wide, wide }
  })
}

const nameFor = (file: LargeFile): string => file.name ?? t(kinds[file.kind].name)

function Largest({ files, drop }: { files: LargeFile[]; drop: Drop<[LargeFile]> }): JSX.Element | null {
  const [all, setAll] = useState(false)
  if (!files.length) return null
  return (
    <section class="card flat">
      <h2 class="label2">{t('sto.largest')}</h2>
      <ul>{files.slice(0, all ? files.length : shown).map((file) => <li key={file.key} class="act"><File file={file} drop={() => drop(file)} /></li>)}</ul>
      {!all && files.length > shown && <div class="dos mid"><Button kind="t" act={() => setAll(true)}>{t('sto.more')}</Button></div>}
    </section>
  )
}

function File({ file, drop }: { file: LargeFile; drop: () => void }): JSX.Element {
  const facts = [size(file.bytes), file.chat && nameOf(file.chat), file.time && shortTime(file.time), file.only && t('sto.waits')].filter(Boolean).join(' · ')
  const inside = <><span class="cut one" dir="auto">{nameFor(file)}</span><small>{facts}</small></>
  return (
    <>
      <span class={`tile c${kinds[file.kind].colour}`}><Icon name={kinds[file.kind].icon} /></span>
      {file.chat && file.message ? <a class="grow" href={chatPath(file.chat, file.message)}>{inside}</a> : <span class="grow">{inside}</span>}
      {!file.only && <span class="ends"><IconButton icon="trash" label={t('sto.drop', { name: nameFor(file) })} act={drop} /></span>}
    </>
  )
}

function Chats({ kept, drop }: { kept: Storage; drop: Drop<[string, number]> }): JSX.Element {
  return (
    <section class="card flat">
      <h2 class="label2">{t('set.perChat')}</h2>
      {kept.chats.length === 0 && <p class="small">{t('set.nothingKept')}</p>}
      <ul>{kept.chats.map((c) => (
        <li key={c.jid}>
          <Peer id={c.jid} name={nameOf(c.jid)} kind={chatOf(c.jid)?.kind} picture={chatOf(c.jid)?.avatar} under={t('set.perChatLine', { size: size(c.bytes), media: t('set.mediaCount', { n: c.media }) })}>
            {c.media > 0 && <IconButton icon="trash" label={t('set.freeName', { name: nameOf(c.jid) })} act={() => drop(c.jid, c.bytes)} />}
          </Peer>
        </li>
      ))}</ul>
    </section>
  )
}
