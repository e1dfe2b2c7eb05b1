package sasl

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// Computed with Python: hashlib.pbkdf2_hmac and hmac, password "pencil", salt "0123456789abcdef", 4096 iterations.
func TestKeysAgainstPython(t *testing.T) {
	for hash, want := range map[Hash][2]string{
		SHA1:   {"acf27b88f4897abf9b9c3afd3c2589351200ebc3", "adc1e33b25487b88c7dee687b26f37940a73c65a"},
		SHA256: {"9d0a5b67bed6b9db6ab9f3f08a41d7191b7a836409e339ecf1b64bc36ef70d13", "8e7d9a9963f5ab587e8e08f2d184ced784bafc5d36495eed6a2a4e781ede7f6d"},
		SHA512: {"e74abedfb407f17a5a3643718e0046931a979285d51f62e1de51c9d3b83b00e195954e0570e8bec2329073cd0597655e4b0fd29e22943dc2628188cb93a63fdb", "7e08867d50dfef4efa6f79957467f871e7786d4c58e0bf008e91ec0fc291cdb18eba390b4a98f8d25adc6fd22f1aa27852fddd062c83814828427a156a6b9ad9"},
	} {
		keys, err := DeriveKeys(hash, "pen\u00adcil", []byte("0123456789abcdef"), 4096)
		if err != nil {
			t.Fatal(err)
		}
		credential := keys.Credential()
		if got := hex.EncodeToString(credential.StoredKey); got != want[0] {
			t.Errorf("%s stored key %s", hash, got)
		}
		if got := hex.EncodeToString(credential.ServerKey); got != want[1] {
			t.Errorf("%s server key %s", hash, got)
		}
	}
}

func TestNewCredential(t *testing.T) {
	one, err := NewCredential(SHA256, testPassword, MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewCredential(SHA256, testPassword, MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.Salt) != SaltSize || bytes.Equal(one.Salt, two.Salt) || bytes.Equal(one.StoredKey, two.StoredKey) {
		t.Error("salts repeat")
	}
	if !one.Matches(testPassword) || one.Matches("Pencil") || one.Matches("") {
		t.Error("matches the wrong passwords")
	}
	for _, c := range []struct {
		hash       Hash
		password   string
		iterations int
		want       error
	}{
		{SHA256, testPassword, MinIterations - 1, ErrIterations},
		{SHA256, testPassword, MaxIterations + 1, ErrIterations},
		{SHA256, "", MinIterations, ErrPassword},
		{SHA256, "a\nb", MinIterations, ErrPassword},
		{"MD5", testPassword, MinIterations, errUnknownHash},
	} {
		if _, err := NewCredential(c.hash, c.password, c.iterations); !errors.Is(err, c.want) {
			t.Errorf("%s %q %d: %v, want %v", c.hash, c.password, c.iterations, err, c.want)
		}
	}
}
