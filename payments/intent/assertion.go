package intent

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"slices"
)

// Passkey is a payment key that an authenticator holds (WebAuthn).
type Passkey struct {
	// Point is its public key, as for Verify.
	Point []byte
	// RelyingParty is the domain for which it was made; Origins are those of pages that may ask for its signature.
	RelyingParty string
	Origins      []string
}

// Parts of authenticatorData (WebAuthn Level 2 §6.1): the hash of the relying party's domain, flags, a counter.
const (
	minAuthenticator = sha256.Size + 1 + 4
	userPresent      = 1 << 0
	userVerified     = 1 << 2
)

// clientData is what of clientDataJSON is looked at (WebAuthn Level 2 §5.8.1).
type clientData struct {
	Type        string `json:"type"`
	Challenge   string `json:"challenge"`
	Origin      string `json:"origin"`
	CrossOrigin bool   `json:"crossOrigin"`
}

// Verify checks an assertion whose challenge is the SHA-256 of a text, with the user verified (WebAuthn Level 2 §7.2). It returns ErrKey or ErrSignature if it is none.
// The counter is not looked at: a text is done once, whoever signs it.
func (p Passkey) Verify(text string, authenticator, client, signature []byte) error {
	data, err := verifyAssertion(p.Point, text, authenticator, client, signature)
	if err != nil {
		return err
	}
	party := sha256.Sum256([]byte(p.RelyingParty))
	if data.Type != "webauthn.get" || data.CrossOrigin || !slices.Contains(p.Origins, data.Origin) || subtle.ConstantTimeCompare(authenticator[:sha256.Size], party[:]) != 1 {
		return ErrSignature
	}
	if flags := authenticator[sha256.Size]; flags&userPresent == 0 || flags&userVerified == 0 {
		return ErrSignature
	}
	return nil
}

// verifyAssertion checks that a key has signed an assertion about a text, for whomever and however.
func verifyAssertion(point []byte, text string, authenticator, client, signature []byte) (data clientData, err error) {
	key, err := PublicKey(point)
	if err != nil {
		return data, err
	}
	challenge := sha256.Sum256([]byte(text))
	if json.Unmarshal(client, &data) != nil || data.Challenge != base64.RawURLEncoding.EncodeToString(challenge[:]) || len(authenticator) < minAuthenticator {
		return data, ErrSignature
	}
	hash := sha256.Sum256(client)
	signed := sha256.Sum256(append(slices.Clone(authenticator), hash[:]...))
	if !ecdsa.VerifyASN1(key, signed[:], signature) {
		return data, ErrSignature
	}
	return data, nil
}
