package omemo

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Identity is the public identity key of a device in Curve25519 form, which both versions share and people compare.
type Identity [32]byte

// Fingerprint returns the key as eight groups of eight lower-case hex digits (XEP-0384 §8).
func (i Identity) Fingerprint() string {
	digits := hex.EncodeToString(i[:])
	var b strings.Builder
	for at := 0; at < len(digits); at += 8 {
		if at > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(digits[at : at+8])
	}
	return b.String()
}

const trustPrefix = "omemo-sid-"

// TrustParam returns the part of an xmpp: URI that states the identity of a device, as apps put it in QR codes:
// omemo-sid-<device id>=<64 hex digits>.
func TrustParam(device uint32, identity Identity) string {
	return trustPrefix + strconv.FormatUint(uint64(device), 10) + "=" + hex.EncodeToString(identity[:])
}

// ParseTrustParam reads what TrustParam writes; hex digits may be of either case. It returns ErrMalformed for anything else.
func ParseTrustParam(s string) (device uint32, identity Identity, err error) {
	rest, ok := strings.CutPrefix(s, trustPrefix)
	number, digits, found := strings.Cut(rest, "=")
	if !ok || !found || len(digits) != 2*len(identity) || len(number) > 10 {
		return 0, identity, fmt.Errorf("trust parameter: %w", ErrMalformed)
	}
	id, err := strconv.ParseUint(number, 10, 31)
	if err != nil || id == 0 {
		return 0, identity, fmt.Errorf("trust parameter names device %q: %w", number, ErrMalformed)
	}
	if _, err := hex.Decode(identity[:], []byte(digits)); err != nil {
		return 0, identity, fmt.Errorf("trust parameter: %w: %w", ErrMalformed, err)
	}
	return uint32(id), identity, nil
}

// publicIdentity is an identity key in both forms. In OMEMO 2 the Ed25519 form is the one that was received: its sign bit counts.
type publicIdentity struct{ curve, ed key }

// identityFromWire reads the identity of a bundle or key exchange, in the form of p.
func (p *profile) identityFromWire(wire []byte) (id publicIdentity, err error) {
	if p.edIdentity {
		if len(wire) != len(key{}) {
			return id, fmt.Errorf("identity of %d bytes: %w", len(wire), ErrMalformed)
		}
		id.ed = key(wire)
		id.curve, err = curveOf(id.ed)
		return id, err
	}
	if id.curve, err = p.keyFromWire(wire); err != nil {
		return id, fmt.Errorf("identity: %w", err)
	}
	id.ed, err = edwardsOf(id.curve, 0)
	return id, err
}

// identityToWire is the reverse of identityFromWire.
func (p *profile) identityToWire(id publicIdentity) []byte {
	if p.edIdentity {
		return id.ed[:]
	}
	return p.keyToWire(id.curve)
}

// keyFromWire reads a Curve25519 public key. It refuses points of low order, and encodings that X25519 would reduce: two spellings of one
// key would make one key exchange look like two.
func (p *profile) keyFromWire(wire []byte) (key, error) {
	n := len(p.keyPrefix)
	if len(wire) != n+len(key{}) || string(wire[:n]) != string(p.keyPrefix) {
		return key{}, fmt.Errorf("public key: %w", ErrMalformed)
	}
	k := key(wire[n:])
	if isLowOrder(k) || !isReduced(k) {
		return key{}, fmt.Errorf("public key of low order or not reduced: %w", ErrMalformed)
	}
	return k, nil
}

// keyToWire is the reverse of keyFromWire.
func (p *profile) keyToWire(k key) []byte {
	return append(append(make([]byte, 0, len(p.keyPrefix)+len(k)), p.keyPrefix...), k[:]...)
}

// associatedData binds a message to both identities (XEP-0384 §4.2). OMEMO 0.3 orders them by sender, OMEMO 2 by initiator.
func (p *profile) associatedData(local, remote publicIdentity, sending, initiated bool) []byte {
	localFirst := sending
	if p.adByRole {
		localFirst = initiated
	}
	first, second := remote, local
	if localFirst {
		first, second = local, remote
	}
	return append(append([]byte{}, p.identityToWire(first)...), p.identityToWire(second)...)
}
