// X3DH, the agreement on a first secret with a device that need not be online (X3DH §3, XEP-0384 §4.2).

import { join } from './bytes.ts'
import { agree, type KeyPair, type PublicIdentity } from './curve.ts'
import { derive, zeroSalt } from './kdf.ts'
import type { Profile } from './profile.ts'
import type { Bytes } from './types.ts'

/** The root key on the side that begins. */
export function initiatorSecret(
  p: Profile, local: KeyPair, ephemeral: KeyPair, identity: PublicIdentity, signedPreKey: Bytes, preKey: Bytes,
): Bytes {
  return sharedSecret(p, [
    [local.private, signedPreKey], [ephemeral.private, identity.curve], [ephemeral.private, signedPreKey], [ephemeral.private, preKey],
  ])
}

/** The same root key on the side that was offline. */
export function responderSecret(
  p: Profile, local: KeyPair, signedPreKey: Bytes, preKey: Bytes, identity: PublicIdentity, baseKey: Bytes,
): Bytes {
  return sharedSecret(p, [[signedPreKey, identity.curve], [local.private, baseKey], [signedPreKey, baseKey], [preKey, baseKey]])
}

// Hashes the agreements. OMEMO 0.3 derives 64 bytes, the second half being a chain that no message ever uses, because whoever answers has
// already turned the ratchet; the first half is the same for any length.
function sharedSecret(p: Profile, sources: [Bytes, Bytes][]): Bytes {
  const material = join(new Uint8Array(32).fill(0xff), ...sources.map(([privateKey, publicKey]) => agree(privateKey, publicKey)))
  return derive(material, zeroSalt, p.infoAgreement, 32)
}
