// Places that are followed: as long as one is shared from here, the device is asked where it is, and what it says goes into the message. It goes on in
// other conversations and after a reload; one tab does it. Without a page of Palabre nothing is told any more, and the message says since when.
import { signal } from '@preact/signals'
import { metres } from '../core/distance.ts'
import type { JID, Place } from '../core/model.ts'
import { t } from '../i18n/t.ts'
import { toast } from '../ui/toast.tsx'
import { engine, ready } from './session.ts'

/** A place that is shared; `ends` is in milliseconds by the device's clock. */
interface Shared { account: JID; id: string; ends: number }

const key = 'palabre.live'
const turn = 'palabre live'
/** Moved less than so many metres, one is still there. */
const leastMetres = 20
const leastMs = 10_000
/** Also who stays where they are is told of now and then. */
const againMs = 300_000
const most = 20

/** Ids of the messages whose places are shared from this browser. */
export const sharing = signal<ReadonlySet<string>>(new Set())

let watching: number | undefined
let held = false
let release: (() => void) | undefined
let ending: ReturnType<typeof setTimeout> | undefined
let telling: ReturnType<typeof setTimeout> | undefined
/** What was told last, and what the device has said since. */
let told: { place: Place; at: number } | undefined
let latest: Place | undefined

const isShared = (s: unknown): s is Shared => typeof s === 'object' && s !== null && 'id' in s && typeof s.id === 'string' && 'ends' in s && typeof s.ends === 'number'

function kept(): Shared[] {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(all) ? all.filter(isShared).filter((s) => s.ends > Date.now()).slice(-most) : []
  } catch { return [] }
}

const mine = (): Shared[] => kept().filter((s) => s.account === engine().account().jid)

function keep(all: Shared[]): void {
  if (all.length) localStorage.setItem(key, JSON.stringify(all))
  else localStorage.removeItem(key)
  resume()
}

const drop = (id: string): void => keep(kept().filter((s) => s.id !== id))

/** where asks the device once; it rejects when that is not allowed or takes too long. */
export function where(): Promise<Place> {
  return new Promise((done, failed) => navigator.geolocation.getCurrentPosition((at) => done(placeOf(at)), failed, { enableHighAccuracy: true, timeout: 20_000, maximumAge: 60_000 }))
}

const placeOf = ({ coords: { latitude, longitude, accuracy } }: GeolocationPosition): Place => ({ latitude, longitude, accuracy })

/** share sends a place that is followed for so many seconds. */
export async function share(jid: JID, place: Place, seconds: number): Promise<void> {
  const { id } = await engine().send(jid, { content: { type: 'location', ...place }, live: seconds })
  told = { place, at: Date.now() }
  try { keep([...kept(), { account: engine().account().jid, id, ends: Date.now() + seconds * 1000 }]) } catch (error) {
    await engine().move(id) // nobody would go on with it: it ends where it began
    throw error
  }
}

/** stop ends what is followed, for all who see it. */
export async function stop(id: string): Promise<void> {
  try { await engine().move(id) } catch (error) { console.error('live', error); toast(t('place.notStopped')); return }
  drop(id)
}

/** resume goes on with what is shared from this browser, and ends when nothing is. */
export function resume(): void {
  const all = mine()
  sharing.value = new Set(all.map((s) => s.id))
  clearTimeout(ending)
  if (!all.length) { end(); return }
  ending = setTimeout(resume, Math.min(...all.map((s) => s.ends)) - Date.now() + 50)
  takeTurn()
}

/** One tab asks the device, the next one when that is gone. */
function takeTurn(): void {
  if (held) return
  held = true
  void navigator.locks.request(turn, () => new Promise<void>((done) => {
    if (!sharing.peek().size) { done(); return }
    release = done
    watching = navigator.geolocation.watchPosition((at) => { latest = placeOf(at); plan() }, refused, { enableHighAccuracy: true, maximumAge: 10_000 })
    plan()
  })).finally(() => {
    held = false
    if (sharing.peek().size) takeTurn()
  })
}

function end(): void {
  if (watching !== undefined) navigator.geolocation.clearWatch(watching)
  clearTimeout(telling)
  watching = told = latest = undefined
  release?.()
  release = undefined
}

/** The device must not tell any more: then nobody is to think that it does. */
function refused(error: GeolocationPositionError): void {
  if (error.code !== error.PERMISSION_DENIED) return
  toast(t('place.refused'))
  for (const { id } of mine()) void stop(id)
}

/** plan tells what the device has said, now or when it is time. Devices that lie still say nothing by themselves: they are asked. */
function plan(): void {
  clearTimeout(telling)
  if (watching === undefined) return
  const moved = !told || (latest !== undefined && metres(told.place, latest) > Math.max(leastMetres, (latest.accuracy ?? 0) / 2))
  const wait = (told?.at ?? 0) + (moved ? leastMs : againMs) - Date.now()
  if (wait > 0) telling = setTimeout(plan, wait)
  else if (latest) void tell(latest)
  else where().then((place) => { latest = place; plan() }, () => { telling = setTimeout(plan, leastMs) })
}

async function tell(place: Place): Promise<void> {
  told = { place, at: Date.now() }
  latest = undefined
  for (const { id } of mine()) {
    try { if (!await engine().move(id, place)) drop(id) } catch (error) {
      if (error instanceof Error && error.name === 'NotFollowed') drop(id) // it was deleted
      else console.warn('live', error) // not kept: the next place will be
    }
  }
  plan()
}

addEventListener('storage', (event) => { if (event.key === key) resume() })
if (ready.peek()) resume() // loaded with a conversation; else start.tsx does it
