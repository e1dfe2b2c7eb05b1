// Links by which people come in: made with an end, shown once as a code, and taken back.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import copyPath from 'icon:copy'
import linkPath from 'icon:link'
import type { GroupLink } from '../../core/groups.ts'
import type { Chat } from '../../core/model.ts'
import { groupWeb, leads, tried, whyNot } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath } from '../../app/router.ts'
import { engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { fullTime } from '../../i18n/when.ts'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm } from '../../ui/overlay.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { Radios } from '../../ui/Radios.tsx'
import { copy, share } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import type { PageProps } from './index.tsx'
import { useAsked, Waiting } from '../../app/asked.tsx'

const day = 86_400
const spans = [1, 7, 30, 365]
const times = [1, 10, 100, 10_000]

/** Links makes and lists links of a group. */
export function Links({ chat, group }: PageProps): JSX.Element {
  const [made, setMade] = useState<GroupLink>()
  const asked = useAsked(() => engine().group('links', chat.jid), [chat.jid, group.version])
  const all = (asked.value ?? []).filter((l) => l.id !== made?.id)
  return (
    <div class="scroll">
      <PageHead title={t('gr.links')} up={`${chatPath(chat.jid)}/about`} always />
      <div class="page">
        {made ? <Fresh link={made} chat={chat} another={() => { setMade(undefined); asked.again() }} /> : <Make chat={chat} done={setMade} />}
        <h2 class="part">{t('gr.linksNow')}</h2>
        {!asked.value && <Waiting asked={asked} />}
        {asked.value && !all.length && <p class="small">{t('gr.linksNone')}</p>}
        {all.length > 0 && <ul class="card flat">{all.map((l) => <li key={l.id}><Line link={l} mine={!leads(group)} revoke={() => void revoke(chat.jid, l.id, asked.again)} /></li>)}</ul>}
      </div>
    </div>
  )
}

function Make({ chat, done }: { chat: Chat; done: (link: GroupLink) => void }): JSX.Element {
  const [days, setDays] = useState(7)
  const [uses, setUses] = useState(10_000)
  const [busy, setBusy] = useState(false)
  const make = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try { done(await engine().group('makeLink', chat.jid, { seconds: days * day, uses })) } catch (error) { toast(whyNot(error)) } finally { setBusy(false) }
  }
  return (
    <form class="card" onSubmit={(e) => void make(e)}>
      <p class="small">{t('gr.linksText')}</p>
      <Radios label={t('gr.linkFor')} bar value={String(days)} change={(v) => setDays(Number(v))} answers={spans.map((n) => ({ value: String(n), label: n === 365 ? t('gr.year') : t('gr.days', { n }) }))} />
      <Radios label={t('gr.linkUses')} bar value={String(uses)} change={(v) => setUses(Number(v))} answers={times.map((n) => ({ value: String(n), label: n === 10_000 ? t('gr.usesAny') : t('gr.uses', { n }) }))} />
      <Button kind="p" wide submit disabled={busy}>{t('gr.linkMake')}</Button>
    </form>
  )
}

function Fresh({ link, chat, another }: { link: GroupLink; chat: Chat; another: () => void }): JSX.Element {
  const address = link.web ?? groupWeb(link.uri ?? '')
  const hand = async (): Promise<void> => { if (await share({ title: chat.name, text: t('gr.linkSay', { name: chat.name }), url: address }) === 'copied') toast(t('gr.copied')) }
  return (
    <section class="card code">
      <Qr text={address} label={t('gr.linkCode', { name: chat.name })} />
      <output class="secret address">{address}</output>
      <p class="small">{t('gr.linkOnce')} {t('gr.linkUntil', { time: fullTime(link.expires) })}</p>
      <div class="dos mid">
        <Button kind="g" act={() => void copy(address).then((done) => { if (done) toast(t('gr.copied')) })}><Icon path={copyPath} />{t('gr.copy')}</Button>
        <Button kind="p" icon="forward" act={() => void hand()}>{t('gr.share')}</Button>
      </div>
      <Button kind="t" act={another}>{t('gr.linkAnother')}</Button>
    </section>
  )
}

function Line({ link: l, mine, revoke }: { link: GroupLink; mine: boolean; revoke: () => void }): JSX.Element {
  const by = l.by && !mine ? t('gr.linkBy', { name: l.by === engine().account().jid ? engine().account().name : nameOf(l.by) }) : t('gr.link')
  return (
    <div class="act">
      <span class="tile"><Icon path={linkPath} /></span>
      <span class="grow"><span dir="auto">{by}</span><small>{t('gr.usesLeft', { n: l.uses })} · {t('gr.linkUntil', { time: fullTime(l.expires) })}</small></span>
      <Button kind="d" act={revoke}>{t('gr.revoke')}</Button>
    </div>
  )
}

async function revoke(jid: string, id: string, then: () => void): Promise<void> {
  if (!await confirm({ title: t('gr.revokeTitle'), text: t('gr.revokeText'), yes: t('gr.revoke'), danger: true })) return
  if (await tried(engine().group('revokeLink', jid, id), t('gr.revoked'))) then()
}
