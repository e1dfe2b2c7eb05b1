// What a channel is, how one follows it, and the ways to its pages.
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import globe from 'icon:globe'
import rss from 'icon:rss'
import calendar from 'icon:calendar-clock'
import type { Channel } from '../../core/channels.ts'
import { PageHead } from '../../app/PageHead.tsx'
import { go } from '../../app/router.ts'
import { engine, nameOf, ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Empty, Switch } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, over, Sheet } from '../../ui/overlay.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { share } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'
import { Segments } from './Compose.tsx'
import { ask, desk, pathOf, tried, useChannel, webOf } from './desk.tsx'
import { Mark, Picture, showMark } from './Face.tsx'

/** About is the page about a channel. */
export function About({ name }: { name: string }): JSX.Element {
  if (!ready.value) return <div class="blank" />
  return <Facts name={name} />
}

function Facts({ name }: { name: string }): JSX.Element {
  const channel = useChannel(name)
  useEffect(() => { void ask('open', name).catch(() => undefined) }, [name]) // what is kept is shown all the same
  if (!channel) return <div class="scroll"><PageHead title={t('ch.about')} up={pathOf(name)} always />{channel === null && <Empty title={t('ch.missing')} text={t('ch.missingText')} />}</div>
  return (
    <div class="scroll">
      <PageHead title={t('ch.about')} up={pathOf(name)} always />
      <div class="page">
        <Who channel={channel} />
        {channel.following && <Hearing channel={channel} />}
        <Ways channel={channel} />
        <Manage channel={channel} />
      </div>
    </div>
  )
}

function Who({ channel }: { channel: Channel }): JSX.Element {
  const { name, title, picture, followers, mark, description, following, ended } = channel
  const unfollow = async (): Promise<void> => {
    if (!await confirm({ title: t('ch.unfollowTitle', { name: title }), text: t('ch.unfollowText'), yes: t('ch.unfollow'), danger: true })) return
    if (await tried(ask('unfollow', name))) go('/updates', { replace: true })
  }
  return (
    <section class="face">
      <Picture name={name} title={title} picture={picture} size="l" />
      <h2 dir="auto">{title}</h2>
      <p class="num">{t('ch.followers', { n: followers })}</p>
      {mark && <button type="button" class="ch-vouched" onClick={() => void showMark(channel)}><Mark words /><span dir="auto">{mark}</span></button>}
      {description && <p class="ch-about" dir="auto">{description}</p>}
      <div class="dos">
        {following || ended ? <Button kind="s" act={() => void unfollow()}>{t('ch.unfollow')}</Button> : <Button kind="p" act={() => void tried(ask('follow', name), t('ch.following'))}>{t('ch.follow')}</Button>}
        <Button kind="s" icon="forward" act={() => void hand(channel)}>{t('ch.share')}</Button>
        <Button kind="s" icon="qr" act={() => void code(channel)}>{t('ch.code')}</Button>
      </div>
      <p class="small">{t('ch.hidden')}</p>
    </section>
  )
}

async function hand({ name, title, private: closed }: Channel): Promise<void> {
  const url = closed ? location.origin + pathOf(name) : webOf(name)
  if (await share({ title, text: t('ch.shareText', { name: title }), url }) === 'copied') toast(t('ch.copied'))
}

function code({ name, title, private: closed }: Channel): Promise<void> {
  const url = closed ? location.origin + pathOf(name) : webOf(name)
  return over((close) => (
    <Sheet title={t('ch.code')} close={close}>
      <div class="qr-of"><Qr text={url} label={t('ch.shareText', { name: title })} /><p class="secret address" dir="ltr">{url}</p></div>
      <div class="do"><Button kind="p" act={close}>{t('close')}</Button></div>
    </Sheet>
  ))
}

function Hearing({ channel }: { channel: Channel }): JSX.Element {
  const { name, segments, chosen, muted } = channel
  const mute = (on: boolean): void => { void desk().then((d) => engine().setChat(d.address(name), { muted: on ? Infinity : undefined })) }
  return (
    <section class="card flat">
      <Switch label={t('ch.mute')} hint={t('ch.muteText')} on={!!muted} change={mute} />
      {segments.length > 0 && <><Segments channel={channel} chosen={chosen} label={t('ch.choose')} change={(next) => void tried(ask('follow', name, next), t('ch.saved'))} /><p class="small">{t('ch.chooseText')}</p></>}
    </section>
  )
}

function Ways({ channel }: { channel: Channel }): JSX.Element {
  const { name, private: closed, owners, publishers, ended } = channel
  return (
    <section class="card flat">
      {(owners.length > 0 || publishers.length > 0) && <p class="small">{t('ch.owners')} <bdi>{[...new Set([...owners, ...publishers])].slice(0, 10).map(nameOf).join(', ')}</bdi></p>}
      {!closed && !ended && (
        <>
          <a class="act" href={webOf(name)} target="_blank" rel="noopener"><span class="tile"><Icon path={globe} /></span><span class="grow">{t('ch.web')}<small class="cut one" dir="ltr">{webOf(name)}</small></span></a>
          <a class="act" href={`${webOf(name)}.atom`} target="_blank" rel="noopener"><span class="tile"><Icon path={rss} /></span><span class="grow">{t('ch.feed')}</span></a>
        </>
      )}
    </section>
  )
}

function Manage({ channel }: { channel: Channel }): JSX.Element | null {
  const { name, title, standing, ended, private: closed } = channel
  if (ended || (standing !== 'owner' && standing !== 'publisher')) return null
  const remove = async (): Promise<void> => {
    if (!await confirm({ title: t('ch.deleteTitle', { name: title }), text: t('ch.deleteText'), yes: t('ch.delete'), danger: true })) return
    if (await tried(ask('remove', name), t('ch.deleted'))) go('/updates', { replace: true })
  }
  return (
    <section class="card flat">
      <a class="act" href={pathOf(name, 'scheduled')}><span class="tile"><Icon path={calendar} /></span><span class="grow">{t('ch.scheduled')}</span><Icon name="chevronRight" flip kind="go" /></a>
      {standing === 'owner' && (
        <>
          <a class="act" href={pathOf(name, 'edit')}><span class="tile"><Icon name="settings" /></span><span class="grow">{t('ch.settings')}</span><Icon name="chevronRight" flip kind="go" /></a>
          <a class="act" href={pathOf(name, 'people')}><span class="tile"><Icon name="users" /></span><span class="grow">{t(closed ? 'ch.peopleReaders' : 'ch.people')}</span><Icon name="chevronRight" flip kind="go" /></a>
          <button type="button" class="act bad" onClick={() => void remove()}><span class="tile"><Icon name="trash" /></span><span class="grow">{t('ch.delete')}</span></button>
        </>
      )}
    </section>
  )
}
