import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Waking } from '../../core/model.ts'
import { chats, engine } from '../../app/session.ts'
import { wake } from '../../app/notify.ts'
import { t, type Key } from '../../i18n/t.ts'
import { ago } from '../../i18n/when.ts'
import { Banner, Button, Switch } from '../../ui/controls.tsx'
import { toast } from '../../ui/toast.tsx'
import { useChoices } from './choices.ts'

const texts: Record<Waking['state'], Key> = { on: 'set.permOn', off: 'set.permOff', denied: 'set.permDenied', unsupported: 'set.permNone', failed: 'set.permFailed' }
const refreshMs = 3000

/** There are groups to be told of. */
const inGroups = (): boolean => (chats.value ?? []).some((c) => c.kind === 'group')

/** Notify is how one is told of what comes. */
export function Notify(): JSX.Element {
  const [choices, change] = useChoices()
  const kinds = ([['people', 'set.tellPeople'], ['groups', 'set.tellGroups'], ['mentions', 'set.tellMentions'], ['reactions', 'set.tellReactions']] as const).filter(([kind]) => (kind !== 'groups' && kind !== 'mentions') || inGroups())
  return (
    <>
      <Wake />
      {choices && (
        <>
          <section class="card flat">
            <Switch label={t('set.preview')} hint={t('set.previewHint')} on={choices.preview} change={(preview) => change({ preview })} />
            <Switch label={t('set.sound')} on={choices.sound} change={(sound) => change({ sound })} />
          </section>
          <section class="card flat">
            <h2 class="label2">{t('set.tellMe')}</h2>
            {kinds.map(([kind, text]) => <Switch key={kind} label={t(text)} on={choices.notify[kind]} change={(on) => change({ notify: { ...choices.notify, [kind]: on } })} />)}
          </section>
        </>
      )}
    </>
  )
}

function Wake(): JSX.Element {
  const [waking, setWaking] = useState<Waking>()
  const load = (): void => { engine().waking().then(setWaking, () => undefined) }
  useEffect(() => { load(); const timer = setInterval(load, refreshMs); return () => clearInterval(timer) }, [])
  const turn = async (on: boolean): Promise<void> => { try { setWaking(on ? await wake() : await engine().setWaking(false)) } catch { toast(t('set.offline')) } }
  const test = (): void => { engine().testWaking().then(() => toast(t('set.testSent')), () => toast(t('set.offline'))) }
  const state = waking?.state
  return (
    <section class="card">
      <h2>{t('set.permission')}</h2>
      {state && <Banner kind={state === 'on' ? 'ok' : state === 'failed' ? 'bad' : 'info'} icon={state === 'on' ? 'circleCheck' : 'circleAlert'} title={t(texts[state])} />}
      <div class="dos">
        {(state === 'off' || state === 'failed') && <Button kind="p" act={() => void turn(true)}>{t('set.turnOn')}</Button>}
        {state === 'on' && <><Button kind="s" act={test}>{t('set.test')}</Button><Button kind="t" act={() => void turn(false)}>{t('set.turnOff')}</Button></>}
      </div>
      {state === 'on' && <p class="small" role="status">{waking?.last === undefined ? t('set.testNever') : t('set.testLast', { time: ago(waking.last) })}</p>}
      {waking?.service && state === 'on' && <p class="small">{t('set.testVia', { service: waking.service })}</p>}
    </section>
  )
}
