package intent

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// assert signs a text as an authenticator does.
func assert(t *testing.T, key *ecdsa.PrivateKey, party string, flags byte, client string) (authenticator, data, signature []byte) {
	t.Helper()
	hash := sha256.Sum256([]byte(party))
	authenticator = append(hash[:], flags, 0, 0, 0, 0)
	sum := sha256.Sum256([]byte(client))
	signed := sha256.Sum256(append(append([]byte{}, authenticator...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, key, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	return authenticator, []byte(client), signature
}

func TestPasskeysSignTexts(t *testing.T) {
	key := testKey(t, "karim")
	p := Passkey{Point: point(t, key), RelyingParty: "example", Origins: []string{"https://example"}}
	text := "palabre pay 0 intent\n"
	sum := sha256.Sum256([]byte(text))
	good := fmt.Sprintf(`{"type":"webauthn.get","challenge":%q,"origin":"https://example","crossOrigin":false,"other":1}`, b64.EncodeToString(sum[:]))
	a, c, s := assert(t, key, "example", userPresent|userVerified, good)
	if err := p.Verify(text, a, c, s); err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(text+"x", a, c, s); !errors.Is(err, ErrSignature) {
		t.Errorf("another text: %v", err)
	}
	for why, one := range map[string]struct {
		key    *ecdsa.PrivateKey
		party  string
		flags  byte
		client string
	}{
		"another key":             {testKey(t, "nadia"), "example", 5, good},
		"another party":           {key, "example.net", 5, good},
		"no user":                 {key, "example", userVerified, good},
		"a user who was not seen": {key, "example", userPresent, good},
		"a registration":          {key, "example", 5, strings.Replace(good, "webauthn.get", "webauthn.create", 1)},
		"another page":            {key, "example", 5, strings.Replace(good, "https://example", "https://examp1e", 1)},
		"a page within another":   {key, "example", 5, strings.Replace(good, "false", "true", 1)},
		"no JSON":                 {key, "example", 5, good[1:]},
	} {
		a, c, s := assert(t, one.key, one.party, one.flags, one.client)
		if err := p.Verify(text, a, c, s); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", why, err)
		}
	}
	for why, one := range map[string][3][]byte{"short data": {a[:36], c, s}, "nothing": {nil, nil, nil}, "a plain signature": {a, c, make([]byte, 64)}} {
		if err := p.Verify(text, one[0], one[1], one[2]); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", why, err)
		}
	}
}
