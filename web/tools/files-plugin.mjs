// Writes two lists into the build. locales.json tells the server which file has the first texts of a language, so that it can have them loaded
// together with the program. files.json tells the service worker what to keep for a start without network: `files` for everybody, `locales` for who
// reads that language, and `lacking` for browsers that lack a thing (BarcodeDetector), `reading` for as long as this version runs, `paying` for who pays on this device; what is of no use without network is in none. `version` changes
// when any file does.
import { createHash } from 'node:crypto'

const localePart = /\/i18n\/(?:([\w-]+)\/)?([\w-]+)\.json$/
const emojiPart = /virtual:emoji\/([\w-]+)$/

/** What does nothing without the server is not kept: administration, joining, signing in, devices and linking them, what is decided about groups and
 * communities (talking in them is kept), channels and statuses, the encrypted history, pages of the settings
 * that ask the server for all they do, comparing keys, packs of stickers, and what makes videos smaller right before they leave. Who opens one of these without network is told so. */
const online = parts('admin|devices|link|link-give|onboarding|door-open|newdevice', 'groups|group-ask|group-tell|group-after|manage|communities|community-ask',
  'channels|channel-lead|channel-desk|channel-keep|channel-ask', 'updates|status|status-lead|status-desk|stories|telling', 'history|recovery|past', 'Account|About|Profile|qrcode', 'security', 'packs|video|film')
/** What comes with a connection and cannot be read without them: what our own devices say to each other, and keys of senders. They are no part of the start, but a page
 * of this version must be able to read until a person takes the next one, when the server has only that one's. */
const read = parts('among|sender-keys|locked')
/** What is pleasant and not needed; emoji are then found by fewer names, and a computer's camera, without network, is a file that is chosen. */
const spared = parts('camera|Stickers|ChooseLists|Choice|Once|once|Broadcast|broadcast|Loop|editor|Events|eventRemind')
const code = /\/xmpp\/admin\.ts$|virtual:emoji-words\/|\/i18n\/[\w-]+\/(?:admin|broadcast|channels|communities|devices|events|groups|link|newdevice|onboarding|once|security|status|updates)\.json$/

/** Payments: kept besides on devices on which somebody pays. */
const pays = /\/src\/(?:features\/pay|core\/pay|core\/qr)\/|\/core\/engine\/pay-(?!door|early)|\/core\/(?:xmpp|store)\/pay\.ts$|\/app\/(?:pa(?:id|y)|terms|evidence)\.tsx?$|\/features\/chat\/(?:MoneyCards|PaymentCard|RequestCard|TermsCard|SplitCard)\.tsx$|\/i18n\/money\.ts$|\/ui\/qrcode\.ts$|\/node_modules\/uqr\//
const payTexts = /\/i18n\/[\w-]+\/pay\w*\.json$/
/** Of payments, what does nothing without the service: direct debits, disputes and their files, money by a network outside, settling up, the report of a day. */
const payOnline = parts('AskDebit|Debits?|Disputes|evidence|Move|Settle|Report')
const payOnlineTexts = /\/i18n\/[\w-]+\/pay(?:debit|evidence)\.json$/
const payStyles = parts('pay|Confirm|Keys|MoneyCards')

/** The files whose names begin with one of these. */
function parts(...names) {
  return new RegExp(`^assets/(?:${names.join('|')})-`)
}

/** What reads codes in pictures, where the browser cannot: sw/keep.ts asks it. */
const spare = { BarcodeDetector: /\/qr\/decode\.js$/ }

/** The language that a chunk is for, and whether it holds the first texts. */
function languageOf(chunk) {
  const id = chunk.facadeModuleId ?? ''
  const emoji = emojiPart.exec(id)
  if (emoji) return { language: emoji[1], first: false }
  const texts = localePart.exec(id)
  return texts && { language: texts[1] ?? texts[2], first: !texts[1] }
}

export function files() {
  return {
    name: 'files',
    apply: 'build',
    enforce: 'post',
    /** The engine is asked for together with the page: it is always needed, and a chain of requests costs a round trip for each link. */
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle }) {
        const engine = Object.values(bundle ?? {}).find((c) => c.type === 'chunk' && c.facadeModuleId?.endsWith('/core/engine/open.ts'))
        if (!engine) return []
        const here = new Set(Object.values(bundle).filter((c) => c.type === 'chunk' && c.isEntry).flatMap((c) => [c.fileName, ...c.imports]))
        return [engine.fileName, ...engine.imports.filter((name) => !here.has(name))].map((name) => ({ tag: 'link', attrs: { rel: 'modulepreload', href: `/${name}`, fetchpriority: 'low' }, injectTo: 'head' }))
      },
    },
    generateBundle(_, bundle) {
      const first = {}
      const locales = {}
      const common = ['index.html']
      const left = new Set()
      const reading = []
      const paying = { files: [], locales: {} }
      const lacking = Object.fromEntries(Object.keys(spare).map((what) => [what, []]))
      for (const [name, item] of Object.entries(bundle)) {
        if (read.test(name)) { reading.push(name); continue }
        if (payOnline.test(name) || payOnlineTexts.test(item.facadeModuleId ?? '')) { left.add(name); continue }
        if (payTexts.test(item.facadeModuleId ?? '')) { (paying.locales[languageOf(item).language] ??= []).push(name); continue }
        const modules = item.type === 'chunk' ? Object.keys(item.modules ?? {}).filter((id) => /\/src\/.*\.tsx?$/.test(id)) : []
        if ((modules.length && modules.every((id) => pays.test(id))) || (name.endsWith('.css') && payStyles.test(name))) { paying.files.push(name); left.add(name); continue }
        if (online.test(name) || spared.test(name) || code.test(item.facadeModuleId ?? '')) { left.add(name); continue }
        const what = Object.keys(spare).find((w) => spare[w].test(item.facadeModuleId ?? ''))
        if (what) { lacking[what].push(name); continue }
        const found = item.type === 'chunk' ? languageOf(item) : undefined
        if (!found) { if (name !== 'index.html') common.push(name); continue }
        ;(locales[found.language] ??= []).push(name)
        if (found.first) first[found.language] = name
      }
      // What something that is kept begins with is kept, whatever its name; what only others begin with is not.
      for (const name of common) for (const needed of bundle[name]?.imports ?? []) if (left.delete(needed)) common.push(needed)
      const needed = new Set(common.flatMap((name) => bundle[name]?.imports ?? []))
      const isNeeded = (name) => bundle[name]?.type !== 'chunk' || bundle[name].isEntry || bundle[name].isDynamicEntry || needed.has(name)
      const kept = common.filter(isNeeded)
      // What payments begin with, too, as far as it is not kept anyhow.
      paying.files = paying.files.filter((name) => !kept.includes(name))
      for (const name of paying.files) for (const more of bundle[name]?.imports ?? []) if (!kept.includes(more) && !paying.files.includes(more)) paying.files.push(more)
      const sorted = (table) => Object.fromEntries(Object.keys(table).sort().map((key) => [key, Array.isArray(table[key]) ? table[key].sort() : table[key]]))
      const lists = { files: kept.sort(), locales: sorted(locales), lacking: sorted(lacking), reading: reading.sort(), paying: { files: paying.files.sort(), locales: sorted(paying.locales) } }
      const version = createHash('sha256').update(JSON.stringify(lists)).digest('hex').slice(0, 16)
      this.emitFile({ type: 'asset', fileName: 'locales.json', source: JSON.stringify(sorted(first), null, 1) })
      this.emitFile({ type: 'asset', fileName: 'files.json', source: JSON.stringify({ version, ...lists }, null, 1) })
    },
  }
}
