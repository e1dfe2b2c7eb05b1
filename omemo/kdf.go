package omemo

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// zeroSalt is the salt of every HKDF but the root step's.
var zeroSalt = make([]byte, 32)

func derive(secret, salt []byte, info string, size int) ([]byte, error) {
	out, err := hkdf.Key(sha256.New, secret, salt, info, size)
	if err != nil {
		return nil, fmt.Errorf("derive %s: %w", info, err)
	}
	return out, nil
}

func mac(secret []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// advance takes one step on a chain: the seed of the message keys, and the chain key after it.
func (k key) advance() (seed, next key) {
	return key(mac(k[:], []byte{1})), key(mac(k[:], []byte{2}))
}

// sealKeys are the keys of AES-256-CBC with HMAC-SHA-256.
type sealKeys struct{ cipher, mac, iv []byte }

func deriveSealKeys(seed []byte, info string) (sealKeys, error) {
	out, err := derive(seed, zeroSalt, info, 80)
	if err != nil {
		return sealKeys{}, err
	}
	return sealKeys{cipher: out[:32], mac: out[32:64], iv: out[64:]}, nil
}

// encrypt is AES-256-CBC with PKCS#7 padding.
func (k sealKeys) encrypt(plaintext []byte) ([]byte, error) {
	block, err := aes.NewCipher(k.cipher)
	if err != nil {
		return nil, fmt.Errorf("set up aes: %w", err)
	}
	pad := aes.BlockSize - len(plaintext)%aes.BlockSize
	out := append(bytes.Clone(plaintext), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, k.iv).CryptBlocks(out, out)
	return out, nil
}

// decrypt reverses encrypt. Call it only after the MAC held: its errors would be an oracle otherwise.
func (k sealKeys) decrypt(ciphertext []byte) ([]byte, error) {
	if len(ciphertext) == 0 || len(ciphertext)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("ciphertext of %d bytes: %w", len(ciphertext), ErrMalformed)
	}
	block, err := aes.NewCipher(k.cipher)
	if err != nil {
		return nil, fmt.Errorf("set up aes: %w", err)
	}
	out := make([]byte, len(ciphertext))
	cipher.NewCBCDecrypter(block, k.iv).CryptBlocks(out, ciphertext)
	pad := int(out[len(out)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.Equal(out[len(out)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, fmt.Errorf("padding: %w", ErrMalformed)
	}
	return out[:len(out)-pad], nil
}

// sameMAC compares in constant time; an empty MAC never matches.
func sameMAC(a, b []byte) bool { return len(a) > 0 && subtle.ConstantTimeCompare(a, b) == 1 }
