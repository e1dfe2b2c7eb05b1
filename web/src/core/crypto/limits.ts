// Limits. Exceeding one is a refusal, never a crash.

/** Messages that one message may skip, and skipped keys kept per session, oldest dropped first (XEP-0384 §4.3). */
export const maxSkip = 1000
/** Older session states kept per device, which simultaneous key exchanges leave behind. */
export const maxArchived = 40
/** Devices that one message is encrypted for. */
export const maxDevices = 4096
/** Plaintext and payload of a message, in bytes. */
export const maxPayload = 1 << 20
/** Identities remembered for one address, and devices with sessions per version; the oldest make room. */
export const maxIdentities = 1000
/** An address, in bytes (RFC 7622 §3.1). */
export const maxJID = 2047
/** The largest device or prekey id: apps read them as signed 32-bit integers. */
export const maxID = 2 ** 31 - 1
/** Counter from which a one-sided chain wants an empty message in reply (XEP-0384 §6). */
export const heartbeatAfter = 53
/** Receiving chains remembered: late messages of the last 16 turns are read, or known as duplicates. */
export const maxChains = 16
/** Keys of one message tried for our device id: 0.3 does not qualify it by address. */
export const maxTries = 8
/** One key of a message, encoded: the largest legitimate one is about 250 bytes. */
export const maxKeyBytes = 1024
/** Prekeys accepted in a bundle. */
export const maxPreKeys = 1000
/** Used prekeys that stay readable, in each version. */
export const maxHeld = 1000
/** Prekeys in our bundle (XEP-0384 §4.2: should always contain around 100). */
export const preKeyTarget = 100
/** Largest counter of a chain. */
export const maxCounter = 2 ** 32 - 1
