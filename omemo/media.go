package omemo

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"
)

const (
	mediaScheme = "aesgcm"
	mediaKey    = 32
	mediaIV     = 12
	oldMediaIV  = 16

	// MediaOverhead is what encryption adds to the size of a file, in bytes.
	MediaOverhead = tagSize
	// MaxMedia bounds a file, in bytes: it is authenticated as a whole, so it is held in memory.
	MaxMedia = 128 << 20
	maxURL   = 8192
)

// MediaKey is the key and IV of one encrypted file (XEP-0454 §3). Never use one twice.
type MediaKey struct {
	Key [mediaKey]byte
	IV  []byte // 12 bytes; 16 from old apps
}

// NewMediaKey draws a key for one file.
func NewMediaKey() (MediaKey, error) { return newMediaKey(rand.Reader) }

func newMediaKey(random io.Reader) (MediaKey, error) {
	k := MediaKey{IV: make([]byte, mediaIV)}
	if _, err := io.ReadFull(random, k.Key[:]); err != nil {
		return k, fmt.Errorf("draw a media key: %w", err)
	}
	if _, err := io.ReadFull(random, k.IV); err != nil {
		return k, fmt.Errorf("draw a media iv: %w", err)
	}
	return k, nil
}

// Encrypt reads a file and writes it encrypted with AES-256-GCM, the tag appended. It returns ErrTooLarge above MaxMedia.
func (k MediaKey) Encrypt(w io.Writer, r io.Reader) error {
	return k.run(w, r, MaxMedia, func(in []byte) ([]byte, error) {
		aead, err := newGCM(k.Key[:], len(k.IV))
		if err != nil {
			return nil, err
		}
		return aead.Seal(in[:0], k.IV, in, nil), nil
	})
}

// Decrypt reads an encrypted file and writes the plain one. Nothing is written before the whole file proved authentic; otherwise it
// returns ErrDecrypt.
func (k MediaKey) Decrypt(w io.Writer, r io.Reader) error {
	return k.run(w, r, MaxMedia+MediaOverhead, func(in []byte) ([]byte, error) {
		aead, err := newGCM(k.Key[:], len(k.IV))
		if err != nil {
			return nil, err
		}
		out, err := aead.Open(in[:0], k.IV, in, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDecrypt, err)
		}
		return out, nil
	})
}

func (k MediaKey) run(w io.Writer, r io.Reader, limit int64, transform func([]byte) ([]byte, error)) error {
	if len(k.IV) != mediaIV && len(k.IV) != oldMediaIV {
		return fmt.Errorf("media iv of %d bytes: %w", len(k.IV), ErrMalformed)
	}
	var in bytes.Buffer
	n, err := in.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return fmt.Errorf("read media: %w", err)
	}
	if n > limit {
		return fmt.Errorf("media of more than %d bytes: %w", limit, ErrTooLarge)
	}
	out, err := transform(in.Bytes())
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write media: %w", err)
	}
	return nil
}

// URL turns the https URL of an uploaded file into the aesgcm URL that is sent as the body: IV, then key, in hex in the fragment.
// It returns ErrMalformed for any other scheme, or a URL with a fragment.
func (k MediaKey) URL(https string) (string, error) {
	u, err := url.Parse(https)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(https, "#") || len(https) > maxURL {
		return "", fmt.Errorf("media address: %w", ErrMalformed)
	}
	_, rest, _ := strings.Cut(https, ":")
	return mediaScheme + ":" + rest + "#" + hex.EncodeToString(k.IV) + hex.EncodeToString(k.Key[:]), nil
}

// ParseMediaURL reads a whole message body that is an aesgcm URL, with or without a thumbnail as a data URL on a second line
// (XEP-0454 §4), and returns the https URL to download and the key. Anything else is ErrMalformed: then it is an ordinary text.
func ParseMediaURL(body string) (https string, k MediaKey, err error) {
	line, thumbnail, two := strings.Cut(body, "\n")
	if two && (!strings.HasPrefix(thumbnail, "data:image/jpeg,") || strings.Contains(thumbnail, "\n")) {
		return "", k, fmt.Errorf("second line of a media message: %w", ErrMalformed)
	}
	address, fragment, found := strings.Cut(line, "#")
	rest, ok := strings.CutPrefix(address, mediaScheme+"://")
	if !found || !ok || len(line) > maxURL {
		return "", k, fmt.Errorf("media url: %w", ErrMalformed)
	}
	https = "https://" + rest
	if u, err := url.Parse(https); err != nil || u.Host == "" || strings.ContainsAny(rest, " \t\r") {
		return "", k, fmt.Errorf("media url: %w", ErrMalformed)
	}
	k, err = parseMediaKey(fragment)
	return https, k, err
}

// parseMediaKey reads 24 or 32 hex digits of IV and 64 of key.
func parseMediaKey(fragment string) (k MediaKey, err error) {
	ivSize := len(fragment)/2 - mediaKey
	if len(fragment)%2 != 0 || ivSize != mediaIV && ivSize != oldMediaIV {
		return k, fmt.Errorf("media fragment of %d digits: %w", len(fragment), ErrMalformed)
	}
	raw, err := hex.DecodeString(fragment)
	if err != nil {
		return k, fmt.Errorf("media fragment: %w: %w", ErrMalformed, err)
	}
	k.IV = raw[:ivSize:ivSize]
	copy(k.Key[:], raw[ivSize:])
	return k, nil
}
