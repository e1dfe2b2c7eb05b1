// Whom a status is for: all contacts, all but some, or some only.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Audience } from '../../core/engine.ts'
import type { Contact, JID } from '../../core/model.ts'
import { contacts, engine, nameOf } from '../../app/session.ts'
import { language, t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { over, Sheet } from '../../ui/overlay.tsx'
import { Radios } from '../../ui/Radios.tsx'

const kinds = ['contacts', 'except', 'only'] as const

/** Those who may see that we are here: a status is for nobody else. */
const readers = (): Contact[] => contacts.value.filter((c) => (c.subscription === 'from' || c.subscription === 'both') && c.jid !== engine().account().jid)

/** chosenOf are those of an audience who are among the contacts. */
const chosenOf = (a: Audience): JID[] => (a.kind === 'contacts' ? [] : readers().map((c) => c.jid).filter((jid) => a[a.kind as 'except' | 'only'].includes(jid)))

/** isNobody is whether a status would be for nobody. */
export const isNobody = (a: Audience): boolean => (a.kind === 'only' ? chosenOf(a).length === 0 : readers().length <= (a.kind === 'except' ? chosenOf(a).length : 0))

/** nameOfAudience says it shortly. */
export const nameOfAudience = (a: Audience): string => (a.kind === 'contacts' ? t('st.for.contacts') : `${t(`st.for.${a.kind}`)} ${t('st.chosen', { n: chosenOf(a).length })}`)

/** chooseAudience lets a person decide; it gives what holds then. */
export async function chooseAudience(before: Audience): Promise<Audience> {
  let now = before
  await over((done) => <Sheet title={t('st.audience')} close={done}><Choose before={before} change={(a) => { now = a }} done={done} /></Sheet>)
  return now
}

function Choose({ before, change, done }: { before: Audience; change: (a: Audience) => void; done: () => void }): JSX.Element {
  const [now, setNow] = useState(before)
  const put = (a: Audience): void => { setNow(a); change(a) }
  const order = new Intl.Collator(language.value)
  const { kind } = now
  const flip = (jid: JID): void => {
    if (kind === 'contacts') return
    const list = now[kind]
    put({ ...now, [kind]: list.includes(jid) ? list.filter((j) => j !== jid) : [...list, jid] })
  }
  return (
    <>
      <Radios label={t('st.audience')} hideLabel value={kind} answers={kinds.map((value) => ({ value, label: t(`st.for.${value}`) }))} change={(value) => put({ ...now, kind: value })} />
      {kind !== 'contacts' && (
        <ul class="acts pick-people" aria-label={t('st.people')}>{readers().sort((a, b) => order.compare(nameOf(a.jid), nameOf(b.jid))).map((c) => (
          <li key={c.jid}><label class="act"><Avatar id={c.jid} name={nameOf(c.jid)} picture={c.avatar} size="s" /><b class="grow cut" dir="auto">{nameOf(c.jid)}</b><input type="checkbox" checked={now[kind].includes(c.jid)} onChange={() => flip(c.jid)} /></label></li>
        ))}</ul>
      )}
      <p class="hint"><Icon name="lock" /> {t('st.audienceHint')}</p>
      <div class="do"><Button kind="p" act={done}>{t('st.done')}</Button></div>
    </>
  )
}
