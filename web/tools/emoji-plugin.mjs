// Makes `import('virtual:emoji/fr')` the emoji of Unicode in their groups, with the names and words of a language from CLDR (licence
// Unicode-3.0), so that the picker searches in the language of who looks. One lazy chunk for each language has the emoji with the names of faces and
// people, and is kept for a start without network; `virtual:emoji-words/fr` has more words in the same order, after the names of things, and is not.
import { createRequire } from 'node:module'

const prefix = 'virtual:emoji/'
const wordsPrefix = 'virtual:emoji-words/'
const require = createRequire(import.meta.url)
/** So many words besides the name: a search needs no more. Feelings have many names, things few. */
const maxWords = { smileys: 3, people: 2, nature: 1, food: 1, travel: 1, activity: 1, objects: 1, symbols: 1, flags: 1 }

/** The first emoji of each group, in the order of Unicode; what is left out (flags of countries) the picker makes itself. */
const groups = [
  ['smileys', '😀'], ['people', '👋'], ['nature', '🐵'], ['food', '🍇'], ['travel', '🌍'], ['activity', '🎃'], ['objects', '👓'], ['symbols', '🏧'],
  ['flags', '🏁'],
]
/** Groups whose names are kept on every device: what is used most. Screen readers know the others by themselves. */
const named = new Set(['smileys', 'people'])
const skinTone = /[\u{1F3FB}-\u{1F3FF}]/u
const pictograph = /^\p{Extended_Pictographic}/u
const sided = /[←-⇿]|\u200D[♀♂]/u

/** Asks for the picture where a sign can also be a letter (Unicode TS 51, presentation selectors). */
function picture(sign) {
  return [...sign].map((c) => (/\p{Emoji}/u.test(c) && !/\p{Emoji_Presentation}/u.test(c) ? `${c}\u{FE0F}` : c)).join('')
}

/** CLDR writes pt for the Portuguese of Brazil. */
const folder = (language) => (language === 'pt-BR' ? 'pt' : language)

/** emojiOf gives the emoji of each group: sign, name, and more words in a language. */
export function emojiOf(language) {
  const all = require(`cldr-annotations-full/annotations/${folder(language)}/annotations.json`).annotations.annotations
  const english = require('cldr-annotations-full/annotations/en/annotations.json').annotations.annotations
  const signs = Object.keys(english)
  return groups.map(([key, first], i) => {
    const next = groups[i + 1]
    const part = signs.slice(signs.indexOf(first), next ? signs.indexOf(next[1]) : undefined)
    return [key, part.filter((s) => pictograph.test(s) && !skinTone.test(s) && !sided.test(s)).map((sign) => {
      const { tts, default: words = [] } = all[sign] ?? english[sign]
      const name = tts?.[0] ?? words[0] ?? ''
      return [picture(sign), name, wordsBeside(name, words, maxWords[key])]
    })]
  })
}

/** Single words that neither the name nor one another says already: those that stand alone before those out of phrases. */
function wordsBeside(name, phrases, most) {
  const single = phrases.filter((phrase) => !phrase.includes(' '))
  const parts = phrases.flatMap((phrase) => phrase.split(' ')).filter((word) => word.length > 3)
  const found = []
  for (const word of [...single, ...parts]) if (found.length < most && ![name, ...found].some((said) => said.toLowerCase().includes(word.toLowerCase()))) found.push(word)
  return found.join(' ')
}

export function emoji() {
  return {
    name: 'emoji',
    enforce: 'pre',
    resolveId: (id) => (id.startsWith(prefix) || id.startsWith(wordsPrefix) ? id : undefined),
    load: (id) => {
      if (id.startsWith(prefix)) return `export default ${JSON.stringify(emojiOf(id.slice(prefix.length)).map(([key, all]) => [key, all.map(([sign, name]) => (named.has(key) ? `${sign} ${name}` : sign)).join('|')]))}`
      if (id.startsWith(wordsPrefix)) return `export default ${JSON.stringify(emojiOf(id.slice(wordsPrefix.length)).flatMap(([key, all]) => all.map(([, name, words]) => (named.has(key) ? words : `${name}\n${words}`))))}`
      return undefined
    },
  }
}
