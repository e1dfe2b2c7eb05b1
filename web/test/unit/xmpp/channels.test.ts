// What the service of channels says is read within limits, and what makes no sense is nothing.
import { expect, test } from 'vitest'
import { isName, parseDeleted, parseEntry, readInfo, readListed, readPost, readSums } from '../../../src/core/xmpp/channels.ts'
import { parse, type Element } from '../../../src/core/xmpp/xml.ts'

const read = (xml: string): Element => {
  const found = parse(xml)
  if (!found) throw new Error(`not well-formed: ${xml}`)
  return found
}
const entry = (inner: string, place = `node='town' id='20' after='10'`) => parseEntry(read(`<message xmlns='jabber:client' type='headline'>${inner}<entry xmlns='urn:palabre:channel:0' ${place}/></message>`))
const event = (inner: string) => `<event xmlns='http://jabber.org/protocol/pubsub#event'>${inner}</event>`
const atom = `<entry xmlns='http://www.w3.org/2005/Atom'><title>x</title></entry>`
const place = { name: 'town', id: 20, after: 10, what: 'place' }

test('entries: posts, what was taken back, changes and places', () => {
  expect(entry(event(`<items node='town'><item id='p' publisher='Romeo@example/phone'>${atom}</item></items>`))).toMatchObject({ what: 'post', item: 'p', by: 'romeo@example', id: 20, after: 10 })
  expect(entry(event(`<items node='town'><retract id='p'/></items>`))).toMatchObject({ what: 'retract', item: 'p' })
  expect(entry(event(`<configuration node='town'/>`) + `<change xmlns='urn:palabre:channel:0' what='mark' reason='seen'/>`)).toMatchObject({ what: 'mark', text: 'seen' })
  expect(entry('')).toEqual(place)
})

test('an entry that contradicts itself is a place, and one without a place is none', () => {
  for (const inner of [
    event(`<items node='other'><item id='p' publisher='a@b'>${atom}</item></items>`), event(`<items node='town'><item id='p' publisher='not an address @'>${atom}</item></items>`),
    event(`<items node='town'><item publisher='a@b'>${atom}</item></items>`), event(`<items node='town'><item id='${'x'.repeat(129)}' publisher='a@b'>${atom}</item></items>`),
    event(`<items node='town'><item id='p' publisher='a@b'><entry xmlns='urn:other'/></item></items>`), event(`<configuration node='other'/>`) + `<change xmlns='urn:palabre:channel:0' what='mark' reason='x'/>`,
    `<change xmlns='urn:palabre:channel:0' what='mark' reason='without an event'/>`, event(`<configuration node='town'/>`) + `<change xmlns='urn:palabre:channel:0' what='else'/>`,
  ]) expect(entry(inner)).toEqual(place)
  for (const where of [`node='town'`, `node='town' id='-1'`, `node='town' id='1e9'`, `node='town' id='99999999999999999999'`, `node='../x' id='5'`, `id='5'`, `node='Town' id='5'`]) expect(entry('', where)).toBeUndefined()
  expect(parseDeleted(read(`<message xmlns='jabber:client'>${event(`<delete node='town'/>`)}</message>`))).toBe('town')
  expect(parseDeleted(read(`<message xmlns='jabber:client'>${event(`<delete node='urn:xmpp:avatar'/>`)}</message>`))).toBeUndefined()
})

test('names are those that the server gives', () => {
  for (const name of ['a', 'town-of.verona_1', '9', 'x'.repeat(64)]) expect(isName(name)).toBe(true)
  for (const name of ['', 'Town', '-a', 'a-', 'a b', 'é', 'a/b', 'x'.repeat(65), undefined]) expect(isName(name)).toBe(false)
})

test('lists, facts and sums stay within their limits', () => {
  const many = Array.from({ length: 300 }, (_, i) => `<channel node='c${i}' title='${'t'.repeat(300)}' newest='7' affiliation='king' followers='-3' picture='http://plain.example/x' mark='m'/>`).join('')
  const listed = readListed(read(`<channels xmlns='urn:palabre:channel:0'>${many}</channels>`))
  expect(listed).toHaveLength(100)
  expect(listed[0]).toMatchObject({ name: 'c0', standing: 'none', followers: 0, picture: '', mark: 'm', newest: 7 })
  expect(listed[0]?.title).toHaveLength(100)
  const info = readInfo('town', new Map([['pubsub#title', ['']], ['urn:palabre:channel:0#comments', ['javascript:alert(1)']], ['urn:palabre:channel:0#picture', ['https://a.example/x.png']],
    ['urn:palabre:channel:0#segments', ['fr Français', 'Nord', 'de', ...Array.from({ length: 100 }, (_, i) => `s${i}`)]], ['pubsub#owner', ['romeo@example', '@@']], ['urn:palabre:channel:0#marked', ['never']]]))
  expect(info).toMatchObject({ title: 'town', comments: '', picture: 'https://a.example/x.png', owners: ['romeo@example'], reactions: false, private: false })
  expect(info.marked).toBeUndefined()
  expect(info.segments.slice(0, 2)).toEqual([{ name: 'fr', label: 'Français' }, { name: 'de', label: 'de' }])
  expect(info.segments.length).toBeLessThanOrEqual(50)
  const sums = readSums(read(`<sums xmlns='urn:palabre:channel:0'><post item='p' views='x' mine=''>${`<reaction emoji='👍' count='2'/>`.repeat(40)}<reaction count='9'/></post></sums>`))
  expect(sums.get('p')?.sums).toHaveLength(30)
  expect(sums.get('p')).toMatchObject({ views: 0, mine: '' })
})

test('a post of any size is read at once', () => {
  const begun = performance.now()
  for (const text of ['&lt;'.repeat(15_000), '&lt;p'.repeat(10_000), '&amp;'.repeat(12_000), 'a&lt;b&gt; '.repeat(6000)]) {
    const post = readPost(read(`<entry xmlns='http://www.w3.org/2005/Atom'><title>${'t'.repeat(5000)}</title><content type='html'>${text}</content></entry>`))
    expect(post.text.length).toBeLessThanOrEqual(20_000)
    expect(post.title.length).toBeLessThanOrEqual(300)
  }
  expect(performance.now() - begun).toBeLessThan(15_000)
  const xhtml = readPost(read(`<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>One</p><p>Two <b>three</b></p><script>no</script></div></content></entry>`))
  expect(xhtml.text).toContain('One\nTwo three')
})
