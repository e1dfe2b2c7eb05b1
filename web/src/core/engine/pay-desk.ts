// Payments in each tab: what a person does is signed here and kept before it leaves; what is known is watched here. The tab that leads hands it in and asks the
// service. Loaded when it is first needed.

import type { Stop } from '../engine.ts'
import type { JID, Micros } from '../model.ts'
import { PayTrouble, type Pay, type PayRequest, type Promised, type Split } from '../pay.ts'
import { readReceipt } from '../pay/sign.ts'
import { change, everything, look, type Database } from '../store/database.ts'
import { get } from '../store/kv.ts'
import { isTakeBack, keyOf, listOpen, listPay, readPay, type KeptPay } from '../store/pay.ts'
import type { Step } from './apply.ts'
import { Collector, type Changes, type News } from './changes.ts'
import type { LeadAsks } from './pay-ask.ts'
import { Files } from './pay-files.ts'
import { PayKeys } from './pay-keys.ts'
import { PaySigning } from './pay-signing.ts'
import { soon } from './views.ts'

/** Requests, mandates and disputes that are shown though they have ended. */
const MAX_SHOWN = 200
/** The wallet is not asked for again so soon, in milliseconds. */
const FRESH = 20_000

/** Reaches the tab that leads. */
export type Asks = <K extends keyof LeadAsks>(what: K, ...args: Parameters<LeadAsks[K]>) => ReturnType<LeadAsks[K]>

/** What the parts of a tab's payments share. */
export interface Hand {
  db: Database
  account: JID
  ask: Asks
  now(): Promise<Micros>
  /** The domain of the service. Fails with `none`. */
  service(): Promise<string>
  /** Does one step, on the disk when it is fulfilled, and tells what it changed; `leaves`: something is to be handed in. */
  step<T>(work: (step: Step) => Promise<T>, leaves?: boolean): Promise<T>
}

/** Payments as one tab has them. */
export function payDesk(db: Database, news: News, account: JID, ask: Asks, send: (group: JID, split: Split) => Promise<unknown>): Pay {
  const now = async () => Date.now() * 1000 + (await get(db, 'skew') ?? 0)
  const hand: Hand = {
    db, account, ask, now,
    service: async () => {
      const service = (await get(db, 'pay'))?.service ?? (await ask('wallet')).about.service
      if (!service) throw new PayTrouble({ why: 'none' })
      return service
    },
    step: async (work, leaves = false) => {
      const changes = new Collector()
      const at = await now()
      const result = await change(db, everything, (tx) => work({ tx, account, now: at, changes }))
      if (leaves) changes.pay('')
      news.tell(changes.all)
      return result
    },
  }
  const keys = new PayKeys(hand)
  const signing = new PaySigning(hand, keys)
  const files = new Files(ask)
  return {
    ...watches(db, news, ask),
    device: () => keys.device(),
    setUp: (how, name) => keys.setUp(how, name),
    send: (draft, proof, stop) => signing.send(draft, proof, stop),
    bringIn: (draft) => signing.bringIn(draft),
    retry: () => news.tell({ pay: [''] }),
    order: (order, proof) => signing.order(order, proof),
    setUpOffline: (pin, cap, unit, proof) => signing.setUpOffline(pin, cap, unit, proof),
    promise: (draft, pin) => signing.promise(draft, pin),
    takeBack: (id, proof) => signing.takeBack(id, proof),
    takesBackOffline: (id) => signing.takesBackOffline(id),
    check: (code): Promise<Promised> => signing.check(code),
    redeem: (code, sale) => signing.redeem(code, sale),
    makeSplit: async (split) => {
      const made = await ask('makeSplit', split)
      await send(split.group, made)
      return made
    },
    showFile: async (dispute, text, file, progress, stop) => ask('addEvidence', dispute, { text, ...await files.put(file, progress, stop) }),
    openFile: (piece, progress, stop) => files.get(piece, progress, stop),
    checkReceipt: async (receipt) => {
      const about = (await get(db, 'pay'))?.about
      return about && readReceipt(about.key, about.service, receipt)
    },
    ask: ask as Pay['ask'],
  }
}

type Watches = Pick<Pay, 'watchWallet' | 'watchPayment' | 'watchPending' | 'watchRequests' | 'watchRequest' | 'watchSplit' | 'watchMandates' | 'watchDisputes'>

function watches(db: Database, news: News, ask: Asks): Watches {
  let asked = 0
  const watch = (concerns: (key: string) => boolean, work: () => Promise<void>): Stop => {
    let stopped = false
    const update = soon(async () => { if (!stopped) await work() })
    update()
    const stop = news.listen((c: Changes) => { if (c.pay?.some(concerns)) update() })
    return () => {
      stopped = true
      stop()
    }
  }
  const one = <T>(key: string, show: (found: T | undefined) => void, read: () => Promise<T | undefined>) => watch((k) => k === key, async () => show(await read()))
  const all = (what: string) => (k: string) => k.startsWith(what + ' ')
  // The newest, and whatever has no end yet, however old.
  const shown = async (what: 'request' | 'mandate' | 'dispute'): Promise<KeptPay[]> => {
    const tx = look(db, ['pay'])
    const found: KeptPay[] = [...await listOpen(tx, what), ...await listPay(tx, what, MAX_SHOWN)]
    return [...new Map(found.map((one) => [one.key, one])).values()].sort((a, b) => b.time - a.time)
  }
  return {
    watchWallet: (show) => {
      const refresh = () => {
        if (Date.now() - asked < FRESH) return
        asked = Date.now()
        void ask('wallet').catch(() => { asked = 0 }) // what is kept is shown
      }
      refresh()
      return watch((k) => k === 'wallet' || k.startsWith('payment '), async () => show((await get(db, 'pay'))?.wallet))
    },
    watchPayment: (id, show) => watch((k) => k === keyOf('payment', id), async () => {
      const kept = await readPay(look(db, ['pay']), 'payment', id)
      show(kept?.tip ? { ...kept.payment, tip: kept.tip } : kept?.payment, await get(db, 'skew') ?? 0)
    }),
    watchPending: (show) => watch(all('payment'), async () => {
      show((await listOpen(look(db, ['pay']), 'payment')).flatMap(({ payment, intent, cashin }) => (intent || cashin || payment.state === 'waiting') && !isTakeBack(payment) ? [payment] : []))
    }),
    watchRequests: (show) => watch(all('request'), async () => show((await shown('request')).flatMap((r) => r.what === 'request' ? [r.request] : []))),
    watchRequest: (id, show) => one<PayRequest>(keyOf('request', id), show, async () => (await readPay(look(db, ['pay']), 'request', id))?.request),
    watchSplit: (id, show) => one<Split>(keyOf('split', id), show, async () => (await readPay(look(db, ['pay']), 'split', id))?.split),
    watchMandates: (show) => watch(all('mandate'), async () => show((await shown('mandate')).flatMap((r) => r.what === 'mandate' ? [r.mandate] : []))),
    watchDisputes: (show) => watch(all('dispute'), async () => show((await shown('dispute')).flatMap((r) => r.what === 'dispute' ? [r.dispute] : []))),
  }
}
