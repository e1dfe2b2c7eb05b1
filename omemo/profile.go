package omemo

import "fmt"

// Version is a version of OMEMO, as it is saved: never renumber.
type Version uint8

// The two versions in use.
const (
	V03 Version = 1 // eu.siacs.conversations.axolotl, XEP-0384 v0.3.0
	V2  Version = 2 // urn:xmpp:omemo:2, XEP-0384 v0.9.1
)

// Namespace returns the XML namespace of v.
func (v Version) Namespace() string {
	switch v {
	case V03:
		return "eu.siacs.conversations.axolotl"
	case V2:
		return "urn:xmpp:omemo:2"
	}
	return ""
}

// String returns the version number as XEP-0384 writes it.
func (v Version) String() string {
	switch v {
	case V03:
		return "0.3"
	case V2:
		return "2"
	}
	return fmt.Sprintf("unknown version %d", uint8(v))
}

// profile returns the constants of v, or an error if v is neither of the two.
func (v Version) profile() (*profile, error) {
	switch v {
	case V03:
		return &profile03, nil
	case V2:
		return &profile2, nil
	}
	return nil, fmt.Errorf("omemo %s: %w", v, ErrMalformed)
}

// profile holds everything in which the two versions differ; the machine is the same.
type profile struct {
	version Version

	infoAgreement string // HKDF info of X3DH
	infoRoot      string // HKDF info of a ratchet step
	infoMessage   string // HKDF info of message keys

	keyPrefix   []byte // before an encoded Curve25519 key
	wirePrefix  []byte // before an encoded message or key exchange: the version byte of 0.3
	macSize     int    // bytes left of the HMAC-SHA-256 of a message
	edIdentity  bool   // identity keys travel in Ed25519 form
	signInSig   bool   // the sign bit of the Ed25519 identity travels in bit 7 of byte 63 of a signature
	macOutside  bool   // the MAC follows the message; otherwise both are fields of an envelope
	adByRole    bool   // associated data is initiator then responder; otherwise sender then receiver
	countsChain bool   // previousCounter is exact, so the chain before can be closed

	message  messageFields
	exchange exchangeFields
}

// messageFields are the protobuf field numbers of a ratchet message.
type messageFields struct{ ratchetKey, counter, previous, ciphertext int }

// exchangeFields are the protobuf field numbers of a key exchange; registration is 0 where there is none.
type exchangeFields struct{ registration, preKey, signedPreKey, baseKey, identity, message int }

var profile03 = profile{
	version:       V03,
	infoAgreement: "WhisperText",
	infoRoot:      "WhisperRatchet",
	infoMessage:   "WhisperMessageKeys",
	keyPrefix:     []byte{0x05},
	wirePrefix:    []byte{0x33},
	macSize:       8,
	signInSig:     true,
	macOutside:    true,
	message:       messageFields{ratchetKey: 1, counter: 2, previous: 3, ciphertext: 4},
	exchange:      exchangeFields{registration: 5, preKey: 1, signedPreKey: 6, baseKey: 2, identity: 3, message: 4},
}

var profile2 = profile{
	version:       V2,
	infoAgreement: "OMEMO X3DH",
	infoRoot:      "OMEMO Root Chain",
	infoMessage:   "OMEMO Message Key Material",
	macSize:       16,
	edIdentity:    true,
	adByRole:      true,
	countsChain:   true,
	message:       messageFields{ratchetKey: 3, counter: 1, previous: 2, ciphertext: 4},
	exchange:      exchangeFields{preKey: 1, signedPreKey: 2, identity: 3, baseKey: 4, message: 5},
}
