// Writes two lists into the build. locales.json tells the server which file has the first texts of a language, so that it can have them loaded
// together with the program. files.json tells the service worker what to keep for a start without network: `files` for everybody, `locales` for who
// reads that language, and `lacking` for browsers that lack a thing (BarcodeDetector); what is of no use without network is in none. `version` changes
// when any file does.
import { createHash } from 'node:crypto'

const localePart = /\/i18n\/(?:([\w-]+)\/)?([\w-]+)\.json$/
const emojiPart = /virtual:emoji\/([\w-]+)$/

/** Administration asks the server for all that it shows, and few people have it; joining, signing in, linking a device and looking where one is signed in are
 * done seldom, and never without the server; so is what is decided about groups (talking in them, and who is in them, is kept); what large groups need comes with what is said in them; a pack of stickers comes from it, too; a video
 * is made smaller right before it leaves. Who opens one of these without network is told so. */
const online = /^assets\/(?:admin|devices|communities|community-ask|groups|channels|channel-(?:lead|desk|keep|ask)|group-(?:ask|tell)|group-after|manage|link|onboarding|door-open|packs|sender-keys|locked|video|film)-/
const onlineCode = /\/xmpp\/admin\.ts$|\/i18n\/[\w-]+\/(?:admin|communities|devices|events|groups|link|onboarding)\.json$/
/** Statuses and channels are looked at where there is a connection: what was loaded once the browser has for a while. */
const updates = /^assets\/(?:updates|status|status-(?:lead|desk)|stories|telling)-|\/i18n\/[\w-]+\/(?:updates|status)\.json$/
/** What is pleasant and not needed: who asks for it without network is told so; emoji are then found by fewer names. */
const spared = /^assets\/(?:Stickers|ChooseLists|Once|once|Broadcast|Loop|broadcast|editor|Events|eventRemind)-/
const sparedCode = /virtual:emoji-words\/|\/i18n\/[\w-]+\/(?:once|broadcast)\.json$/

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
      const lacking = Object.fromEntries(Object.keys(spare).map((what) => [what, []]))
      for (const [name, item] of Object.entries(bundle)) {
        if (updates.test(name) || updates.test(item.facadeModuleId ?? '') || online.test(name) || spared.test(name) || onlineCode.test(item.facadeModuleId ?? '') || sparedCode.test(item.facadeModuleId ?? '')) { left.add(name); continue }
        const what = Object.keys(spare).find((w) => spare[w].test(item.facadeModuleId ?? ''))
        if (what) { lacking[what].push(name); continue }
        const found = item.type === 'chunk' ? languageOf(item) : undefined
        if (!found) { if (name !== 'index.html') common.push(name); continue }
        ;(locales[found.language] ??= []).push(name)
        if (found.first) first[found.language] = name
      }
      // What something that is kept begins with is kept, whatever its name.
      for (const name of common) for (const needed of bundle[name]?.imports ?? []) if (left.delete(needed)) common.push(needed)
      const sorted = (table) => Object.fromEntries(Object.keys(table).sort().map((key) => [key, Array.isArray(table[key]) ? table[key].sort() : table[key]]))
      const lists = { files: common.sort(), locales: sorted(locales), lacking: sorted(lacking) }
      const version = createHash('sha256').update(JSON.stringify(lists)).digest('hex').slice(0, 16)
      this.emitFile({ type: 'asset', fileName: 'locales.json', source: JSON.stringify(sorted(first), null, 1) })
      this.emitFile({ type: 'asset', fileName: 'files.json', source: JSON.stringify({ version, ...lists }, null, 1) })
    },
  }
}
