package omemo

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"io"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// key is 32 bytes: a Curve25519 scalar or u-coordinate, a chain key, a root key.
type key [32]byte

// keyPair is a Curve25519 key pair.
type keyPair struct{ private, public key }

// newKeyPair reads 32 bytes of randomness. It does not use ecdh.GenerateKey, which ignores the reader it is given.
func newKeyPair(random io.Reader) (keyPair, error) {
	var private key
	if _, err := io.ReadFull(random, private[:]); err != nil {
		return keyPair{}, fmt.Errorf("draw a private key: %w", err)
	}
	return pairOf(private)
}

// pairOf derives the public half.
func pairOf(private key) (keyPair, error) {
	p, err := ecdh.X25519().NewPrivateKey(private[:])
	if err != nil {
		return keyPair{}, fmt.Errorf("private key: %w", err)
	}
	pair := keyPair{private: private}
	copy(pair.public[:], p.PublicKey().Bytes())
	return pair, nil
}

// agree is X25519. It refuses points of low order, whose shared secret an attacker would know (RFC 7748 §6.1).
func agree(private, public key) ([]byte, error) {
	p, err := ecdh.X25519().NewPrivateKey(private[:])
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	q, err := ecdh.X25519().NewPublicKey(public[:])
	if err != nil {
		return nil, fmt.Errorf("public key: %w: %w", ErrMalformed, err)
	}
	secret, err := p.ECDH(q)
	if err != nil {
		return nil, fmt.Errorf("agree on a secret: %w: %w", ErrMalformed, err)
	}
	return secret, nil
}

// lowOrder lists the u-coordinates of order 1, 2, 4 and 8 on the curve and its twist, and their unreduced forms.
var lowOrder = [...]key{
	{},
	{0x01},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	nearPrime(0xec), nearPrime(0xed), nearPrime(0xee),
}

// nearPrime returns 2^255 - 256 + low, which is next to the field's prime 2^255 - 19.
func nearPrime(low byte) key {
	k := key(bytes.Repeat([]byte{0xff}, 32))
	k[0], k[31] = low, 0x7f
	return k
}

// isLowOrder reports whether every agreement with k gives zero. X25519 ignores the top bit, and so does this.
func isLowOrder(k key) bool {
	k[31] &= 0x7f
	for i := range lowOrder {
		if k == lowOrder[i] {
			return true
		}
	}
	return false
}

// isReduced reports whether k is below the field's prime 2^255 - 19.
func isReduced(k key) bool {
	if k[31] != 0x7f || k[0] < 0xed {
		return k[31] < 0x80
	}
	return !bytes.Equal(k[1:31], bytes.Repeat([]byte{0xff}, 30))
}

// edwardsOf maps a Curve25519 u-coordinate to the Ed25519 point with the given sign bit: y = (u-1)/(u+1) (RFC 7748 §4.1).
func edwardsOf(u key, sign byte) (ed key, err error) {
	if isLowOrder(u) || !isReduced(u) {
		return ed, fmt.Errorf("identity of low order or not reduced: %w", ErrMalformed)
	}
	var x, one, numerator, denominator field.Element
	if _, err := x.SetBytes(u[:]); err != nil {
		return ed, fmt.Errorf("identity: %w: %w", ErrMalformed, err)
	}
	one.One()
	numerator.Subtract(&x, &one)
	denominator.Invert(denominator.Add(&x, &one))
	copy(ed[:], numerator.Multiply(&numerator, &denominator).Bytes())
	ed[31] |= sign & 0x80
	if _, err := new(edwards25519.Point).SetBytes(ed[:]); err != nil {
		return ed, fmt.Errorf("identity is not on the curve: %w: %w", ErrMalformed, err)
	}
	return ed, nil
}

// curveOf maps an Ed25519 point to its u-coordinate. It accepts both sign bits and refuses low order and unreduced encodings.
func curveOf(ed key) (u key, err error) {
	point, err := new(edwards25519.Point).SetBytes(ed[:])
	if err != nil {
		return u, fmt.Errorf("identity is not on the curve: %w: %w", ErrMalformed, err)
	}
	if key(point.Bytes()) != ed {
		return u, fmt.Errorf("identity is not reduced: %w", ErrMalformed)
	}
	u = key(point.BytesMontgomery())
	if isLowOrder(u) {
		return u, fmt.Errorf("identity of low order: %w", ErrMalformed)
	}
	return u, nil
}

// hashPrefix starts the nonce hash of XEdDSA: 2^256 - 2, little endian, so that it never collides with a point.
var hashPrefix = append([]byte{0xfe}, bytes.Repeat([]byte{0xff}, 31)...)

// sign makes an Ed25519 signature with a Curve25519 private key and 64 random bytes (XEdDSA §3). It verifies with edPublic of the key.
func sign(private key, message []byte, random io.Reader) ([]byte, error) {
	scalar, public, err := edKey(private)
	if err != nil {
		return nil, err
	}
	var z [64]byte
	if _, err := io.ReadFull(random, z[:]); err != nil {
		return nil, fmt.Errorf("draw a signature nonce: %w", err)
	}
	nonce, err := hashScalar(hashPrefix, scalar.Bytes(), message, z[:])
	if err != nil {
		return nil, err
	}
	commitment := new(edwards25519.Point).ScalarBaseMult(nonce).Bytes()
	challenge, err := hashScalar(commitment, public[:], message)
	if err != nil {
		return nil, err
	}
	return append(commitment, challenge.MultiplyAdd(challenge, scalar, nonce).Bytes()...), nil
}

// edKey returns the Ed25519 scalar and public key with sign bit 0 of a Curve25519 private key (XEdDSA §2.3).
func edKey(private key) (*edwards25519.Scalar, key, error) {
	scalar, err := new(edwards25519.Scalar).SetBytesWithClamping(private[:])
	if err != nil {
		return nil, key{}, fmt.Errorf("private key: %w", err)
	}
	public := key(new(edwards25519.Point).ScalarBaseMult(scalar).Bytes())
	if public[31]&0x80 != 0 {
		scalar.Negate(scalar)
		public[31] &= 0x7f
	}
	return scalar, public, nil
}

func hashScalar(parts ...[]byte) (*edwards25519.Scalar, error) {
	h := sha512.New()
	for _, part := range parts {
		h.Write(part)
	}
	scalar, err := new(edwards25519.Scalar).SetUniformBytes(h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("reduce a hash: %w", err)
	}
	return scalar, nil
}

// verify checks a signature by an identity, given in the form in which p carries it.
func (p *profile) verify(identity publicIdentity, message, signature []byte) error {
	if len(signature) != ed25519.SignatureSize {
		return fmt.Errorf("signature of %d bytes: %w", len(signature), ErrMalformed)
	}
	signer := identity.ed
	if p.signInSig {
		var err error
		if signer, err = edwardsOf(identity.curve, signature[63]); err != nil {
			return err
		}
		signature = bytes.Clone(signature)
		signature[63] &= 0x7f
	}
	if !ed25519.Verify(signer[:], message, signature) {
		return fmt.Errorf("signature does not verify: %w", ErrMalformed)
	}
	return nil
}
