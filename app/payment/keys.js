'use strict'
// The payment key of this browser (docs/protocol/payments.md, "Keys and the PIN"), what is kept in it, and the text that it signs.

const encoder = new TextEncoder()
const curve = { name: 'ECDSA', namedCurve: 'P-256' }
const rounds = 600000
const signs = { name: 'ECDSA', hash: 'SHA-256' }

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
const random = (n) => crypto.getRandomValues(new Uint8Array(n))
const sha256 = (data) => crypto.subtle.digest('SHA-256', data)
const keyID = async (point) => base64(await sha256(point)).slice(0, 22)
const newID = () => base64(random(18))

/** What this browser keeps: keys by account, and payments without an answer by what they are about. */
const kept = new Promise((done, failed) => {
  const request = indexedDB.open('palabre-payment', 1)
  request.onupgradeneeded = () => { request.result.createObjectStore('keys'); request.result.createObjectStore('pending') }
  request.onsuccess = () => done(request.result)
  request.onerror = () => failed(request.error)
})

async function keep(store, key, value) {
  const transaction = (await kept).transaction(store, 'readwrite', { durability: 'strict' })
  if (value === undefined) transaction.objectStore(store).delete(key)
  else transaction.objectStore(store).put(value, key)
  return new Promise((done, failed) => { transaction.oncomplete = () => done(); transaction.onerror = transaction.onabort = () => failed(transaction.error) })
}

async function look(store, key) {
  const request = (await kept).transaction(store).objectStore(store).get(key)
  return new Promise((done, failed) => { request.onsuccess = () => done(request.result); request.onerror = () => failed(request.error) })
}

/** A PIN with the digits 0 to 9, on whichever keyboard it was typed: Arabic, Persian, Devanagari. */
const plainPin = (typed) => typed.replace(/[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g, (c) => String((c.charCodeAt(0) & 15) - (c < '\u0900' ? 0 : 6)))

/** What comes of a PIN: what the service is shown, and a half of the key that opens ours. */
async function halves(pin, salt, device) {
  const typed = await crypto.subtle.importKey('raw', encoder.encode(pin), 'PBKDF2', false, ['deriveBits'])
  const slow = new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, typed, 256))
  const part = (name) => crypto.subtle.sign('HMAC', device, new Uint8Array([...encoder.encode(name), ...slow]))
  const [verifier, half] = await Promise.all([part('verifier'), part('half')])
  return { verifier: base64(verifier), half: new Uint8Array(half) }
}

const wrapping = async (half, share) => crypto.subtle.importKey('raw', await sha256(new Uint8Array([...half, ...share])), 'AES-GCM', false, ['encrypt', 'decrypt'])

/** Makes a key that a PIN opens: what is kept here, and what the service gets. */
async function makePinKey(pin) {
  const pair = await crypto.subtle.generateKey(curve, true, ['sign'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const device = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign'])
  const [salt, nonce, share] = [random(16), random(12), random(32)]
  const { verifier, half } = await halves(pin, salt, device)
  const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, await wrapping(half, share), await crypto.subtle.exportKey('pkcs8', pair.privateKey))
  return {
    key: { kind: 'pin', id: await keyID(point), salt, nonce, device, wrapped },
    request: { n: 'key', a: { kind: 'pin', name: browserName() }, c: [{ n: 'public', t: base64(point) }, { n: 'salt', t: base64(salt) }, { n: 'verifier', t: verifier }, { n: 'share', t: base64(share) }] },
  }
}

/** Signs with a key that a PIN opens; `unlock` asks the service for its share. */
async function signWithPin(key, pin, text, unlock) {
  const { verifier, half } = await halves(pin, key.salt, key.device)
  const share = bytes(await unlock(verifier))
  const secret = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: key.nonce }, await wrapping(half, share), key.wrapped)
  const opened = await crypto.subtle.importKey('pkcs8', secret, curve, false, ['sign'])
  return { n: 'signature', a: { key: key.id }, t: base64(await crypto.subtle.sign(signs, opened, encoder.encode(text))) }
}

/** Whether this device can have a passkey of its own. */
const hasLock = async () => Boolean(globalThis.PublicKeyCredential && await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.())

/** The device has not confirmed: somebody closed what it showed, or it could not. */
class NotConfirmed extends Error {}

const confirmed = (asked) => asked.catch((error) => { throw new NotConfirmed(error.message, { cause: error }) })

async function makePasskey(account) {
  const made = await confirmed(navigator.credentials.create({ publicKey: {
    rp: { name: location.hostname }, user: { id: random(16), name: account, displayName: account }, challenge: random(32), pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    authenticatorSelection: { authenticatorAttachment: 'platform', userVerification: 'required' },
  } }))
  const point = new Uint8Array(made.response.getPublicKey()).slice(-65) // the end of its SubjectPublicKeyInfo
  return {
    key: { kind: 'passkey', id: await keyID(point), credential: new Uint8Array(made.rawId) },
    request: { n: 'key', a: { kind: 'passkey', name: browserName() }, c: [{ n: 'public', t: base64(point) }, { n: 'credential', t: base64(made.rawId) }] },
  }
}

async function signWithPasskey(key, text) {
  const challenge = await sha256(encoder.encode(text))
  const { response } = await confirmed(navigator.credentials.get({ publicKey: { challenge, allowCredentials: [{ type: 'public-key', id: key.credential }], userVerification: 'required' } }))
  return { n: 'signature', a: { key: key.id, authenticator: base64(response.authenticatorData), client: base64(response.clientDataJSON) }, t: base64(response.signature) }
}

/** What this browser calls itself among the account's keys. */
function browserName() {
  const name = ['Firefox', 'Edg', 'OPR', 'SamsungBrowser', 'Chrome', 'Safari'].find((one) => navigator.userAgent.includes(one + '/')) ?? 'Browser'
  return `${name} (${location.hostname})`.slice(0, 60)
}

/** The text of an intent, as there is one way to write it. */
function intentText(fields) {
  const escaped = (value) => value.replace(/[%\u0000-\u001f\u007f]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0'))
  const names = ['service', 'id', 'kind', 'payer', 'payee', 'amount', 'unit', 'fee', 'expires', 'of', 'until', 'total', 'period', 'for', 'key']
  return 'palabre pay 0 intent\n' + names.map((name) => `${name}=${escaped(String(fields[name] ?? ''))}\n`).join('')
}

/** Whether a receipt is signed by the service; undefined where the browser cannot tell. */
async function signedBy(service, text, signature) {
  let key
  try {
    key = await crypto.subtle.importKey('raw', bytes(service), 'Ed25519', false, ['verify'])
  } catch {
    return undefined
  }
  return crypto.subtle.verify('Ed25519', key, bytes(signature), encoder.encode(text))
}

/** A field of a text, as it is written there. */
const fieldOf = (text, name) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? ''

/** Whether a receipt says, signed by the service, that this intent was done; undefined where it says so and the browser cannot tell who has signed it. */
async function provesDone(service, intent, text, signature) {
  const hash = [...new Uint8Array(await sha256(encoder.encode(intent)))].map((b) => b.toString(16).padStart(2, '0')).join('')
  const same = ['service', 'id', 'kind', 'payer', 'payee', 'amount', 'unit', 'fee', 'of'].every((name) => fieldOf(text, name) === fieldOf(intent, name))
  if (!text.startsWith('palabre pay 0 receipt\n') || !same || fieldOf(text, 'state') !== 'done' || fieldOf(text, 'intent') !== hash) return false
  try { return await signedBy(service, text, signature) } catch { return false }
}
