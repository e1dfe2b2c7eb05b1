// What a person set for this device: looks, data use, keys. Kept in localStorage, so that the first picture is right already; each is a
// signal, and the looks are written to <html> as attributes that the style sheets know.
import { computed, effect, signal, type Signal } from '@preact/signals'

const prefix = 'pref.'

function kept<T extends string | number | boolean>(name: string, first: T): Signal<T> {
  const stored = localStorage.getItem(prefix + name)
  let start: T = first
  if (stored !== null) try { const value: unknown = JSON.parse(stored); if (typeof value === typeof first) start = value as T } catch { localStorage.removeItem(prefix + name) }
  const pref = signal(start)
  let begun = false
  effect(() => {
    const value = JSON.stringify(pref.value)
    if (begun) localStorage.setItem(prefix + name, value)
    begun = true
  })
  return pref
}

function matches(query: string): Signal<boolean> {
  const list = matchMedia(query)
  const now = signal(list.matches)
  list.addEventListener('change', () => { now.value = list.matches })
  return now
}

export const prefs = {
  theme: kept<'auto' | 'light' | 'dark'>('theme', 'auto'),
  contrast: kept<'auto' | 'high'>('contrast', 'auto'),
  /** Size of text: 1 is the browser's own. */
  textSize: kept<number>('textSize', 1),
  motion: kept<'auto' | 'off'>('motion', 'auto'),
  lowData: kept<'auto' | 'on' | 'off'>('lowData', 'auto'),
  wallpaper: kept<boolean>('wallpaper', true),
  enterSends: kept('enterSends', !matchMedia('(pointer: coarse)').matches),
  /** Speed of voice notes. */
  voiceRate: kept<number>('voiceRate', 1),
}

interface NetworkInformation extends EventTarget { saveData?: boolean; effectiveType?: string; type?: string }
const network = (navigator as Navigator & { connection?: NetworkInformation }).connection
const slow = signal(false)
/** cellular is whether bytes come over a phone's network, as far as the browser tells. */
export const cellular = signal(false)
const judge = (): void => {
  slow.value = network?.saveData === true || /2g$/.test(network?.effectiveType ?? '')
  cellular.value = network?.type === 'cellular' || /^(slow-)?[23]g$/.test(network?.effectiveType ?? '')
}
network?.addEventListener('change', judge)
judge()

/** lowData is whether to fetch and show less, by choice or because the network says so. */
export const lowData = computed(() => prefs.lowData.value === 'on' || (prefs.lowData.value === 'auto' && slow.value))

const prefersDark = matches('(prefers-color-scheme: dark)')
const prefersContrast = matches('(prefers-contrast: more)')
const prefersStill = matches('(prefers-reduced-motion: reduce)')

/** dark is whether the dark theme is in use. */
export const dark = computed(() => prefs.theme.value === 'dark' || (prefs.theme.value === 'auto' && prefersDark.value))
/** still is whether nothing should move. */
export const still = computed(() => prefs.motion.value === 'off' || prefersStill.value || lowData.value)

/** applyPrefs writes the looks to the page, now and whenever they change. */
export function applyPrefs(): void {
  const root = document.documentElement
  effect(() => { root.dataset['theme'] = dark.value ? 'dark' : 'light' })
  effect(() => { set('contrast', prefs.contrast.value === 'high' || prefersContrast.value ? 'high' : undefined) })
  effect(() => { set('motion', still.value ? 'off' : undefined) })
  effect(() => { set('lowdata', lowData.value ? '' : undefined) })
  effect(() => { set('wallpaper', prefs.wallpaper.value ? undefined : 'off') })
  effect(() => { root.style.setProperty('--zoom', String(prefs.textSize.value)) })
  function set(name: string, value: string | undefined): void {
    if (value === undefined) delete root.dataset[name]
    else root.dataset[name] = value
  }
}
