import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { AutoLoad, Choices, Storage } from '../../core/model.ts'
import { keep } from '../../app/enter.ts'
import { chatOf, engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { size } from '../../i18n/when.ts'
import { Busy, Button, IconButton } from '../../ui/controls.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { Peer } from '../../ui/Peer.tsx'
import { prefs } from '../../ui/prefs.ts'
import { Radios } from '../../ui/Radios.tsx'
import { toast } from '../../ui/toast.tsx'
import { useChoices } from './choices.ts'

/** Data is what loads by itself, and what is kept here. */
export function Data(): JSX.Element {
  const [choices, change] = useChoices()
  return (
    <>
      <section class="card">
        <Radios bar label={t('set.lowData')} value={prefs.lowData.value} change={(value) => { prefs.lowData.value = value }}
          answers={[{ value: 'auto', label: t('set.lowAuto') }, { value: 'on', label: t('set.on') }, { value: 'off', label: t('set.off') }]} />
        <p class="small">{t('set.lowDataHint')}</p>
      </section>
      {choices && (
        <section class="card flat">
          <h2 class="label2">{t('set.auto')}</h2>
          <Kinds label={t('set.autoWifi')} now={choices.autoLoad.wifi} change={(wifi) => change({ autoLoad: { ...choices.autoLoad, wifi } })} />
          <Kinds label={t('set.autoMobile')} now={choices.autoLoad.mobile} change={(mobile) => change({ autoLoad: { ...choices.autoLoad, mobile } })} />
        </section>
      )}
      <Space />
    </>
  )
}

const kinds = [['image', 'set.kindPhotos'], ['voice', 'set.kindVoice'], ['video', 'set.kindVideos'], ['file', 'set.kindFiles']] as const

function Kinds({ label, now, change }: { label: string; now: AutoLoad; change: (fresh: Choices['autoLoad']['wifi']) => void }): JSX.Element {
  return (
    <fieldset class="checks">
      <legend>{label}</legend>
      {kinds.map(([kind, text]) => {
        const on = now.includes(kind)
        return <button type="button" class="chip" key={kind} aria-pressed={on} onClick={() => change(on ? now.filter((k) => k !== kind) : [...now, kind])}>{t(text)}</button>
      })}
    </fieldset>
  )
}

function Space(): JSX.Element {
  const [kept, setKept] = useState<Storage>()
  const [safe, setSafe] = useState<boolean>()
  const load = (): void => { engine().storage().then(setKept, () => undefined) }
  useEffect(load, [])
  if (!kept) return <Busy />
  const used = size(kept.used)
  const persistent = safe ?? kept.persistent
  const ask = async (): Promise<void> => { const kept = await keep(); setSafe(kept); if (!kept) toast(t('set.keptRefused')) }
  return (
    <section class="card flat">
      <h2 class="label2">{t('set.space')}</h2>
      <div class="range">
        <span class="num">{kept.quota ? t('set.spaceUsed', { used, quota: size(kept.quota) }) : t('set.spaceOnly', { used })}</span>
        {kept.quota > 0 && <meter class="meter" aria-label={t('set.space')} min={0} max={kept.quota} value={kept.used} />}
        <p class="small">{t(persistent ? 'set.keptSafe' : 'set.keptNot')}</p>
        {!persistent && <div class="dos"><Button kind="s" act={() => void ask()}>{t('set.keepSafe')}</Button></div>}
      </div>
      <h3 class="label2">{t('set.perChat')}</h3>
      {kept.chats.length === 0 && <p class="small">{t('set.nothingKept')}</p>}
      <ul>{kept.chats.map((c) => <li key={c.jid}><OfChat chat={c} done={load} /></li>)}</ul>
    </section>
  )
}

function OfChat({ chat, done }: { chat: Storage['chats'][number]; done: () => void }): JSX.Element {
  const name = nameOf(chat.jid)
  const drop = async (): Promise<void> => {
    if (!await confirm({ title: t('set.freeTitle', { size: size(chat.bytes) }), text: t('set.freeText', { name }), yes: t('set.freeYes'), danger: true })) return
    engine().dropMedia(chat.jid).then(done, () => toast(t('set.failed')))
  }
  return (
    <Peer id={chat.jid} name={name} kind={chatOf(chat.jid)?.kind} picture={chatOf(chat.jid)?.avatar} under={t('set.perChatLine', { size: size(chat.bytes), media: t('set.mediaCount', { n: chat.media }) })}>
      {chat.media > 0 && <IconButton icon="trash" label={t('set.freeName', { name })} act={() => void drop()} />}
    </Peer>
  )
}
