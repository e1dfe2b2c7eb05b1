import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useEffect } from 'preact/hooks'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { PictureInput } from '../../ui/PictureInput.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { copy, share } from '../../ui/save.ts'
import { toast } from '../../ui/toast.tsx'

/** Profile is what others see: name, picture, and the code by which they find us. */
export function Profile(): JSX.Element {
  const me = engine().account()
  const [name, setName] = useState(me.name === me.jid ? '' : me.name)
  const [picture, setPicture] = useState<Blob>()
  const [removed, setRemoved] = useState(false)
  const [busy, setBusy] = useState(false)
  const save = async (): Promise<void> => {
    setBusy(true)
    try {
      await engine().setProfile({ name: name.trim(), ...(picture ? { avatar: picture } : removed ? { avatar: null } : {}) })
      toast(t('set.saved'))
    } catch { toast(t('set.failed')) } finally { setBusy(false) }
  }
  return (
    <>
      <form class="card" onSubmit={(e) => { e.preventDefault(); void save() }}>
        <PictureInput id={me.jid} name={me.name} picture={picture} shown={removed ? undefined : me.avatar} change={(p) => { setPicture(p); setRemoved(!p) }} choose={t('set.picture')} remove={t('set.pictureRemove')} />
        <Field label={t('set.name')} hint={t('set.nameHint')} value={name} change={setName} complete="name" limit={60} />
        <Button kind="p" submit disabled={busy}>{t('set.save')}</Button>
      </form>
      <MyCode jid={me.jid} />
    </>
  )
}

function MyCode({ jid }: { jid: string }): JSX.Element {
  const plain = `xmpp:${encodeURI(jid)}`
  const [uri, setUri] = useState(plain)
  useEffect(() => { engine().trustURI().then(setUri, () => undefined) }, [])
  return (
    <section class="card">
      <h2>{t('set.myCode')}</h2>
      <p class="small">{t('set.myCodeText')}</p>
      <Qr text={uri} label={t('set.codeLabel', { address: jid })} />
      <output class="secret small-secret" aria-label={t('set.address')}>{jid}</output>
      <div class="dos mid">
        <Button kind="s" act={() => void copy(jid).then((ok) => { if (ok) toast(t('set.copied')) })}>{t('set.copy')}</Button>
        <Button kind="s" icon="forward" act={() => void share({ text: plain }).then((how) => { if (how === 'copied') toast(t('set.copied')) })}>{t('set.share')}</Button>
      </div>
    </section>
  )
}
