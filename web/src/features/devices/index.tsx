// Where this account is signed in, and what can read its messages.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import laptop from 'icon:monitor-smartphone'
import type { Device, SignedIn } from '../../core/model.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { go } from '../../app/router.ts'
import { engine } from '../../app/session.ts'
import { Feature } from '../../app/View.tsx'
import { t, type Key } from '../../i18n/t.ts'
import { ago, shortTime } from '../../i18n/when.ts'
import { Busy, Button } from '../../ui/controls.tsx'
import { DeviceRow } from '../../ui/DeviceRow.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, openMenu, type Item } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import '../../ui/css/pages.css'

/** Devices is the page of this account's devices. */
export default function Devices(): JSX.Element {
  return (
    <div class="scroll">
      <PageHead title={t('dev.title')} up="/settings" />
      <div class="page">
        <Feature feature="newdevice" params={{}} path="" />
        <Button kind="p" icon="qr" wide act={() => go('/devices/link')}>{t('dev.link')}</Button>
        <SignedInList />
        <Keys />
      </div>
    </div>
  )
}

function SignedInList(): JSX.Element {
  const [list, setList] = useState<SignedIn[] | 'none'>()
  const load = (): void => { engine().sessions().then(setList, () => setList('none')) }
  useEffect(load, [])
  const revoke = async (session: SignedIn): Promise<void> => {
    const name = session.app || t('dev.unnamed')
    if (!await confirm({ title: t('dev.outTitle', { name }), text: t('dev.outText'), yes: t('dev.out'), danger: true })) return
    try { await engine().revoke(session.id); toast(t('dev.outDone')) } catch { toast(t('dev.failed')) }
    load()
  }
  return (
    <section class="card flat">
      <h2 class="label2">{t('dev.signedIn')}</h2>
      <p class="small">{t('dev.signedInText')}</p>
      {!list && <Busy />}
      {list === 'none' && <p class="small">{t('dev.none')}</p>}
      {Array.isArray(list) && <ul class="acts">{list.map((s) => <Session key={s.id} session={s} revoke={() => void revoke(s)} />)}</ul>}
    </section>
  )
}

function Session({ session: s, revoke }: { session: SignedIn; revoke: () => void }): JSX.Element {
  const name = s.app || t('dev.unnamed')
  const used = s.online ? t('dev.now') : s.lastUsed !== undefined ? t('dev.last', { time: ago(s.lastUsed) }) : t('dev.since', { time: shortTime(s.since) })
  return (
    <li class="act">
      <span class="tile"><Icon path={laptop} /></span>
      <span class="grow"><b dir="auto">{name}{s.platform && ` · ${s.platform}`}</b><small>{s.here ? t('dev.here') : used}{s.password && ` · ${t('dev.passwordOnly')}`}</small></span>
      {!s.here && <button type="button" class="btn d" onClick={revoke}>{t('dev.out')}<span class="vh"> {name}</span></button>}
    </li>
  )
}

function Keys(): JSX.Element {
  const { jid } = engine().account()
  const [list, setList] = useState<Device[]>()
  const load = (): void => { engine().devices(jid).then(setList, () => setList([])) }
  useEffect(load, [jid])
  const decide = (device: Device, trust: Device['trust']): void => { engine().trust(device, trust).then(load, () => toast(t('dev.failed'))) }
  return (
    <section class="card flat">
      <h2 class="label2">{t('dev.keys')}</h2>
      <p class="small">{t('dev.keysText')}</p>
      {!list && <Busy />}
      <ul class="acts">{list?.map((d, i) => {
        const name = i === 0 ? t('dev.mine') : d.label ?? t('dev.device', { id: String(d.id) })
        const facts = [!d.active && t('dev.inactive'), d.lastUsed !== undefined && t('dev.last', { time: ago(d.lastUsed) })].filter(Boolean).join(' · ')
        const options = { label: t('dev.options', { name }), act: (e: MouseEvent): void => void openMenu(e.currentTarget as HTMLElement, name, items(d, decide)) }
        return <DeviceRow key={d.id} device={d} name={name} facts={facts} trust={t(`dev.${d.trust}` as Key)} fingerprint={t('dev.fingerprint')} unknownKey={t('dev.unknownKey')} {...(i === 0 || !d.fingerprint ? {} : { options })} />
      })}</ul>
    </section>
  )
}

function items(device: Device, decide: (device: Device, trust: Device['trust']) => void): Item[] {
  const all: Item[] = [
    { label: t('dev.verify'), icon: 'shield', act: () => decide(device, 'verified') },
    { label: t('dev.trust'), icon: 'check', act: () => decide(device, 'trusted') },
    { label: t('dev.distrust'), icon: 'shieldAlert', danger: true, act: () => decide(device, 'distrusted') },
  ]
  const at = { verified: 0, trusted: 1, distrusted: 2, undecided: -1 }[device.trust]
  return all.filter((_, i) => i !== at)
}
