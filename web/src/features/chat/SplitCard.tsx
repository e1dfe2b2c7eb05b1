// A bill that a group pays together, in its bubble: who has paid, whose part is on the way, who has still to pay. Each pays their part with one tap; the organiser reminds.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import users from 'icon:users-round'
import { connected, usePaid } from '../../app/paid.ts'
import { contactOf, engine, nameOf } from '../../app/session.ts'
import type { Content, Message } from '../../core/model.ts'
import type { Split, SplitShare } from '../../core/pay.ts'
import { amountText, money } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Pill } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { decline, payRequest, remind, stateLook, tried, useOnTheWay } from './RequestCard.tsx'
import './money.css'

/** How many are shown before one asks for all. */
const few = 8

/** SplitCard shows who has paid their part. */
export function SplitCard({ content }: { message: Message; content: Extract<Content, { type: 'split' }> }): JSX.Element {
  const split = usePaid<Split>((pay, show) => pay.watchSplit(content.id, (now) => { if (now) show(now) }), [content.id]) ?? content.split
  const [failed, setFailed] = useState(false)
  const over = split?.shares.every((share) => isPaid(split, share)) ?? false
  const live = connected()
  // What the others have paid is told to the organiser alone: whoever looks asks, until all have paid.
  useEffect(() => { if (!over) engine().pay().then((pay) => pay.ask('split', content.id)).catch(() => setFailed(true)) }, [content.id, over, live])
  if (!split) return <div class="mon"><div class="mon-head"><Icon path={users} /><span class="grow">{t('pc.bill')}</span></div><p>{t(failed ? 'pc.unknown' : 'busy')}</p></div>
  return <Bill split={split} />
}

/** isPaid is whether somebody's part is: that of who laid out the money is from the beginning. */
const isPaid = (split: Split, share: SplitShare): boolean => share.jid === split.payee || share.state === 'paid'

function Bill({ split }: { split: Split }): JSX.Element {
  const [all, setAll] = useState(false)
  const me = engine().account().jid
  const mine = split.shares.find((s) => s.jid === me)
  const sent = useOnTheWay(mine?.request ?? '')
  const paid = split.shares.filter((s) => isPaid(split, s)).length
  const open = split.shares.filter((s) => !isPaid(split, s) && (s.state === 'open' || s.state === 'part' || s.state === undefined))
  const shown = all || split.shares.length <= few ? split.shares : split.shares.slice(0, few - 1)
  const done = paid === split.shares.length
  const each = split.by === 'equal' ? split.shares[0] : undefined
  const pay = (share: SplitShare): void => {
    const { id: _, ...facts } = { ...split, id: '' }
    if (share.request) void tried(async (pay) => payRequest(await pay.ask('request', share.request ?? '').catch(() => ({ ...facts, id: share.request ?? '', payer: me, amount: share.amount, paid: 0, partial: false, state: 'open' as const, chat: split.group, split: split.id }))))
  }
  return (
    <div class="mon">
      <div class="mon-head"><Icon path={users} /><span class="grow cut" dir="auto">{split.for ? t('pc.billFor', { what: split.for }) : t('pc.bill')}</span><Pill kind={done ? 'ok' : 'wait'}><span class="num" aria-hidden="true">{paid} / {split.shares.length}</span><span class="vh">{t('pc.paidOf', { n: paid, all: split.shares.length })}</span></Pill></div>
      <p class="mon-sum"><b class="num">{amountText(split.total, split.exponent, true)}</b> {split.unit}{each && ` · ${t('pc.each', { amount: amountText(each.amount, split.exponent, true) })}`}</p>
      <ul class="mon-who">{shown.map((share) => <Who key={share.jid} split={split} share={share} sent={share.jid === me && sent} />)}</ul>
      {shown.length < split.shares.length && <button type="button" class="more" onClick={() => setAll(true)}>{t('pc.showAll', { n: split.shares.length })}</button>}
      {mine && !isPaid(split, mine) && !sent && mine.request && (mine.state === 'open' || mine.state === 'part' || mine.state === undefined) && (
        <div class="cta">
          <Button kind="p" act={() => pay(mine)}>{t('pc.payMine', { amount: money(mine.amount, split) })}</Button>
          <Button kind="t" act={() => void decline(mine.request ?? '', split.payee)}>{t('pc.decline')}</Button>
        </div>
      )}
      {open.length > 0 && <a class="btn t mon-more" href={`/pay/settle/${encodeURIComponent(split.group)}`}>{t('pc.settle')}</a>}
      {split.payee === me && open.length > 0 && <div class="cta"><Button act={() => void remindAll(open)}>{t('pc.remindAll', { n: open.length })}</Button></div>}
    </div>
  )
}

async function remindAll(open: SplitShare[]): Promise<void> {
  const [first, ...rest] = open.flatMap(({ request }) => (request ? [request] : []))
  for (const id of rest) await tried((pay) => pay.ask('remind', id))
  if (first) await remind(first)
}

function Who({ split, share, sent }: { split: Split; share: SplitShare; sent: boolean }): JSX.Element {
  const account = engine().account()
  const own = share.jid === account.jid
  const name = own ? t('pc.you') : nameOf(share.jid)
  const paid = isPaid(split, share)
  const look = paid ? stateLook.paid : sent ? { kind: 'wait' as const, words: 'pc.sent' as const } : stateLook[share.state ?? 'open']
  return (
    <li>
      <Avatar id={share.jid} name={name} picture={own ? account.avatar : contactOf(share.jid)?.avatar} size="xs" />
      <span class="grow"><span class="cut" dir="auto">{name}</span>{split.by !== 'equal' && <small class="num">{money(share.amount, split)}</small>}{share.items.length > 0 && <small class="cut" dir="auto">{share.items.map((item) => item.name).filter(Boolean).join(', ')}</small>}</span>
      <Pill {...(look.kind ? { kind: look.kind } : {})} {...(paid ? { icon: 'check' as const } : sent ? { icon: 'clock' as const } : {})}>{t(look.words)}</Pill>
    </li>
  )
}
