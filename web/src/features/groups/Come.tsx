// The link of a group was opened: what it leads to, and coming in. Who is not signed in does that first; the link is kept meanwhile.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { GroupPreview } from '../../core/groups.ts'
import { forgetLink, keepLink, keptLink, whyNot } from '../../app/groups.ts'
import { chatPath, go } from '../../app/router.ts'
import { engine, nobody, ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Busy, Button, Field, IconButton, Pill } from '../../ui/controls.tsx'
import { Logo } from '../../ui/Logo.tsx'
import { useAsked, Waiting } from '../../app/asked.tsx'

/** The address or link of a group that the page was opened with; what follows # never left this browser. */
function linkHere(): string | undefined {
  try { return decodeURIComponent(location.hash.slice(1)) || keptLink() } catch { return undefined }
}

/** Come shows a group by its link. */
export function Come(): JSX.Element {
  const [link, setLink] = useState(linkHere)
  useEffect(() => {
    const changed = (): void => setLink(linkHere())
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return (
    <div class="scroll come-page">
      <div class="come">
        <div class="come-head">{ready.value && <IconButton icon="chevronLeft" flip label={t('back')} act={() => { forgetLink(); go('/', { replace: true }) }} />}</div>
        {!link ? <Nothing /> : ready.value ? <Group key={link} link={link} /> : nobody.value ? <First link={link} /> : <Busy />}
      </div>
    </div>
  )
}

function Nothing(): JSX.Element {
  return <><Logo /><h1 tabIndex={-1}>{t('gr.comeNone')}</h1><p class="lead">{t('wrong.malformed')}</p><Button kind="p" wide act={() => go('/', { replace: true })}>{t('gr.toChats')}</Button></>
}

/** Who has no account here, or did not sign in, does that first. */
function First({ link }: { link: string }): JSX.Element {
  useEffect(() => keepLink(link), [link])
  return (
    <>
      <Logo />
      <h1 tabIndex={-1}>{t('gr.comeTitle')}</h1>
      <p class="lead">{t('gr.comeFirst')}</p>
      <div class="stack">
        <Button kind="p" icon="user" wide act={() => go('/signin')}>{t('gr.comeSign')}</Button>
        <Button kind="s" icon="mailOpen" wide act={() => go('/welcome?step=invitation')}>{t('gr.comeInvite')}</Button>
        <Button kind="t" icon="qr" wide act={() => go('/link')}>{t('gr.comeLink')}</Button>
      </div>
    </>
  )
}

/** Who comes by a link of somebody has been asked; who comes by the address alone may say why. */
const withToken = (link: string): boolean => /[?;]token=/.test(link)

function Group({ link }: { link: string }): JSX.Element {
  const asked = useAsked(() => engine().group('preview', link), [link])
  const [reason, setReason] = useState('')
  const [state, setState] = useState<'asking' | 'busy' | 'waits'>('asking')
  const [failed, setFailed] = useState<string>()
  const group = asked.value
  useEffect(() => { if (group?.joined) { forgetLink(); go(chatPath(group.jid), { replace: true }) } }, [group])
  if (!group || group.joined) return <><h1 tabIndex={-1} class="vh">{t('gr.comeTitle')}</h1><Waiting asked={asked} /></>
  const join = async (event: Event): Promise<void> => {
    event.preventDefault()
    setState('busy')
    setFailed(undefined)
    try {
      const { jid, waits } = await engine().group('join', link, reason.trim() || undefined)
      forgetLink()
      if (waits) setState('waits')
      else go(chatPath(jid), { replace: true })
    } catch (error) { setFailed(whyNot(error)); setState('asking') }
  }
  return (
    <>
      <Face group={group} />
      {state === 'waits' ? <><p class="lead" role="status">{t('gr.comeWaits')}</p><Button kind="p" wide act={() => go('/', { replace: true })}>{t('gr.toChats')}</Button></> : (
        <form class="stack" onSubmit={(e) => void join(e)}>
          {!withToken(link) && <Field label={t('gr.comeReason')} hint={t('gr.comeReasonText')} value={reason} change={setReason} limit={500} />}
          {failed && <p class="wrong" role="alert">{failed}</p>}
          <Button kind="p" wide submit disabled={state === 'busy'}>{t(state === 'busy' ? 'busy' : 'gr.come')}</Button>
          <Button kind="t" wide act={() => { forgetLink(); go('/', { replace: true }) }}>{t('gr.comeNot')}</Button>
        </form>
      )}
    </>
  )
}

function Face({ group }: { group: GroupPreview }): JSX.Element {
  return (
    <div class="face">
      <Avatar id={group.jid} name={group.name} kind="group" size="l" />
      <h1 tabIndex={-1} dir="auto">{group.name}</h1>
      <p>{t('group.members', { n: group.members })}</p>
      <Pill kind={group.private ? 'ok' : 'wait'} icon={group.private ? 'lock' : 'lockOpen'}>{t(group.private ? 'gr.isPrivate' : 'gr.isOpen')}</Pill>
      {group.description && <p dir="auto">{group.description}</p>}
    </div>
  )
}
