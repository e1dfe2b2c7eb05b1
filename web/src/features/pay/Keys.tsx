// The keys that may pay: this device's, and those of the others; making one, allowing one at once, taking one away.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import fingerprint from 'icon:fingerprint-pattern'
import key from 'icon:key-round'
import { PageHead } from '../../app/PageHead.tsx'
import { useWallet } from '../../app/paid.ts'
import { askProof, whyPay } from '../../app/pay.ts'
import { engine } from '../../app/session.ts'
import { keyWaits, type Pay, type PayKey, type Wallet } from '../../core/pay.ts'
import { t } from '../../i18n/t.ts'
import { fullTime, now } from '../../i18n/when.ts'
import { Banner, Busy, Button, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { confirm, over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { MakeKey } from './Confirm.tsx'
import type { PageProps } from './index.tsx'
import './wallet.css'

/** KeysPage lists the keys of the account. */
export function KeysPage(_: PageProps): JSX.Element {
  const wallet = useWallet()
  return (
    <>
      <PageHead title={t('pay.keys')} always up="/pay" />
      <div class="scroll"><div class="page">
        {wallet ? <>
          <KeySetUp wallet={wallet} />
          {wallet.frozen && <Banner kind="bad" icon="lock" title={t('pay.frozen')} text={t('pay.frozenText')} />}
          <p class="small">{t('pay.keysText')}</p>
          <ul class="card flat">{wallet.keys.map((one) => <li key={one.id}><Row one={one} wallet={wallet} /></li>)}</ul>
        </> : <Busy />}
      </div></div>
    </>
  )
}

/** From when a key pays. While the wallet is frozen none does, and there is no date: one that did not work yet waits anew from when it is open. */
function When({ one, wallet }: { one: PayKey; wallet: Wallet }): JSX.Element | null {
  const waits = keyWaits(one, wallet, now())
  if (wallet.frozen) return one.offline ? null : <small>{t(waits ? 'pay.keyAnew' : 'pay.keyOpens')}</small>
  return waits ? <small>{t('pay.keyWaits', { when: fullTime(one.ready ?? 0) })}</small> : null
}

function Row({ one, wallet }: { one: PayKey; wallet: Wallet }): JSX.Element {
  const waits = keyWaits(one, wallet, now())
  const order = async (kind: 'add-key' | 'drop-key'): Promise<void> => {
    if (kind === 'drop-key' && !await confirm({ title: t('pay.dropAsk', { name: one.name }), text: t('pay.dropText'), yes: t('pay.drop'), danger: true })) return
    const proof = await askProof(t(kind === 'add-key' ? 'pay.allow' : 'pay.drop'))
    if (!proof) return
    try { await (await engine().pay()).order({ kind, key: one.id }, proof) } catch (error) { toast(whyPay(error)) }
  }
  return (
    <div class="key-row">
      <span class="tile"><Icon path={one.kind === 'passkey' ? fingerprint : key} /></span>
      <span class="grow"><b dir="auto">{one.name || t('pay.keyNoName')}</b>
        <small>{t(one.offline ? 'pay.keyOffline' : one.kind === 'passkey' ? 'pay.keyPasskey' : 'pay.keyPin')}{one.added !== undefined && <> · {fullTime(one.added)}</>}</small>
        <When one={one} wallet={wallet} />
      </span>
      {one.here && <Pill kind="ok">{t('pay.thisDevice')}</Pill>}
      {waits && !one.here && <Button act={() => void order('add-key')}>{t('pay.allow')}</Button>}
      {!one.here && <Button kind="d" act={() => void order('drop-key')}>{t('pay.drop')}</Button>}
    </div>
  )
}

/** KeySetUp says that this device cannot pay yet, and makes its key; nothing where it has one. */
export function KeySetUp({ wallet }: { wallet: Wallet }): JSX.Element | null {
  const [device, setDevice] = useState<Awaited<ReturnType<Pay['device']>>>()
  const look = (): void => void engine().pay().then((pay) => pay.device()).then(setDevice, () => undefined)
  useEffect(look, [wallet])
  const here = wallet.keys.find((k) => k.id === device?.keyId)
  if (!device) return null
  const make = (): Promise<void> => over((close) => <Sheet title={t('pay.setUpDo')} close={close}><div class="confirm"><MakeKey device={device} done={() => { close(); look() }} /></div></Sheet>)
  if (device.key && here) return keyWaits(here, wallet, now()) ? <Banner icon="clock" title={t('pay.hereWaits')} text={wallet.frozen ? t('pay.keyAnew') : t('pay.keyWaits', { when: fullTime(here.ready ?? 0) })} /> : null
  return <Banner icon="lock" title={t('pay.setUp')} text={t(wallet.keys.length ? 'pay.setUpMore' : 'pay.setUpText')} action={{ label: t('pay.setUpDo'), act: () => void make() }} />
}
