package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
)

// Hash names the hash function of a mechanism and of a stored credential.
type Hash string

// The hashes of the SCRAM mechanisms.
const (
	SHA1   Hash = "SHA-1"
	SHA256 Hash = "SHA-256"
	SHA512 Hash = "SHA-512"
)

const (
	// DefaultIterations is how often a new credential hashes the password. The client pays it in SCRAM; the server pays
	// it once for each PLAIN login, so it stays near the floor.
	DefaultIterations = 10_000
	// MinIterations is the least that RFC 5802 §5.1 and RFC 7677 §4 allow for new credentials.
	MinIterations = 4096
	// MaxIterations bounds the work that a server can make a client do.
	MaxIterations = 1_000_000
	// SaltSize is the size in bytes of the salt of a new credential. Credentials from elsewhere may have others, but a salt
	// of another size tells an observer that the account exists.
	SaltSize = 16
)

// ErrPassword means that a password cannot be used: empty, longer than 1023 bytes, or refused by SASLprep (RFC 4013).
var ErrPassword = errors.New("sasl: unusable password")

// ErrIterations means an iteration count outside the allowed range.
var ErrIterations = errors.New("sasl: iteration count out of range")

var errUnknownHash = errors.New("sasl: unknown hash")

func (h Hash) function() func() hash.Hash {
	switch h {
	case SHA1:
		return sha1.New
	case SHA256:
		return sha256.New
	case SHA512:
		return sha512.New
	}
	return nil
}

func (h Hash) size() int {
	switch h {
	case SHA1:
		return sha1.Size
	case SHA256:
		return sha256.Size
	default:
		return sha512.Size
	}
}

func (h Hash) sum(message []byte) []byte {
	digest := h.function()()
	digest.Write(message)
	return digest.Sum(nil)
}

func (h Hash) hmac(key []byte, parts ...string) []byte {
	mac := hmac.New(h.function(), key)
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

func (h Hash) sign(key, message []byte) []byte {
	mac := hmac.New(h.function(), key)
	mac.Write(message)
	return mac.Sum(nil)
}

// Credential is what a server keeps of a password for one hash: enough to verify, not enough to log in elsewhere
// (RFC 5802 §3). The password cannot be computed from it other than by guessing.
type Credential struct {
	Hash       Hash
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// Keys are what a client computes from a password, the slow part of a login. Kept, they replace the password for as long
// as the server does not change salt or iterations: treat them as secret.
type Keys struct {
	Hash       Hash
	Salt       []byte
	Iterations int
	ClientKey  []byte
	ServerKey  []byte
}

// NewCredential salts and hashes a new password. An account needs one credential for each hash of the offered SCRAM
// mechanisms. It returns ErrIterations below MinIterations or above MaxIterations, and ErrPassword for an unusable
// password; PreparePassword says why.
func NewCredential(hash Hash, password string, iterations int) (Credential, error) {
	if iterations < MinIterations {
		return Credential{}, ErrIterations
	}
	salt := make([]byte, SaltSize)
	rand.Read(salt)
	keys, err := DeriveKeys(hash, password, salt, iterations)
	if err != nil {
		return Credential{}, err
	}
	return keys.Credential(), nil
}

// DeriveKeys computes the keys of a password for a known salt (RFC 5802 §3), from 1 up to MaxIterations iterations: the
// lower bound is the caller's. It returns ErrIterations or ErrPassword.
func DeriveKeys(hash Hash, password string, salt []byte, iterations int) (Keys, error) {
	if hash.function() == nil {
		return Keys{}, errUnknownHash
	}
	if iterations < 1 || iterations > MaxIterations {
		return Keys{}, ErrIterations
	}
	prepared, err := PreparePassword(password)
	if err != nil {
		return Keys{}, err
	}
	salted, err := pbkdf2.Key(hash.function(), prepared, salt, iterations, hash.size())
	if err != nil {
		return Keys{}, fmt.Errorf("derive keys: %w", err)
	}
	return Keys{
		Hash: hash, Salt: salt, Iterations: iterations,
		ClientKey: hash.hmac(salted, "Client Key"),
		ServerKey: hash.hmac(salted, "Server Key"),
	}, nil
}

// Credential returns the server's side of the keys.
func (k Keys) Credential() Credential {
	return Credential{
		Hash: k.Hash, Salt: k.Salt, Iterations: k.Iterations,
		StoredKey: k.Hash.sum(k.ClientKey),
		ServerKey: k.ServerKey,
	}
}

// Matches reports whether the password is the one of the credential. It takes as long as the iterations do, the same for a
// right and a wrong password.
func (c Credential) Matches(password string) bool {
	keys, err := DeriveKeys(c.Hash, password, c.Salt, c.Iterations)
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(keys.Credential().StoredKey, c.StoredKey) == 1
}

// inventCredential returns a credential for an account that does not exist. It is the same at every attempt, as a real
// one would be, so that nobody can tell; nothing matches it.
func inventCredential(hash Hash, secret []byte, username string, iterations int) Credential {
	salt := SHA256.hmac(secret, "salt\x00", string(hash), "\x00", username)[:SaltSize]
	key := hash.hmac(secret, "key\x00", username)
	return Credential{Hash: hash, Salt: salt, Iterations: iterations, StoredKey: key, ServerKey: key}
}
