package omemo

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"sync"
	"testing"
)

// seeds adds every message of the vectors, so that a fuzzer starts from the real thing.
func seeds(f *testing.F, add func(version Version, exchange bool, data, payload []byte)) {
	f.Helper()
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		f.Fatal(err)
	}
	var v struct {
		Conversations []struct {
			Steps []struct {
				Message *struct {
					Exchange      bool
					Data, Payload string
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		f.Fatal(err)
	}
	for i, c := range v.Conversations {
		for _, s := range c.Steps {
			if s.Message != nil {
				add(versions[i], s.Message.Exchange, unhex(f, s.Message.Data), unhex(f, s.Message.Payload))
			}
		}
	}
}

func unhex(f *testing.F, s string) []byte {
	f.Helper()
	out, err := hex.DecodeString(s)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func fuzzProfile(two bool) *profile {
	if two {
		return &profile2
	}
	return &profile03
}

// FuzzDecodeMessage: what decodes can be encoded, and decodes the same again.
func FuzzDecodeMessage(f *testing.F) {
	seeds(f, func(v Version, exchange bool, data, _ []byte) {
		f.Add(v == V2, data)
	})
	f.Fuzz(func(t *testing.T, two bool, in []byte) {
		p := fuzzProfile(two)
		m, err := p.decodeMessage(in)
		if err != nil {
			return
		}
		again, err := p.decodeMessage(p.appendMAC(p.encodeMessage(m), m.mac))
		if err != nil || again.ratchetKey != m.ratchetKey || again.counter != m.counter ||
			again.previous != m.previous || !bytes.Equal(again.ciphertext, m.ciphertext) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
	})
}

// FuzzDecodeExchange: as above.
func FuzzDecodeExchange(f *testing.F) {
	seeds(f, func(v Version, exchange bool, data, _ []byte) {
		f.Add(v == V2, data)
	})
	f.Fuzz(func(t *testing.T, two bool, in []byte) {
		p := fuzzProfile(two)
		x, err := p.decodeExchange(in)
		if err != nil {
			return
		}
		again, err := p.decodeExchange(p.encodeExchange(x))
		if err != nil && len(in) < maxKeyBytes {
			t.Fatal(err)
		}
		if err == nil && (again.baseKey != x.baseKey || again.identity != x.identity || !bytes.Equal(again.message, x.message)) {
			t.Fatalf("%+v became %+v", x, again)
		}
	})
}

// fuzzPair is romeo, who can send, and juliet, who can read, made once.
var fuzzPair = sync.OnceValues(func() (pairs [2][2]*Device, err error) {
	ctx := context.Background()
	for i, v := range versions {
		random := &drawn{name: "fuzz " + v.String()}
		romeo, err := create(ctx, NewMemoryStore(), "romeo@example.org", nil, start, random)
		if err != nil {
			return pairs, err
		}
		juliet, err := create(ctx, NewMemoryStore(), "juliet@example.net", nil, start, random)
		if err != nil {
			return pairs, err
		}
		b, err := juliet.Bundle(ctx, v)
		if err != nil {
			return pairs, err
		}
		if err := romeo.Begin(ctx, juliet.address(), b); err != nil {
			return pairs, err
		}
		pairs[i] = [2]*Device{romeo, juliet}
	}
	return pairs, nil
})

// FuzzDecrypt mutates the key and the payload of a real message. Whatever opens must be the real text.
func FuzzDecrypt(f *testing.F) {
	const text = "the real one"
	pairs, err := fuzzPair()
	if err != nil {
		f.Fatal(err)
	}
	for i, v := range versions {
		romeo, juliet := pairs[i][0], pairs[i][1]
		m, _, err := romeo.Encrypt(context.Background(), v, []byte(text), []Address{juliet.address()})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v == V2, true, m.Keys[0].Data, m.IV, m.Payload)
		f.Add(v == V2, false, m.Keys[0].Data, m.IV, m.Payload)
	}
	f.Fuzz(func(t *testing.T, two, exchange bool, data, iv, payload []byte) {
		p := fuzzProfile(two)
		juliet := pairs[p.version-V03][1]
		d := &Device{jid: juliet.jid, id: juliet.id, identity: juliet.identity, secret: juliet.secret,
			store: juliet.store.(*MemoryStore).Clone(), random: &drawn{name: "fuzz"}}
		m := &Message{Version: p.version, SID: 7, IV: iv, Payload: payload,
			Keys: []Key{{JID: d.jid, RID: d.id, Exchange: exchange, Data: data}}}
		if o, err := d.Decrypt(context.Background(), "romeo@example.org", m); err == nil && !o.Empty && string(o.Plaintext) != text {
			t.Fatalf("opened %q", o.Plaintext)
		}
	})
}

func FuzzBundle(f *testing.F) {
	pairs, err := fuzzPair()
	if err != nil {
		f.Fatal(err)
	}
	for i, v := range versions {
		b, err := pairs[i][1].Bundle(context.Background(), v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v == V2, b.Identity, b.SignedPreKey.Key, b.Signature, b.PreKeys[0].Key)
	}
	f.Fuzz(func(t *testing.T, two bool, identity, signed, signature, preKey []byte) {
		p := fuzzProfile(two)
		b := &Bundle{Version: p.version, Identity: identity, SignedPreKey: PreKey{1, signed}, Signature: signature, PreKeys: []PreKey{{1, preKey}}}
		c, _, err := b.check()
		if err != nil {
			return
		}
		if _, err := p.initiate(keyPair{private: key{1}}, c, &drawn{name: "fuzz"}); err != nil {
			t.Fatalf("a checked bundle is of no use: %v", err)
		}
	})
}

// FuzzSaved: a state that loads is saved as something that loads as the same.
func FuzzSaved(f *testing.F) {
	pairs, err := fuzzPair()
	if err != nil {
		f.Fatal(err)
	}
	for _, pair := range pairs {
		for _, d := range pair {
			for _, value := range d.store.(*MemoryStore).values {
				f.Add(value)
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		sameAgain(t, in, loadSession, (*session).save)
		sameAgain(t, in, loadKnown, (*knownList).save)
		sameAgain(t, in, func(in []byte) (*owner, error) {
			o, err := loadOwner(in)
			return &o, err
		}, (*owner).save)
	})
}

func sameAgain[T any](t *testing.T, in []byte, load func([]byte) (T, error), save func(T) []byte) {
	t.Helper()
	loaded, err := load(in)
	if err != nil {
		return
	}
	first := save(loaded)
	if loaded, err = load(first); err != nil {
		t.Fatalf("saved what does not load: %v", err)
	}
	if !bytes.Equal(first, save(loaded)) {
		t.Fatal("saved twice differently")
	}
}

func FuzzMediaURL(f *testing.F) {
	f.Add("aesgcm://" + specPath + "#" + specFragment)
	f.Add("aesgcm://h/p#00112233" + specFragment + "\ndata:image/jpeg,x")
	f.Fuzz(func(t *testing.T, body string) {
		https, k, err := ParseMediaURL(body)
		if err != nil {
			return
		}
		back, err := k.URL(https)
		if err != nil {
			t.Fatalf("%q gave %q: %v", body, https, err)
		}
		if again, same, err := ParseMediaURL(back); err != nil || again != https || same.Key != k.Key || !bytes.Equal(same.IV, k.IV) {
			t.Fatalf("%q became %q, %v", body, back, err)
		}
	})
}

func FuzzTrustParam(f *testing.F) {
	f.Add(TrustParam(1, Identity{1, 2, 3}))
	f.Fuzz(func(t *testing.T, s string) {
		device, id, err := ParseTrustParam(s)
		if err != nil {
			return
		}
		if again, same, err := ParseTrustParam(TrustParam(device, id)); err != nil || again != device || same != id {
			t.Fatalf("%q became %d %x, %v", s, again, same, err)
		}
	})
}

func FuzzStoreRecord(f *testing.F) {
	f.Add(appendRecord(nil, map[string][]byte{"a": []byte("1"), "b": nil}))
	f.Fuzz(func(t *testing.T, in []byte) {
		values, size, err := readRecord(in)
		if err != nil || size == 0 {
			return
		}
		again, _, err := readRecord(appendRecord(nil, values))
		if err != nil || len(again) != len(values) {
			t.Fatalf("%d values became %d: %v", len(values), len(again), err)
		}
	})
}
