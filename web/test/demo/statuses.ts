// Statuses that live in memory.
import type { Stop } from '../../src/core/engine.ts'
import type { Audience, Status, Statuses } from '../../src/core/status.ts'
import { me } from './people.ts'

const now = (): number => Date.now() * 1000
const hours = (n: number): number => now() - n * 3600e6
const person = (name: string): string => `${name}@palabre.example`
const text = (id: string, author: string, ago: number, words: string, colour: number, more: Partial<Status> = {}): Status =>
  ({ id, author, own: author === me, posted: hours(ago), expires: hours(ago) + 24 * 3600e6, content: { type: 'text', text: words }, colour, seen: author === me, ...more })

let all: Status[] = [
  text('k1', person('karim'), 5, 'Qui vient au match dimanche ? ⚽', 4), text('k2', person('karim'), 2, 'On a gagné !', 1),
  text('a1', person('aicha'), 3, 'Bon anniversaire à ma petite sœur 🎂', 2), text('p1', person('priya'), 9, 'आज बारिश बहुत सुंदर है', 5, { seen: true }),
  text('r1', person('rosa'), 11, 'Grand soleil sur Essaouira', 8, { seen: true }), text('j1', person('joao'), 4, 'Bom dia!', 3, { muted: true }),
  text('m1', me, 1, 'Marché ce matin', 0, { views: [{ jid: person('karim'), time: hours(.5) }, { jid: person('aicha'), time: hours(.7) }] }),
]
let audience: Audience = { kind: 'contacts', except: [], only: [] }
const shows = new Set<(all: Status[]) => void>()
const tell = (): void => { for (const show of shows) show(all.toSorted((a, b) => a.posted - b.posted)) }

/** Calls back at once and on every change. */
export function watchDemoStatuses(show: (all: Status[]) => void): Stop {
  shows.add(show)
  tell()
  return () => { shows.delete(show) }
}

/** What is done with them. */
export const demoStatuses: Statuses = {
  post: async (status) => { const id = crypto.randomUUID(); audience = status.audience; all = [...all, text(id, me, 0, status.text ?? '', status.colour ?? 0, { state: 'waiting' })]; tell(); return id },
  retry: async () => undefined,
  remove: async (id) => { all = all.filter((s) => s.id !== id); tell() },
  look: async (author, ids) => { all = all.map((s) => (s.author === author && ids.includes(s.id) ? { ...s, seen: true } : s)); tell() },
  fetch: async () => undefined,
  audience: async () => audience,
  mute: async (jid, on) => { all = all.map(({ muted: _, ...s }) => (s.author === jid && on ? { ...s, muted: true as const } : s)); tell() },
}
