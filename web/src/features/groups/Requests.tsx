import type { JSX } from 'preact'
import type { JoinRequest } from '../../core/groups.ts'
import { tried } from '../../app/groups.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { chatPath } from '../../app/router.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { ago } from '../../i18n/when.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Empty } from '../../ui/controls.tsx'
import { Peer } from '../../ui/Peer.tsx'
import type { PageProps } from './index.tsx'
import { useAsked, Waiting } from '../../app/asked.tsx'

/** Requests lists who waits to be let in. */
export function Requests({ chat: { jid }, group }: PageProps): JSX.Element {
  const asked = useAsked(() => engine().group('requests', jid), [jid, group.version])
  const decide = async (person: string, letIn: boolean): Promise<void> => { if (await tried(engine().group('decide', jid, person, letIn), t(letIn ? 'gr.letIn' : 'gr.turnedAway'))) asked.again() }
  return (
    <div class="scroll">
      <PageHead title={t('gr.requests')} up={`${chatPath(jid)}/about`} always />
      <div class="page">
        {!asked.value ? <Waiting asked={asked} /> : !asked.value.length ? <Empty title={t('gr.requestsNone')} text={t(group.settings.approval ? 'gr.requestsText' : 'gr.requestsOff')} />
          : <ul class="card flat">{asked.value.map((r) => <li key={r.jid}><Line request={r} decide={(letIn) => void decide(r.jid, letIn)} /></li>)}</ul>}
        <Invited jid={jid} version={group.version} />
      </div>
    </div>
  )
}

/** Who was invited and has not come in yet. */
function Invited({ jid, version }: { jid: string; version: number }): JSX.Element | null {
  const asked = useAsked(() => engine().group('invitations', jid), [jid, version])
  if (!asked.value?.length) return null
  const takeBack = async (person: string): Promise<void> => { if (await tried(engine().group('remove', jid, person), t('gr.tookBack'))) asked.again() }
  return (
    <>
      <h2 class="part">{t('gr.invited')}</h2>
      <ul class="card flat">{asked.value.map((one) => (
        <li key={one.jid}><Peer id={one.jid} name={nameOf(one.jid)} picture={contactOf(one.jid)?.avatar} under={ago(one.time)}><button type="button" class="btn s" onClick={() => void takeBack(one.jid)}>{t('gr.takeBack')}<span class="vh"> {nameOf(one.jid)}</span></button></Peer></li>
      ))}</ul>
    </>
  )
}

function Line({ request: r, decide }: { request: JoinRequest; decide: (letIn: boolean) => void }): JSX.Element {
  const name = contactOf(r.jid)?.name ?? r.nick
  return (
    <div class="act peer">
      <Avatar id={r.jid} name={name} picture={contactOf(r.jid)?.avatar} size="s" />
      <span class="grow"><b class="cut one" dir="auto">{name}</b><small class="cut one" dir="ltr">{r.jid}</small>{r.reason && <small dir="auto">{r.reason}</small>}<small>{ago(r.time)}</small></span>
      <span class="ends">
        <button type="button" class="btn p" onClick={() => decide(true)}>{t('gr.let')}<span class="vh"> {name}</span></button>
        <button type="button" class="btn t" onClick={() => decide(false)}>{t('gr.refuse')}<span class="vh"> {name}</span></button>
      </span>
    </div>
  )
}
