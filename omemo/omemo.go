// Package omemo gives a Go program an end of an end-to-end encrypted conversation: OMEMO 0.3, which today's apps speak
// (eu.siacs.conversations.axolotl, XEP-0384 v0.3.0), and OMEMO 2 (urn:xmpp:omemo:2, XEP-0384 v0.9.1), both on one code path.
// It is for clients, businesses and bots; a server has no use for it.
//
// A [Device] is one end: its identity, its prekeys and its sessions, kept in a [Store]. Nothing leaves Encrypt and no plaintext leaves
// Decrypt before the ratchet state behind it is saved, so a crash costs at most a message that was never sent or shown.
// One Device at a time may use a Store: a ratchet that forks is lost. Several replicas need several devices.
//
// Left out on purpose: XML and the network (the caller turns [Bundle] and [Message] into elements, and builds and reads the
// XEP-0420 envelope that is the plaintext of OMEMO 2, for which [Padding] makes the rpad), device lists, trust messages
// (XEP-0434, XEP-0450), and automatic repair: a caller decides when to replace a broken session with [Device.Begin].
package omemo

import "errors"

// Errors that callers tell apart with errors.Is. Every function wraps them with what it was doing.
var (
	// ErrMalformed means that input is not what the wire format says: a length, a field, a point or a signature is wrong.
	ErrMalformed = errors.New("malformed")
	// ErrTooLarge means that input or output exceeds a stated limit.
	ErrTooLarge = errors.New("too large")
	// ErrNotForUs means that a message has no key for this device: ignore it silently.
	ErrNotForUs = errors.New("no key for this device")
	// ErrNoSession means that no session with the device exists. A receiver may begin one and send an empty message (XEP-0384 §6).
	ErrNoSession = errors.New("no session with this device")
	// ErrNoPreKey means that a key exchange names a prekey that is used up or was never ours.
	ErrNoPreKey = errors.New("prekey is used up or unknown")
	// ErrDuplicate means that the message was decrypted before: show nothing (XEP-0384 §6).
	ErrDuplicate = errors.New("already decrypted")
	// ErrTooFar means that a message would skip more than MaxSkip others.
	ErrTooFar = errors.New("skips too many messages")
	// ErrDecrypt means that no session state fits the message, or that it was tampered with. Nothing changed.
	ErrDecrypt = errors.New("cannot be decrypted")
	// ErrDistrusted means that a person rejected the identity of the device.
	ErrDistrusted = errors.New("identity is distrusted")
	// ErrUndecided means that the identity is new for an address with a verified one, and waits for a person's decision.
	ErrUndecided = errors.New("identity waits for a decision")
	// ErrState means that a saved state cannot be read: it is damaged, or from a newer version of this program.
	ErrState = errors.New("saved state cannot be read")
)

// Limits. Exceeding one is an error, never a crash.
const (
	// MaxSkip bounds the messages that one message may skip, and the skipped keys kept per session, oldest dropped first (XEP-0384 §4.3).
	MaxSkip = 1000
	// MaxArchived bounds the older session states kept per device, which simultaneous key exchanges leave behind.
	MaxArchived = 40
	// MaxDevices bounds the devices that one message is encrypted for.
	MaxDevices = 4096
	// MaxPayload bounds the plaintext and the payload of a message, in bytes.
	MaxPayload = 1 << 20
	// MaxIdentities bounds the identities remembered for one address, and the devices with sessions per version; the oldest make room.
	MaxIdentities = 1000
	// MaxJID bounds an address, in bytes (RFC 7622 §3.1: two parts of 1023 bytes and the sign between).
	MaxJID = 2047
	// MaxID is the largest device or prekey id: apps read them as signed 32-bit integers.
	MaxID = 1<<31 - 1
	// HeartbeatAfter is the counter from which a one-sided chain wants an empty message in reply (XEP-0384 §6).
	HeartbeatAfter = 53
)

const (
	maxChains    = 16   // receiving chains remembered: late messages of the last 16 turns are read, or known as duplicates
	maxTries     = 8    // keys of one message tried for our device id: 0.3 does not qualify it by address
	maxKeyBytes  = 1024 // one key of a message, encoded: the largest legitimate one is about 250
	maxPreKeys   = 1000 // prekeys accepted in a bundle
	maxHeld      = 1000 // used prekeys that stay readable, in each version
	preKeyTarget = 100  // XEP-0384 §4.2: a bundle should always contain around 100
)
