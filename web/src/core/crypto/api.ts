// What the engine may ask of the crypto worker. One account is open at a time in one worker; several tabs may have a worker each, and take
// turns. Every promise is fulfilled, with a Result.

import type { Device, JID } from '../model.ts'
import type {
  Address, Bytes, ChainName, Comparison, DecryptRequest, Due, Encrypted, EncryptRequest, HistoryChunk, HistoryIndex, HistoryState, LinkLogin, LinkMessage, LinkRole,
  LinkStep, MediaKey, Notice, Opened, Own, Result, ScannedKey, Sealed, Trust, Version,
} from './types.ts'

type Answer<T> = Promise<Result<T>>

/** Crypto is the worker, as seen from the tab. */
export interface Crypto {
  /** Opens or makes the account's device; first of all, and again for another account. `taken`: ids on its own device lists, if known. With `only` it
   * is that device or refused as `gone`: nothing is made anew when keys are expected. */
  init(account: JID, taken: number[], only?: number): Answer<Own>
  /** A new session with the server began that was not the old one resumed. */
  newSession(): Answer<void>
  /** A device list that the server told (PEP event), or that was fetched; [] if there is none. For our own account: what to publish as the new list,
   * after what is due has been published; null if our device is on it. */
  listed(jid: JID, version: Version, ids: number[]): Answer<number[] | null>
  /** The ratchets behind the ciphertext are kept before it is given. After a crash encrypt again, under the same origin-id. */
  encrypt(request: EncryptRequest): Answer<Sealed>
  /** One call after the other is not needed: they wait for each other. Replays with the same key give the same until `stored`. */
  decrypt(request: DecryptRequest): Answer<Opened>
  /** The same for up to 200 messages in their order, kept in one step: for catching up, where keeping takes most of the time. */
  decryptMany(requests: DecryptRequest[]): Answer<Result<Opened>[]>
  /** These messages are in the engine's own store, durably. */
  stored(keys: string[]): Answer<void>
  /** At start: messages that were decrypted but never `stored`. At most 500; ask again after storing them. */
  unstored(): Answer<Opened[]>
  /** Around reading an archive: nothing is answered until all that began have ended. */
  beginCatchUp(): Answer<void>
  endCatchUp(): Answer<void>
  /** Once a day: rotates keys. */
  maintain(): Answer<void>
  /** Send and publish this. Ask when `onDue` says so, and at the start of a session. */
  due(): Answer<Due>
  /** The server has the bundle with this mark. With '': it has none, publish it again. */
  published(version: Version, mark: string): Answer<void>
  /** What this device said in a group, encrypted for all at once, stands in the group's log: who had not got the chain has it from there. */
  reflected(room: JID, epoch: string, n: number): Answer<void>
  /** Somebody is asked for a chain that is missing here, once an hour at most: `due`. */
  want(chain: ChainName): Answer<void>
  /** For the `labelsig` of the OMEMO 2 device list. */
  signLabel(label: string): Answer<Bytes>

  /** Devices of an account, oldest first; of our own, this one first. A fingerprint is '' while the key has not been seen: `learn` it. */
  devices(jid: JID): Answer<Device[]>
  /** Fetches keys of an account's devices that have not been seen. */
  learn(jid: JID): Answer<void>
  /** A person decided about the device whose key they saw as `fingerprint` (64 hex digits). */
  setTrust(device: Address, fingerprint: string, trust: Trust): Answer<void>
  /** A label in an OMEMO 2 device list; refused as `malformed` if the signature is not the device's, as `no-session` while its key is not known. */
  setLabel(device: Address, label: string, signature: Bytes): Answer<void>
  /** What people have to see: new devices, new keys. Kept until `noticed`. */
  notices(): Answer<Notice[]>
  noticed(ids: string[]): Answer<void>
  /** For the QR code of our own account. */
  trustURI(): Answer<string>
  /** Reads a scanned code without deciding anything. */
  parseTrustURI(uri: string): Answer<{ jid: JID; keys: ScannedKey[] }>
  /** Compares a scanned code and decides. */
  compare(uri: string): Answer<Comparison & { jid: JID }>
  /** Twelve groups of five digits. */
  safetyNumber(jid: JID): Answer<string>
  /** Two people found the number equal: all listed devices are verified. */
  verifyNumber(jid: JID, number: string): Answer<void>

  /**
   * Encrypts a file with a new key, in pieces, so that large ones need little memory. The result is 16 bytes longer. With the key of an earlier call
   * it gives what that gave, so that an upload can go on; the file must be the same to the byte, or the key would be known to who has both.
   */
  encryptMedia(file: Blob, again?: MediaKey): Answer<{ blob: Blob; key: MediaKey }>
  /** Decrypts a file. Nothing comes back before all of it proved authentic. */
  decryptMedia(file: Blob, key: MediaKey, mime: string): Answer<Blob>

  // Encrypted history, docs/protocol/encrypted-history.md

  historyState(): Answer<HistoryState>
  /** The first key, or the next one after a device was removed: then publish `wrapRecovery` and send `shareHistory`. */
  newHistoryKey(): Answer<HistoryState>
  /** A message to our own verified devices with the keys of the history; null if there are none. Theirs take it over by themselves. */
  shareHistory(): Answer<Encrypted | null>
  /** Packs and seals as many lines (JSON, no line breaks) as fit into one chunk of this device; `taken` says how many. */
  sealChunk(number: number, previous: string, lines: string[]): Answer<HistoryChunk & { taken: number }>
  openChunk(data: Bytes, expected: { writer: number; number: number; hash?: string }): Answer<{ lines: string[]; previous: string }>
  sealIndex(index: HistoryIndex): Answer<Bytes>
  /** `duplicate`: the server gave an older one than was seen here. `no-session`: sealed with a key that this device has not (yet). */
  openIndex(writer: number, data: Bytes): Answer<HistoryIndex>
  /** A new recovery code to show once, and what to publish for it. */
  newRecovery(): Answer<{ code: string; wrapped: Bytes }>
  /** What to publish for the code that there is, after a new key. */
  wrapRecovery(): Answer<Bytes>
  recover(code: string, wrapped: Bytes): Answer<HistoryState>
  /** Begins a hand-over on the device that shows the QR code; `address` is its full address. It ends after five minutes. */
  linkShow(role: LinkRole, address: string): Answer<{ id: string; uri: string }>
  /** On the device that scanned it: send the first message to `to`. */
  linkScan(uri: string): Answer<LinkStep & { id: string; to: string }>
  /** A message of the other device; it must come from our own account. */
  linkHear(id: string, message: LinkMessage): Answer<LinkStep>
  /** A person found the same six digits on both devices. `login`, on the older one, lets the new one in. */
  linkConfirm(id: string, login?: LinkLogin): Answer<LinkStep>
  /** On the older device: the new one is in, although it could not say so. */
  linkArrived(id: string): Answer<void>
  linkCancel(id: string): Answer<void>

  /** Removes every key of the account from this device. */
  wipe(): Answer<void>
}
