package sasl

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The messages of SCRAM, read strictly by the grammar of RFC 5802 §7. Every reader reports with ok = false that the
// message is not one.

// maxNonce is the size in bytes of the longest nonce taken from a peer; ours has 24.
const maxNonce = 512

// reservedKeys are the attributes with a meaning of their own, which cannot be extensions, and "m", which no extension
// that is known here answers to (RFC 5802 §5.1).
const reservedKeys = "aceimnprsv"

// clientFirst is "gs2-header client-first-message-bare".
type clientFirst struct {
	flag     byte   // 'n', 'y' or 'p'
	binding  string // the channel-binding type, for 'p'
	authzid  string
	username string
	nonce    []byte
	header   []byte // the gs2-header, with its last comma
	bare     []byte
}

func readClientFirst(message []byte) (m clientFirst, ok bool) {
	if !isText(message) {
		return m, false
	}
	rest, ok := m.readBindingFlag(message)
	if !ok {
		return m, false
	}
	if rest[0] != ',' {
		var value []byte
		if value, rest, ok = expect('a', rest); !ok || rest == nil {
			return m, false
		}
		if m.authzid, ok = unescapeName(value); !ok {
			return m, false
		}
	} else {
		rest = rest[1:]
	}
	m.header, m.bare = message[:len(message)-len(rest)], rest
	return m, m.readBare()
}

// readBindingFlag reads as far as the comma after the flag; what it returns is not empty.
func (m *clientFirst) readBindingFlag(message []byte) (rest []byte, ok bool) {
	flag, rest, found := bytes.Cut(message, []byte{','})
	if !found || len(rest) == 0 || len(flag) == 0 {
		return nil, false
	}
	m.flag = flag[0]
	switch m.flag {
	case 'n', 'y':
		return rest, len(flag) == 1
	case 'p':
		if len(flag) < 3 || flag[1] != '=' {
			return nil, false
		}
		m.binding = string(flag[2:])
		return rest, isBindingName(m.binding)
	}
	return nil, false
}

func (m *clientFirst) readBare() bool {
	name, rest, ok := expect('n', m.bare)
	if !ok {
		return false
	}
	if m.username, ok = unescapeName(name); !ok {
		return false
	}
	if m.nonce, rest, ok = expect('r', rest); !ok || !isNonce(m.nonce) {
		return false
	}
	_, ok = readExtensions(rest, 0)
	return ok
}

// serverFirst is "r=nonce,s=salt,i=iterations" and perhaps the downgrade hash of XEP-0474.
type serverFirst struct {
	nonce      []byte
	salt       []byte
	iterations int
	digest     []byte // base64, nil if the server sent none
}

func readServerFirst(message []byte) (m serverFirst, ok bool) {
	if !isText(message) {
		return m, false
	}
	var salt, count []byte
	rest := message
	if m.nonce, rest, ok = expect('r', rest); !ok || !isNonce(m.nonce) {
		return m, false
	}
	if salt, rest, ok = expect('s', rest); !ok {
		return m, false
	}
	if m.salt, ok = decodeBase64(salt); !ok {
		return m, false
	}
	if count, rest, ok = expect('i', rest); !ok || count[0] < '1' || count[0] > '9' {
		return m, false
	}
	iterations, err := strconv.ParseUint(string(count), 10, 31)
	if err != nil {
		return m, false
	}
	m.iterations = int(iterations)
	m.digest, ok = readExtensions(rest, 'h')
	return m, ok
}

// clientFinal is "c=binding,r=nonce,p=proof".
type clientFinal struct {
	binding      []byte // base64, as it stands
	nonce        []byte
	proof        []byte
	withoutProof []byte
}

func readClientFinal(message []byte) (m clientFinal, ok bool) {
	if !isText(message) {
		return m, false
	}
	// No attribute before the last may hold a comma, so the proof begins at the last one.
	end := bytes.LastIndexByte(message, ',')
	if end < 0 {
		return m, false
	}
	proof, rest, ok := expect('p', message[end+1:])
	if !ok || rest != nil {
		return m, false
	}
	if m.proof, ok = decodeBase64(proof); !ok {
		return m, false
	}
	m.withoutProof = message[:end]
	if m.binding, rest, ok = expect('c', m.withoutProof); !ok {
		return m, false
	}
	if m.nonce, rest, ok = expect('r', rest); !ok {
		return m, false
	}
	_, ok = readExtensions(rest, 0)
	return m, ok
}

// readServerFinal reads "v=signature" or, with the signature nil, "e=error".
func readServerFinal(message []byte) (signature []byte, refusal string, ok bool) {
	if !isText(message) {
		return nil, "", false
	}
	key, value, rest, ok := cutAttribute(message)
	if !ok {
		return nil, "", false
	}
	switch key {
	case 'e':
		refusal = string(value)
	case 'v':
		if signature, ok = decodeBase64(value); !ok {
			return nil, "", false
		}
	default:
		return nil, "", false
	}
	_, ok = readExtensions(rest, 0)
	return signature, refusal, ok
}

// cutAttribute splits "k=value" off the message. rest is nil when the message ends there, and not nil, though perhaps
// empty, after a comma.
func cutAttribute(message []byte) (key byte, value, rest []byte, ok bool) {
	if len(message) < 3 || message[1] != '=' || !isLetter(message[0]) {
		return 0, nil, nil, false
	}
	value = message[2:]
	if comma := bytes.IndexByte(value, ','); comma >= 0 {
		value, rest = value[:comma], value[comma+1:]
	}
	return message[0], value, rest, len(value) > 0
}

func expect(key byte, message []byte) (value, rest []byte, ok bool) {
	found, value, rest, ok := cutAttribute(message)
	return value, rest, ok && found == key
}

// readExtensions checks the optional attributes at the end of a message, and returns the value of the wanted one.
func readExtensions(rest []byte, wanted byte) (value []byte, ok bool) {
	for rest != nil {
		var key byte
		var found []byte
		if key, found, rest, ok = cutAttribute(rest); !ok || strings.IndexByte(reservedKeys, key) >= 0 {
			return nil, false
		}
		if key == wanted {
			if value != nil {
				return nil, false
			}
			value = found
		}
	}
	return value, true
}

// unescapeName reads a saslname: "=2C" is a comma, "=3D" an equals sign, and no other "=" is allowed.
func unescapeName(value []byte) (string, bool) {
	if len(value) > maxName {
		return "", false
	}
	if bytes.IndexByte(value, '=') < 0 {
		return string(value), true
	}
	name := make([]byte, 0, len(value))
	for len(value) > 0 {
		switch {
		case value[0] != '=':
			name, value = append(name, value[0]), value[1:]
		case bytes.HasPrefix(value, []byte("=2C")):
			name, value = append(name, ','), value[3:]
		case bytes.HasPrefix(value, []byte("=3D")):
			name, value = append(name, '='), value[3:]
		default:
			return "", false
		}
	}
	return string(name), true
}

var nameEscaper = strings.NewReplacer(",", "=2C", "=", "=3D")

func escapeName(name string) string { return nameEscaper.Replace(name) }

// decodeBase64 is stricter than the library, which skips line breaks.
func decodeBase64(text []byte) ([]byte, bool) {
	if bytes.ContainsAny(text, "\r\n") {
		return nil, false
	}
	decoded, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	return decoded, err == nil && len(decoded) > 0
}

// isText tells UTF-8 without NUL, all that SCRAM and user names may hold.
func isText(message []byte) bool {
	return utf8.Valid(message) && bytes.IndexByte(message, 0) < 0
}

func isNonce(nonce []byte) bool {
	for _, c := range nonce {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(nonce) <= maxNonce
}

func isBindingName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !isLetter(c) && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool {
	c |= 0x20
	return c >= 'a' && c <= 'z'
}
