// Who pays how much of a bill. Amounts are whole numbers of the smallest part of a unit; whatever is divided adds up to the total to the last of them.
import type { JID } from '../../core/model.ts'

/** What is left over goes by one to those who come first, so that the same bill gives the same parts everywhere. */
export function equal(total: number, people: number): number[] {
  if (people < 1) return []
  const each = Math.floor(total / people)
  const rest = total - each * people
  return Array.from({ length: people }, (_, i) => each + (i < rest ? 1 : 0))
}

/** byParts divides a total in proportion to `parts` (whole numbers, none below 0), by the largest remainders; all zero where all parts are. */
export function byParts(total: number, parts: number[]): number[] {
  const sum = parts.reduce((all, n) => all + BigInt(n), 0n)
  if (sum === 0n) return parts.map(() => 0)
  const exact = parts.map((n) => BigInt(total) * BigInt(n))
  const shares = exact.map((n) => Number(n / sum))
  let rest = total - shares.reduce((all, n) => all + n, 0)
  const order = exact.map((n, i) => ({ i, left: n % sum })).sort((a, b) => (a.left === b.left ? a.i - b.i : a.left > b.left ? -1 : 1))
  for (const { i, left } of order) {
    if (rest <= 0 || left === 0n) break
    shares[i] = (shares[i] ?? 0) + 1
    rest--
  }
  return shares
}

/** Something on the bill, and who had it. */
export interface Item { name: string; amount: number; who: JID[] }

/** What somebody pays, and for what. */
export interface Had { jid: JID; amount: number; items: { name: string; amount: number }[] }

/**
 * byItems gives each of `people` what they had: an item of several is divided equally among them. What the total is above the items (service, a tip), or below them (a
 * discount), is spread in proportion to what each had. Items that nobody had, or that cost nothing, count for nobody; undefined where then nothing is left to go by.
 */
export function byItems(total: number, people: JID[], items: Item[]): Had[] | undefined {
  const had = new Map<JID, Had>(people.map((jid) => [jid, { jid, amount: 0, items: [] }]))
  for (const { name, amount, who } of items) {
    const those = people.filter((jid) => who.includes(jid))
    equal(amount, those.length).forEach((part, i) => {
      const one = had.get(those[i] ?? '')
      if (!one || !part) return
      one.amount += part
      one.items.push({ name, amount: part })
    })
  }
  const all = [...had.values()]
  if (all.every((one) => one.amount === 0)) return undefined
  byParts(total, all.map((one) => one.amount)).forEach((amount, i) => { const one = all[i]; if (one) one.amount = amount })
  return all
}

/** sum adds up amounts. */
export const sum = (amounts: number[]): number => amounts.reduce((all, n) => all + n, 0)
