// Once a day: what is kept of chains that nobody speaks with any more goes.

import { Step, type Device } from './device.ts'
import { kinds, newSaved, readSaved } from './saved.ts'
import { loadChains, loadEpoch, loadKnowing, loadWanted, readOr } from './sender-saved.ts'
import type { Bytes } from './types.ts'

const month = 30 * 86_400 // seconds; an epoch lasts seven days
const away = 2 * 86_400 // seconds
const lastName = 'seen/forgot'
const atOnce = 200
const most = 5000

/** When something was last of use, in seconds since 1970. */
const kindsOfOld: Record<string, (saved: Bytes) => number> = {
  'chain/': (saved) => Math.max(0, ...loadChains(saved).map((c) => c.got)),
  'sender/epoch/': (saved) => loadEpoch(saved).made,
  'want/': (saved) => Math.max(0, ...loadWanted(saved).map((w) => w.asked)),
  'knows/': (saved) => loadKnowing(saved).asked,
}

/** Removes chains, questions and answers of which nothing was heard for a month, and what cannot be read. Who was away keeps them for this day: what was said
 * before, and is not read yet, needs them. */
export async function forgetOld(d: Device): Promise<void> {
  if (await wasAway(d)) return
  for (const [prefix, usedAt] of Object.entries(kindsOfOld)) {
    const names = await d.turn(() => d.store.names(prefix, most))
    for (let i = 0; i < names.length; i += atOnce) await d.turn(() => forgetSome(new Step(d), names.slice(i, i + atOnce), usedAt))
  }
}

/** Whether this was not asked in the last two days. */
function wasAway(d: Device): Promise<boolean> {
  return d.turn(async () => {
    const step = new Step(d)
    const last = await readOr(step, lastName, (saved) => readSaved(saved, kinds.seen, ([f]) => f?.uint53() ?? 0), 0)
    step.keep(lastName, newSaved(kinds.seen).number(1, d.now()).done())
    await step.commit()
    return Math.abs(d.now() - last) > away
  })
}

async function forgetSome(step: Step, names: string[], usedAt: (saved: Bytes) => number): Promise<void> {
  await step.preload(names)
  for (const name of names) {
    const saved = await step.read(name)
    if (saved && step.d.now() - timeOf(saved, usedAt) < month) continue
    step.keep(name, null)
    if (!name.startsWith('sender/epoch/')) continue
    const room = name.slice('sender/epoch/'.length)
    for (const other of [`sender/holders/${room}`, `sender/before/${room}`, `sender/before/${room}/holders`]) step.keep(other, null)
  }
  await step.commit()
}

function timeOf(saved: Bytes, usedAt: (saved: Bytes) => number): number {
  try {
    return usedAt(saved)
  } catch {
    return 0
  }
}
