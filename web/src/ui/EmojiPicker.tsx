// All emoji, by group and by words in the person's language. Names of faces and people are kept on the device, the others and more words are loaded behind
// the picker: without network there is less to search by. Flags are made from the regions that Intl names.
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { language, t, type Key } from '../i18n/t.ts'
import { Busy } from './controls.tsx'
import { arrows } from './focus.ts'
import { Icon } from './Icon.tsx'
import { plain } from './plain.ts'

/** For each group its emoji, with | between them; after a space the name, where that is kept. */
type Kept = [key: string, emoji: string][]
type Groups = [key: string, emoji: [sign: string, name: string, words: string][]][]

const sources: Record<string, () => Promise<{ default: Kept }>> = {
  en: () => import('virtual:emoji/en'), fr: () => import('virtual:emoji/fr'), 'pt-BR': () => import('virtual:emoji/pt-BR'), es: () => import('virtual:emoji/es'),
  hi: () => import('virtual:emoji/hi'), ar: () => import('virtual:emoji/ar'), it: () => import('virtual:emoji/it'), sw: () => import('virtual:emoji/sw'),
}
/** More words for the same emoji in the same order, after the name and a line break where the name is not kept; not there without network. */
const more: Record<string, () => Promise<{ default: string[] }>> = {
  en: () => import('virtual:emoji-words/en'), fr: () => import('virtual:emoji-words/fr'), 'pt-BR': () => import('virtual:emoji-words/pt-BR'), es: () => import('virtual:emoji-words/es'),
  hi: () => import('virtual:emoji-words/hi'), ar: () => import('virtual:emoji-words/ar'), it: () => import('virtual:emoji-words/it'), sw: () => import('virtual:emoji-words/sw'),
}
const faces: Record<string, string> = { recent: '🕘', smileys: '😀', people: '👋', nature: '🐵', food: '🍇', travel: '✈️', activity: '⚽', objects: '💡', symbols: '💯', flags: '🏁' }
const storeKey = 'emoji'
const maxRecent = 32
const maxFound = 120


function recent(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storeKey) ?? '[]')
    return Array.isArray(kept) ? kept.filter((e): e is string => typeof e === 'string').slice(0, maxRecent) : []
  } catch { return [] }
}

/** EmojiPicker offers emoji; `pick` hears which was chosen. */
export function EmojiPicker({ pick }: { pick: (emoji: string) => void }): JSX.Element {
  const [kept, setKept] = useState<Kept>()
  const [words, setWords] = useState('')
  const [besides, setBesides] = useState<string[]>([])
  const used = useMemo(recent, [])
  const [group, setGroup] = useState(used.length ? 'recent' : 'smileys')
  useEffect(() => {
    setBesides([])
    void (sources[language.value] ?? sources['en'])?.().then((m) => {
      setKept(m.default)
      return (more[language.value] ?? more['en'])?.().then((w) => setBesides(w.default), (error: unknown) => console.warn('emoji', error))
    })
  }, [language.value])
  const groups = useMemo(() => kept && whole(kept, besides), [kept, besides])
  const found = useMemo(() => (groups ? select(groups, words, group, used) : []), [groups, words, group])
  const take = (sign: string): void => {
    localStorage.setItem(storeKey, JSON.stringify([sign, ...recent().filter((e) => e !== sign)].slice(0, maxRecent)))
    pick(sign)
  }
  if (!groups) return <div class="emoji"><Busy /></div>
  const kinds = [...(used.length ? ['recent'] : []), ...groups.map(([key]) => key)]
  return (
    <div class="emoji">
      <div class="find"><div class="search"><Icon name="search" /><input type="search" dir={words ? 'auto' : undefined} placeholder={t('emoji.search')} aria-label={t('emoji.search')} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></div></div>
      {!words && (
        <div class="kinds" role="tablist" aria-label={t('emoji.kinds')} onKeyDown={(e) => arrows(e, e.currentTarget, 'button', 'horizontal')}>
          {kinds.map((key) => <button type="button" key={key} role="tab" aria-selected={group === key} tabIndex={group === key ? 0 : -1} aria-label={t(`emoji.${key}` as Key)} title={t(`emoji.${key}` as Key)} onClick={() => setGroup(key)}>{faces[key]}</button>)}
        </div>
      )}
      {found.length === 0 ? <p class="none">{t('emoji.none')}</p> : (
        <div class="grid" role="group" aria-label={words ? t('emoji.found') : t(`emoji.${group}` as Key)} onKeyDown={(e) => gridKeys(e, e.currentTarget)}>
          {found.map(([sign, name], i) => <button type="button" key={sign} tabIndex={i === 0 ? 0 : -1} aria-label={name} title={name} onClick={() => take(sign)}>{sign}</button>)}
        </div>
      )}
    </div>
  )
}

/** The emoji with their names and words, as far as those are here; an emoji without a name is called by its sign. */
function whole(kept: Kept, besides: string[]): Groups {
  let i = 0
  return kept.map(([key, all]) => [key, all.split('|').map((one) => {
    const [sign = one, name] = one.split(/ (.*)/)
    const more = besides[i++] ?? ''
    const end = more.indexOf('\n')
    return [sign, name ?? (more.slice(0, Math.max(0, end)) || sign), more.slice(end + 1)]
  })])
}

function select(groups: Groups, words: string, group: string, used: string[]): [string, string][] {
  const wanted = plain(words).split(/\s+/).filter(Boolean)
  const all = groups.flatMap(([, emoji]) => emoji)
  if (wanted.length) return all.filter(([, name, more]) => { const said = plain(`${name} ${more}`); return wanted.every((word) => said.includes(word)) }).slice(0, maxFound).map(([sign, name]) => [sign, name])
  if (group === 'recent') return used.map((sign) => [sign, all.find(([s]) => s === sign)?.[1] ?? sign])
  const part = groups.find(([key]) => key === group)?.[1].map(([sign, name]): [string, string] => [sign, name]) ?? []
  return group === 'flags' ? [...part, ...flags()] : part
}

const regions = 'AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET EU FI FJ FR GA GB GD GE GH GM GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PR PS PT PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG UN US UY UZ VA VC VE VN VU WS XK YE ZA ZM ZW'

function flags(): [string, string][] {
  const names = new Intl.DisplayNames([language.value], { type: 'region' })
  return regions.split(' ').map((code): [string, string] => [String.fromCodePoint(...[...code].map((c) => 0x1F1A5 + c.charCodeAt(0))), names.of(code) ?? code]).sort((a, b) => a[1].localeCompare(b[1], language.value))
}

function gridKeys(event: KeyboardEvent, grid: HTMLElement): void {
  const all = [...grid.querySelectorAll<HTMLElement>('button')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const columns = getComputedStyle(grid).gridTemplateColumns.split(' ').length
  const by = event.key === 'ArrowDown' ? columns : event.key === 'ArrowUp' ? -columns : 0
  if (by) { event.preventDefault(); all[at + by]?.focus() }
  else arrows(event, grid, 'button', 'horizontal')
}
