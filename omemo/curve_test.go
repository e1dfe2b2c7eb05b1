package omemo

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
)

// TestLowOrder asks the standard library: it refuses every point in our list, and our list is refused whatever its top bit.
func TestLowOrder(t *testing.T) {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range lowOrder {
		for _, top := range []byte{0, 0x80} {
			k[31] |= top
			public, err := ecdh.X25519().NewPublicKey(k[:])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := private.ECDH(public); err == nil {
				t.Errorf("%x is not of low order", k)
			}
			if !isLowOrder(k) {
				t.Errorf("%x passed", k)
			}
			if _, err := edwardsOf(k, 0); !errors.Is(err, ErrMalformed) {
				t.Errorf("%x as an identity: %v", k, err)
			}
		}
	}
	for low := 0xed; low <= 0xff; low++ {
		k := nearPrime(byte(low))
		if isReduced(k) || !isReduced(nearPrime(0xec)) {
			t.Errorf("%x counts as reduced", k)
		}
		if k[15] = 0; !isReduced(k) {
			t.Errorf("%x counts as not reduced", k)
		}
	}
	if isLowOrder(key(private.PublicKey().Bytes())) {
		t.Error("a good key was refused")
	}
}

// TestIdentityForms: both forms of a key name each other, and signatures verify with the standard library under sign bit 0.
func TestIdentityForms(t *testing.T) {
	for range 20 {
		pair, err := newKeyPair(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		_, ed, err := edKey(pair.private)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := edwardsOf(pair.public, 0); err != nil || again != ed || ed[31]&0x80 != 0 {
			t.Fatalf("%x, %x: %v", again, ed, err)
		}
		if u, err := curveOf(ed); err != nil || u != pair.public {
			t.Fatalf("%x, %x: %v", u, pair.public, err)
		}
		message := []byte("a message")
		signature, err := sign(pair.private, message, rand.Reader)
		if err != nil || !ed25519.Verify(ed[:], message, signature) {
			t.Fatalf("signature does not verify: %v", err)
		}
	}
}

// TestSignBitOfOthers: an Ed25519 identity may have sign bit 1. OMEMO 2 verifies with it as it is; in 0.3 the bit is in the signature.
func TestSignBitOfOthers(t *testing.T) {
	seen := map[byte]bool{}
	for range 64 {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		seen[public[31]>>7] = true
		id, err := profile2.identityFromWire(public)
		if err != nil {
			t.Fatal(err)
		}
		message := []byte("prekey")
		signature := ed25519.Sign(private, message)
		if err := profile2.verify(id, message, signature); err != nil {
			t.Fatalf("sign bit %d in OMEMO 2: %v", public[31]>>7, err)
		}
		signature[63] |= public[31] & 0x80
		old, err := profile03.identityFromWire(profile03.keyToWire(id.curve))
		if err != nil {
			t.Fatal(err)
		}
		if err := profile03.verify(old, message, signature); err != nil {
			t.Fatalf("sign bit %d in OMEMO 0.3: %v", public[31]>>7, err)
		}
		signature[63] ^= 0x80
		if err := profile03.verify(old, message, signature); !errors.Is(err, ErrMalformed) {
			t.Fatalf("the wrong sign bit verified: %v", err)
		}
	}
	if len(seen) != 2 {
		t.Fatal("64 keys had the same sign")
	}
}

func TestFingerprintAndTrustParam(t *testing.T) {
	var id Identity
	for n := range id {
		id[n] = byte(n)
	}
	want := "00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f"
	if got := id.Fingerprint(); got != want {
		t.Fatalf("fingerprint %q", got)
	}
	param := TrustParam(4711, id)
	if param != "omemo-sid-4711="+strings.ReplaceAll(want, " ", "") {
		t.Fatalf("parameter %q", param)
	}
	device, back, err := ParseTrustParam(strings.ReplaceAll(param, "0a0b", "0A0B"))
	if err != nil || device != 4711 || back != id {
		t.Fatalf("%d %x %v", device, back, err)
	}
	for _, bad := range []string{
		"", "omemo-sid-", "omemo-sid-1=", param[1:], param + "0", strings.Replace(param, "4711", "0", 1),
		strings.Replace(param, "4711", "2147483648", 1), strings.Replace(param, "4711", "-1", 1), strings.Replace(param, "1f", "1g", 1),
	} {
		if _, _, err := ParseTrustParam(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestBundleIsChecked(t *testing.T) {
	romeo, juliet := newTestDevice(t, "romeo@example.org"), newTestDevice(t, "juliet@example.org")
	for _, v := range versions {
		good, err := juliet.Bundle(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := good.Check(); err != nil || id != juliet.Identity() {
			t.Fatalf("own bundle: %x %v", id, err)
		}
		if len(good.PreKeys) != 100 {
			t.Fatalf("%d prekeys", len(good.PreKeys))
		}
		zero := bytes.Repeat([]byte{0}, 32)
		p, err := v.profile()
		if err != nil {
			t.Fatal(err)
		}
		low := append(bytes.Clone(p.keyPrefix), zero...)
		for name, spoil := range map[string]func(b *Bundle){
			"version":               func(b *Bundle) { b.Version = 7 },
			"other version":         func(b *Bundle) { b.Version = V03 + V2 - v },
			"no identity":           func(b *Bundle) { b.Identity = nil },
			"identity of low order": func(b *Bundle) { b.Identity = low },
			"other identity":        func(b *Bundle) { b.Identity = p.identityToWire(romeo.identity) },
			"short signed prekey":   func(b *Bundle) { b.SignedPreKey.Key = b.SignedPreKey.Key[1:] },
			"low signed prekey":     func(b *Bundle) { b.SignedPreKey.Key = low },
			"other signed prekey":   func(b *Bundle) { b.SignedPreKey.Key = b.PreKeys[0].Key },
			"short signature":       func(b *Bundle) { b.Signature = b.Signature[:63] },
			"spoilt signature":      func(b *Bundle) { b.Signature[5] ^= 1 },
			"no prekeys":            func(b *Bundle) { b.PreKeys = nil },
			"only prekey 0":         func(b *Bundle) { b.PreKeys = []PreKey{{0, b.PreKeys[0].Key}} },
			"low prekey":            func(b *Bundle) { b.PreKeys[99].Key = low },
			"long prekey":           func(b *Bundle) { b.PreKeys[0].Key = append(bytes.Clone(b.PreKeys[0].Key), 0) },
			"too many prekeys":      func(b *Bundle) { b.PreKeys = make([]PreKey, 1001) },
		} {
			b := *good
			b.Signature = bytes.Clone(good.Signature)
			b.PreKeys = append([]PreKey(nil), good.PreKeys...)
			spoil(&b)
			if err := romeo.Begin(t.Context(), juliet.address(), &b); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s, %s: %v", v, name, err)
			}
		}
	}
}
