package intent

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

const (
	pointLength     = 65 // an uncompressed point of P-256
	signatureLength = 64 // r and s
	keyIDLength     = 22
)

// ErrKey means that something is no point of P-256 in 65 bytes.
var ErrKey = errors.New("malformed public key")

// ErrSignature means that a signature is not by that key over that text.
var ErrSignature = errors.New("bad signature")

// KeyID is the id of a payment key: the first 22 characters of the base64url of the SHA-256 of its public key (uncompressed point, 65 bytes).
func KeyID(public []byte) string {
	sum := sha256.Sum256(public)
	return base64.RawURLEncoding.EncodeToString(sum[:])[:keyIDLength]
}

// PublicKey reads a public key from its uncompressed point. It returns ErrKey for anything else.
func PublicKey(point []byte) (*ecdsa.PublicKey, error) {
	if len(point) != pointLength {
		return nil, ErrKey
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return key, nil
}

// Sign signs a text with a payment key: ES256, r and s in 32 bytes each.
func Sign(key *ecdsa.PrivateKey, text string) ([]byte, error) {
	if key.Curve != elliptic.P256() {
		return nil, ErrKey
	}
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signature := make([]byte, signatureLength)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}

// Verify checks that the key with this point has signed a text. It returns ErrKey or ErrSignature if not.
func Verify(point []byte, text string, signature []byte) error {
	key, err := PublicKey(point)
	if err != nil {
		return err
	}
	if len(signature) != signatureLength {
		return ErrSignature
	}
	sum := sha256.Sum256([]byte(text))
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return ErrSignature
	}
	return nil
}

// promisePrefix is how the QR code of a payment without network begins.
const promisePrefix = "PALABREPAY0:"

// Promise is a payment without network, as one device shows it to another: the text of an intent Offline, its signature, and the public key that has signed it.
type Promise struct {
	Text              string
	Signature, Public []byte
}

// String writes a promise for a QR code.
func (p Promise) String() string {
	b := base64.RawURLEncoding
	return promisePrefix + b.EncodeToString([]byte(p.Text)) + "." + b.EncodeToString(p.Signature) + "." + b.EncodeToString(p.Public)
}

// ReadPromise reads a promise and checks that its intent is one from the pocket, and that the key it names has signed it. Whether that key may pay, and whether the
// pocket holds the money, the service alone knows. Its errors wrap ErrText, ErrKey or ErrSignature.
func ReadPromise(code string) (Promise, *Intent, error) {
	var p Promise
	rest, ok := strings.CutPrefix(code, promisePrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(code) > 2*MaxText || len(parts) != 3 {
		return p, nil, refuse("it is no payment without network")
	}
	var read [3][]byte
	for i, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return p, nil, refuse("part %d of a payment without network", i+1)
		}
		read[i] = b
	}
	p = Promise{Text: string(read[0]), Signature: read[1], Public: read[2]}
	i, err := Parse(p.Text)
	if err != nil {
		return p, nil, err
	}
	if i.Kind != Offline {
		return p, nil, refuse("%s needs the network", i.Kind)
	}
	if KeyID(p.Public) != i.Key {
		return p, nil, ErrSignature
	}
	return p, i, Verify(p.Public, p.Text, p.Signature)
}
