package omemo

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	minEnvelope = 256 // bytes to which Padding fills a short envelope
	maxPadding  = 200 // characters on top (XEP-0420 §4)

	tagSize       = 16 // AES-GCM tag, and truncated HMAC of OMEMO 2
	payloadKey03  = 16
	payloadKey2   = 32
	payloadIV     = 12 // what we send; 16 from old apps is read too
	maxIV         = 64
	infoPayload2  = "OMEMO Payload"
	emptyKeyBytes = 32
)

// sealed is an encrypted payload and the key part that every recipient's ratchet carries.
type sealed struct{ keyPart, iv, payload []byte }

// seal encrypts a payload once for all recipients (XEP-0384 §4.4).
func (p *profile) seal(plaintext []byte, random io.Reader) (sealed, error) {
	if len(plaintext) > MaxPayload-aes.BlockSize {
		return sealed{}, fmt.Errorf("plaintext of %d bytes: %w", len(plaintext), ErrTooLarge)
	}
	if p.version == V2 {
		return seal2(plaintext, random)
	}
	return seal03(plaintext, random)
}

// sealEmpty makes the key part of a message that carries no payload. OMEMO 2 says 32 zero bytes. In OMEMO 0.3 it is a key and a tag,
// since some apps refuse a key part below 32 bytes; neither opens anything.
func (p *profile) sealEmpty(random io.Reader) (sealed, error) {
	if p.version == V2 {
		return sealed{keyPart: make([]byte, emptyKeyBytes)}, nil
	}
	s, err := seal03(nil, random)
	s.payload = nil
	return s, err
}

// seal03 is AES-128-GCM. The tag travels with the key, not with the payload.
func seal03(plaintext []byte, random io.Reader) (sealed, error) {
	var draw [payloadKey03 + payloadIV]byte
	if _, err := io.ReadFull(random, draw[:]); err != nil {
		return sealed{}, fmt.Errorf("draw a payload key: %w", err)
	}
	secret, iv := draw[:payloadKey03], draw[payloadKey03:]
	aead, err := newGCM(secret, len(iv))
	if err != nil {
		return sealed{}, err
	}
	out := aead.Seal(nil, iv, plaintext, nil)
	cut := len(out) - tagSize
	return sealed{
		keyPart: append(bytes.Clone(secret), out[cut:]...),
		iv:      iv,
		payload: append([]byte{}, out[:cut]...),
	}, nil
}

// seal2 is AES-256-CBC with HMAC-SHA-256, whose keys come from 32 random bytes.
func seal2(plaintext []byte, random io.Reader) (sealed, error) {
	var secret [payloadKey2]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return sealed{}, fmt.Errorf("draw a payload key: %w", err)
	}
	keys, err := deriveSealKeys(secret[:], infoPayload2)
	if err != nil {
		return sealed{}, err
	}
	payload, err := keys.encrypt(plaintext)
	if err != nil {
		return sealed{}, err
	}
	return sealed{keyPart: append(secret[:], mac(keys.mac, payload)[:tagSize]...), payload: payload}, nil
}

// unseal reverses seal.
func (p *profile) unseal(s sealed) ([]byte, error) {
	if len(s.payload) > MaxPayload {
		return nil, fmt.Errorf("payload of %d bytes: %w", len(s.payload), ErrTooLarge)
	}
	if p.version == V2 {
		return unseal2(s)
	}
	return unseal03(s)
}

// unseal03 accepts the tag with the key, as now, or at the end of the payload, as long ago.
func unseal03(s sealed) ([]byte, error) {
	payload := s.payload
	switch len(s.keyPart) {
	case payloadKey03:
	case payloadKey03 + tagSize:
		payload = append(bytes.Clone(payload), s.keyPart[payloadKey03:]...)
	default:
		return nil, fmt.Errorf("payload key of %d bytes: %w", len(s.keyPart), ErrMalformed)
	}
	if len(s.iv) == 0 || len(s.iv) > maxIV {
		return nil, fmt.Errorf("iv of %d bytes: %w", len(s.iv), ErrMalformed)
	}
	aead, err := newGCM(s.keyPart[:payloadKey03], len(s.iv))
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, s.iv, payload, nil)
	if err != nil {
		return nil, fmt.Errorf("payload: %w: %w", ErrDecrypt, err)
	}
	return plaintext, nil
}

func unseal2(s sealed) ([]byte, error) {
	if len(s.keyPart) != payloadKey2+tagSize {
		return nil, fmt.Errorf("payload key of %d bytes: %w", len(s.keyPart), ErrMalformed)
	}
	keys, err := deriveSealKeys(s.keyPart[:payloadKey2], infoPayload2)
	if err != nil {
		return nil, err
	}
	if !sameMAC(mac(keys.mac, s.payload)[:tagSize], s.keyPart[payloadKey2:]) {
		return nil, fmt.Errorf("mac of the payload: %w", ErrDecrypt)
	}
	return keys.decrypt(s.payload)
}

func newGCM(secret []byte, ivSize int) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("set up aes: %w", err)
	}
	aead, err := cipher.NewGCMWithNonceSize(block, ivSize)
	if err != nil {
		return nil, fmt.Errorf("set up gcm: %w", err)
	}
	return aead, nil
}

// Padding returns what to put in the rpad of an envelope that has size bytes without it: random characters that need no escaping in XML,
// which hide how long the content is (XEP-0420 §4).
func Padding(size int) (string, error) { return padding(size, rand.Reader) }

func padding(size int, random io.Reader) (string, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var draw [minEnvelope + maxPadding + 4]byte
	if _, err := io.ReadFull(random, draw[:]); err != nil {
		return "", fmt.Errorf("draw padding: %w", err)
	}
	n := int(binary.LittleEndian.Uint32(draw[:4]) % (maxPadding + 1))
	n += max(0, minEnvelope-max(0, size))
	out := draw[4 : 4+n]
	for i, b := range out {
		out[i] = alphabet[b%64]
	}
	return string(out), nil
}
