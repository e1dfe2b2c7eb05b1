package xmpp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkCharacters refuses what is not UTF-8 or holds characters that XML 1.0 §2.2 leaves out.
func checkCharacters(s string) error {
	ascii := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return ErrNotWellFormed
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii {
		return nil
	}
	if !utf8.ValidString(s) || strings.Contains(s, "\uFFFE") || strings.Contains(s, "\uFFFF") {
		return ErrNotWellFormed
	}
	return nil
}

// newlines folds line ends (XML 1.0 §2.11).
func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// unescape resolves character references and the five predefined entities; any other entity is restricted (RFC 6120 §11.1).
func unescape(raw string) (string, error) {
	raw = newlines(raw)
	i := strings.IndexByte(raw, '&')
	if i < 0 {
		return raw, nil
	}
	var out strings.Builder
	out.Grow(len(raw))
	for i >= 0 {
		out.WriteString(raw[:i])
		end := strings.IndexByte(raw[i:], ';')
		if end < 0 {
			return "", ErrNotWellFormed
		}
		r, err := reference(raw[i+1 : i+end])
		if err != nil {
			return "", err
		}
		out.WriteRune(r)
		raw = raw[i+end+1:]
		i = strings.IndexByte(raw, '&')
	}
	out.WriteString(raw)
	return out.String(), nil
}

func reference(name string) (rune, error) {
	switch name {
	case "amp":
		return '&', nil
	case "lt":
		return '<', nil
	case "gt":
		return '>', nil
	case "apos":
		return '\'', nil
	case "quot":
		return '"', nil
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, ErrRestricted
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !isCharacter(rune(n)) {
		return 0, ErrNotWellFormed
	}
	return rune(n), nil
}

// isCharacter is the Char production of XML 1.0 §2.2.
func isCharacter(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
