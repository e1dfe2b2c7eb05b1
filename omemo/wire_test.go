package omemo

import (
	"bytes"
	"errors"
	"testing"
)

// TestWireIsStrict: a key exchange and a message inside it, spoilt one rule at a time.
func TestWireIsStrict(t *testing.T) {
	pair, err := newKeyPair(&drawn{name: "wire"})
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := edKey(pair.private)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*profile{&profile03, &profile2} {
		signed := p.encodeMessage(ratchetMessage{ratchetKey: pair.public, counter: 1, previous: 2, ciphertext: make([]byte, 48)})
		message := p.appendMAC(signed, make([]byte, p.macSize))
		good := p.encodeExchange(keyExchange{
			registration: 1, preKey: 2, signedPreKey: 3, baseKey: pair.public, identity: publicIdentity{pair.public, ed}, message: message,
		})
		if _, err := p.decodeExchange(good); err != nil {
			t.Fatal(err)
		}
		if m, err := p.decodeMessage(message); err != nil || m.counter != 1 || m.previous != 2 || m.ratchetKey != pair.public {
			t.Fatalf("%+v, %v", m, err)
		}
		unknown := append(bytes.Clone(good), 0x78, 1, 0x7d, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8) // field 15, every width
		if x, err := p.decodeExchange(unknown); err != nil || x.preKey != 2 {
			t.Fatalf("unknown fields of the future: %+v, %v", x, err)
		}
		for name, bad := range map[string][]byte{
			"empty":         nil,
			"prefix only":   p.wirePrefix,
			"cut":           good[:len(good)-1],
			"twice a field": append(bytes.Clone(good), byte(p.exchange.preKey<<3), 2),
			"group":         append(bytes.Clone(good), 0x7b),
			"field 0":       append(bytes.Clone(good), 0x00, 1),
			"cut fixed":     append(bytes.Clone(good), 0x7d, 1),
			"cut varint":    append(bytes.Clone(good), 0x78, 0x80),
			"long varint":   append(append(bytes.Clone(good), 0x78), bytes.Repeat([]byte{0xff}, 11)...),
			"huge string":   append(bytes.Clone(good), 0x7a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
			"64-bit id":     wireID(p, []byte{0x80, 0x80, 0x80, 0x80, 0x10}, message),
			"id is a text":  wireID(p, nil, message),
		} {
			if x, err := p.decodeExchange(bad); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s, %s: %+v, %v", p.version, name, x, err)
			}
		}
		if _, err := p.decodeExchange(make([]byte, maxKeyBytes+1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a large exchange: %v", err)
		}
		if _, err := p.decodeMessage(make([]byte, maxKeyBytes+1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a large message: %v", err)
		}
		for n := range len(message) {
			if m, err := p.decodeMessage(message[:n]); err == nil {
				t.Errorf("%s: a message cut to %d of %d bytes: %+v", p.version, n, len(message), m)
			}
		}
	}
}

// wireID begins a key exchange with a prekey id as it is given, or as a byte string.
func wireID(p *profile, id, message []byte) []byte {
	f := fields(bytes.Clone(p.wirePrefix))
	if id == nil {
		f.bytes(p.exchange.preKey, []byte{1})
	} else {
		f = append(append(f, byte(p.exchange.preKey<<3)), id...)
	}
	f.bytes(p.exchange.message, message)
	return f
}
