// Texts for people, in their language. Each language has one file with the first texts, loaded with the program, and one part for each lazy
// feature, loaded with it. A text is a string, or one string for each plural category of the language (Intl.PluralRules), chosen by `n`;
// {name} stands for a value. Left out: genders and nesting; write another key instead.
import { batch, signal } from '@preact/signals'
import type base from './en.json'
import type chat from './en/chat.json'
import type newchat from './en/newchat.json'
import type happening from './en/happening.json'
import type communities from './en/communities.json'
import type events from './en/events.json'
import type media from './en/media.json'
import type broadcast from './en/broadcast.json'
import type once from './en/once.json'
import type search from './en/search.json'
import type security from './en/security.json'
import type about from './en/about.json'
import type contacts from './en/contacts.json'
import type devices from './en/devices.json'
import type link from './en/link.json'
import type newdevice from './en/newdevice.json'
import type settings from './en/settings.json'
import type onboarding from './en/onboarding.json'
import type admin from './en/admin.json'
import type pay from './en/pay.json'
import type paycards from './en/paycards.json'
import type paymore from './en/paymore.json'
import type payrail from './en/payrail.json'
import type paydebit from './en/paydebit.json'
import type payevidence from './en/payevidence.json'
import type groups from './en/groups.json'
import type channels from './en/channels.json'
import type status from './en/status.json'
import type updates from './en/updates.json'

type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>
type Texts = Record<string, Text>

/** The name of a text. Whoever adds a part adds its type here. */
export type Key = keyof typeof base | keyof typeof chat | keyof typeof newchat | keyof typeof onboarding | keyof typeof settings | keyof typeof devices | keyof typeof link | keyof typeof newdevice | keyof typeof contacts | keyof typeof about | keyof typeof security | keyof typeof search | keyof typeof media | keyof typeof broadcast | keyof typeof once | keyof typeof happening | keyof typeof events | keyof typeof communities | keyof typeof admin | keyof typeof groups | keyof typeof channels | keyof typeof updates | keyof typeof status | keyof typeof pay | keyof typeof paycards | keyof typeof paymore | keyof typeof payrail | keyof typeof paydebit | keyof typeof payevidence
type Part = 'chat' | 'newchat' | (string & {})

/** The languages there are, each by its own name. */
export const languages: Record<string, string> = {
  en: 'English', fr: 'Français', 'pt-BR': 'Português', es: 'Español', hi: 'हिन्दी', ar: 'العربية', it: 'Italiano', sw: 'Kiswahili',
}
const rightToLeft = new Set(['ar'])
const storeKey = 'lang'
const cookieSeconds = 31_536_000

const bases = import.meta.glob<Texts>('./*.json', { import: 'default' })
const parts = import.meta.glob<Texts>(['./*/*.json', '!./*/push.json'], { import: 'default' })
const texts = signal<Texts>({})
const loaded = new Set<Part>()
let rules = new Intl.PluralRules('en')
let numbers = new Intl.NumberFormat('en')

/** The language in use. */
export const language = signal('en')
/** What Intl is asked with: the language with the region of the browser, which decides digits and the order of dates. */
export const region = signal('en')

/** t gives the text of a key in the language in use; a component that calls it is drawn again when the language changes. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const found = texts.value[key]
  const text = typeof found === 'object' ? found[rules.select(Number(values['n']))] ?? found.other : found
  if (text !== undefined && !text.includes('{')) return text
  return (text ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return typeof value === 'number' ? numbers.format(value) : value ?? whole
  })
}

/** has tells whether a text exists, for keys that come with data. */
export function has(key: string): key is Key {
  return key in texts.value
}

/** preferred is the person's own choice, or the first language of the browser that we have, or English. */
export function preferred(): string {
  const chosen = localStorage.getItem(storeKey)
  if (chosen && chosen in languages) return chosen
  for (const wanted of navigator.languages) {
    const found = Object.keys(languages).find((l) => l === wanted || l.split('-')[0] === wanted.split('-')[0])
    if (found) return found
  }
  return 'en'
}

/** speak loads a language and changes to it; what is on the screen follows. It rejects when the texts cannot be loaded. */
export async function speak(wanted: string): Promise<void> {
  const all = await Promise.all([bases[`./${wanted}.json`]?.(), ...[...loaded].map((part) => parts[`./${wanted}/${part}.json`]?.())])
  rules = new Intl.PluralRules(wanted)
  const regional = navigator.languages.find((l) => l.split('-')[0] === wanted.split('-')[0]) ?? wanted
  numbers = new Intl.NumberFormat(regional)
  batch(() => {
    texts.value = Object.assign({}, ...all) as Texts
    language.value = wanted
    region.value = regional
  })
  document.documentElement.lang = wanted
  document.documentElement.dir = rightToLeft.has(wanted) ? 'rtl' : 'ltr'
}

/** choose keeps a language as the person's choice, here and in the cookie by which the server's first answer is in it, and speaks it. */
export async function choose(wanted: string): Promise<void> {
  localStorage.setItem(storeKey, wanted)
  document.cookie = `${storeKey}=${wanted}; path=/; max-age=${cookieSeconds}; samesite=lax`
  await speak(wanted)
}

/** loadPart adds the texts of a lazy feature. */
export async function loadPart(part: Part): Promise<void> {
  if (loaded.has(part)) return
  const more = await parts[`./${language.value}/${part}.json`]?.()
  loaded.add(part)
  if (more) texts.value = { ...texts.value, ...more }
}
