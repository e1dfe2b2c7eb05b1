// The bytes that are signed and the signature of the example in docs/protocol/channels.md; what a publisher writes is what readers check.
import { expect, test } from 'vitest'
import { fingerprint, fits, publicKey, sign, signedBytes } from '../../../src/core/xmpp/channel-sign.ts'
import { readPost, signatureOf } from '../../../src/core/xmpp/channels.ts'
import { base64 } from '../../../src/core/xmpp/stanza.ts'
import { parse, serialise, type Element } from '../../../src/core/xmpp/xml.ts'

const ENTRY = `<entry xmlns='http://www.w3.org/2005/Atom' xml:lang='fr'><id>tag:town.example,2026:1</id><title>Fermeture</title><updated>2026-11-21T18:00:00Z</updated><content type='text'>Le pont est fermé &amp; gardé.</content><link rel='enclosure' href='https://town.example/pont.jpg' type='image/jpeg'/></entry>`
const SEED = new TextEncoder().encode('palabre example key, 32 bytes!!!')
const SIGNATURE = 'IKnhs1LWzsoU11tW1gCn5TXrWxXqcncsmPp08WjAgHo2B99ttglqFqhmllKtkRdUO79ZSe28cTpN/eUvGC0bDg=='
const BYTES = `urn:palabre:channel:0#signed
23:town@channels.localhost,1:p,(27:http://www.w3.org/2005/Atom,5:entry,@36:http://www.w3.org/XML/1998/namespace,4:lang,2:fr,(27:http://www.w3.org/2005/Atom,2:id,t23:tag:town.example,2026:1,)(27:http://www.w3.org/2005/Atom,5:title,t9:Fermeture,)(27:http://www.w3.org/2005/Atom,7:updated,t20:2026-11-21T18:00:00Z,)(27:http://www.w3.org/2005/Atom,7:content,@0:,4:type,4:text,t28:Le pont est fermé & gardé.,)(27:http://www.w3.org/2005/Atom,4:link,@0:,4:href,29:https://town.example/pont.jpg,@0:,3:rel,9:enclosure,@0:,4:type,10:image/jpeg,))`
const town = 'town@channels.localhost'

const read = (xml: string): Element => {
  const found = parse(xml)
  if (!found) throw new Error(`not well-formed: ${xml}`)
  return found
}

test('the example of the document: its bytes, its key and its signature', async () => {
  const entry = read(ENTRY)
  expect(new TextDecoder().decode(signedBytes(town, 'p', entry))).toBe(BYTES)
  const signed = await sign(SEED, 'romeo@example', town, 'p', entry)
  expect(signatureOf(signed)).toEqual({ by: 'romeo@example', key: '-zinAs3BPIL0cD93meQQd5-9SjJTiVh9o2D9fGJ2Yzc', value: SIGNATURE })
  expect(await fingerprint(publicKey(SEED))).toBe('-zinAs3BPIL0cD93meQQd5-9SjJTiVh9o2D9fGJ2Yzc')
})

test('however the XML is written, the bytes are the same', () => {
  const otherwise = `<a:entry xml:lang="fr" xmlns:a="http://www.w3.org/2005/Atom" xmlns:x='urn:unused'><a:id>tag:town.example,2026:1</a:id><a:title>Ferme<![CDATA[tu]]>re</a:title><a:updated>2026-11-21T18:00:00Z</a:updated><a:content type='text'>Le pont est ferm&#xe9; <![CDATA[&]]> gardé.</a:content><signature xmlns='urn:palabre:channel:0'>x</signature><a:link type='image/jpeg' href='https://town.example/pont.jpg' rel='enclosure'></a:link></a:entry>`
  expect(new TextDecoder().decode(signedBytes(town, 'p', read(otherwise)))).toBe(BYTES)
})

test('a signature fits nothing but what was signed', async () => {
  const signed = await sign(SEED, 'romeo@example', town, 'p', read(ENTRY))
  const key = base64(publicKey(SEED))
  const again = read(serialise(signed))
  expect(await fits(key, town, 'p', again)).toBe(true)
  expect(await fits(key, 'city@channels.localhost', 'p', again)).toBe(false)
  expect(await fits(key, town, 'q', again)).toBe(false)
  expect(await fits(base64(publicKey(new Uint8Array(32))), town, 'p', again)).toBe(false)
  for (const [from, to] of [['fermé', 'ouvert'], ['pont.jpg', 'port.jpg'], ["xml:lang='fr'", ''], ['<title>', '<title> '], ['IKnhs1', 'JKnhs1']] as const) {
    const changed = serialise(signed).replace(from, to)
    expect(changed).not.toBe(serialise(signed))
    expect(await fits(key, town, 'p', read(changed))).toBe(false)
  }
  expect(await fits('AAAA', town, 'p', again)).toBe(false)
  expect(await fits(key, town, 'p', read(ENTRY))).toBe(false)
})

test('text of any script, and attributes in namespaces, are signed as they are', async () => {
  const entry = read(`<entry xmlns='http://www.w3.org/2005/Atom' xmlns:b='urn:b' xmlns:a='urn:a' b:x='1' a:y='2' z='3'><title>مرحبا 👋</title> tail</entry>`)
  expect(new TextDecoder().decode(signedBytes(town, 'p', entry))).toContain('@0:,1:z,1:3,@5:urn:a,1:y,1:2,@5:urn:b,1:x,1:1,')
  expect(await fits(base64(publicKey(SEED)), town, 'p', read(serialise(await sign(SEED, 'romeo@example', town, 'p', entry))))).toBe(true)
})

test('a malformed signature is none that fits', () => {
  const of = (inner: string) => signatureOf(read(`<entry xmlns='http://www.w3.org/2005/Atom'><title>x</title>${inner}</entry>`))
  expect(of('')).toBeUndefined()
  const good = `<signature xmlns='urn:palabre:channel:0' by='romeo@example' key='-zinAs3BPIL0cD93meQQd5-9SjJTiVh9o2D9fGJ2Yzc'>${SIGNATURE}</signature>`
  expect(of(good)?.value).toBe(SIGNATURE)
  expect(of(good + good)?.value).toBe('')
  expect(of(`<signature xmlns='urn:palabre:channel:0' by='romeo@example' key='short'>${SIGNATURE}</signature>`)?.value).toBe('')
  expect(of(good.replace(SIGNATURE, 'AAAA'))?.value).toBe('')
  expect(of(good.replace(`by='romeo@example'`, ''))?.value).toBe('')
})

test('a post: what makes no sense is left out', () => {
  const post = readPost(read(`<entry xmlns='http://www.w3.org/2005/Atom'><id>x</id><title>Bridge closed</title><published>2026-11-21T18:00:00Z</published><updated>2026-11-21T19:00:00Z</updated>
    <content type='html'>&lt;p&gt;Bridge &amp;amp; road&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;</content><category scheme='urn:palabre:channel:0#segment' term='fr'/><category term='other'/>
    <link rel='enclosure' href='javascript:alert(1)' type='image/png'/><link rel='enclosure' href='http://plain.example/x.png'/><link rel='alternate' href='https://a.example/'/>
    <link rel='enclosure' href='https://a.example/x/../b%2Fc.png' type='image/png' length='12'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>AAAA</hash></link></entry>`))
  expect(post).toMatchObject({ title: 'Bridge closed', text: 'Bridge & road\nx', edited: true, segments: ['fr'], media: [{ url: 'https://a.example/x/../b%2Fc.png', type: 'image/png', name: 'b_c.png', size: 12 }] })
  expect(post.media).toHaveLength(1)
  expect(readPost(read(`<entry xmlns='http://www.w3.org/2005/Atom'/>`))).toEqual({ title: '', text: '', segments: [], media: [] })
})
