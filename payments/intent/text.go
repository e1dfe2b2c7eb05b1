// Package intent holds the three texts that stand between people and money: the intent, which says what is to be paid and is signed by a key of the payer's device;
// the order, which changes who may pay; and the receipt, which says what was done and is signed by the service. There is one way to write each of them, and a reader
// that finds another one refuses it, so that what was signed is what is read. It checks their form and their signatures (ES256 and Ed25519), for the service, for
// those who hand in a payment for somebody, and for tests of other clients (testdata/vectors.json). Left out: whose a key is, what may be spent, WebAuthn: that is
// payments/pay. The format is docs/protocol/payments.md.
package intent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a text.
const (
	MaxText    = 2 << 10 // bytes
	MaxAmount  = 1 << 53 // minor units; every JSON reader counts so far
	MaxAddress = 1023    // bytes of a payer, a payee and a service
	MaxFor     = 256     // bytes, before they are written
	maxYear    = 9999    // the last that is written with four digits
	timeLayout = "2006-01-02T15:04:05Z"
)

// ErrText is what every refused text wraps.
var ErrText = errors.New("malformed text")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrText, fmt.Sprintf(format, args...))
}

// field is one line of a text.
type field struct{ name, value string }

// write writes a text.
func write(title string, fields []field) (string, error) {
	b := append(make([]byte, 0, 512), title...)
	b = append(b, '\n')
	for _, f := range fields {
		if !utf8.ValidString(f.value) {
			return "", refuse("%s is not UTF-8", f.name)
		}
		b = append(append(b, f.name...), '=')
		b = append(appendEscaped(b, f.value), '\n')
	}
	if len(b) > MaxText {
		return "", refuse("it has more than %d bytes", MaxText)
	}
	return string(b), nil
}

const capitals = "0123456789ABCDEF"

func appendEscaped(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c == '%' || c < ' ' || c == 0x7f {
			b = append(b, '%', capitals[c>>4], capitals[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// read reads the values of a text, in the order of their names. What it accepts is what write writes.
func read(text, title string, names ...string) ([]string, error) {
	if len(text) > MaxText {
		return nil, refuse("it has more than %d bytes", MaxText)
	}
	if !utf8.ValidString(text) {
		return nil, refuse("it is not UTF-8")
	}
	rest, ok := strings.CutPrefix(text, title+"\n")
	if !ok {
		return nil, refuse("it does not begin with %q", title)
	}
	values := make([]string, len(names))
	for i, name := range names {
		line, after, ended := strings.Cut(rest, "\n")
		written, named := strings.CutPrefix(line, name+"=")
		if !ended || !named {
			return nil, refuse("line %d is not %s", i+2, name)
		}
		value, err := unescape(written)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[i], rest = value, after
	}
	if rest != "" {
		return nil, refuse("something stands after the last line")
	}
	return values, nil
}

func unescape(written string) (string, error) {
	b := make([]byte, 0, len(written))
	for i := 0; i < len(written); i++ {
		c := written[i]
		switch {
		case c < ' ' || c == 0x7f:
			return "", refuse("a control character is written as itself")
		case c != '%':
			b = append(b, c)
		case i+2 >= len(written):
			return "", refuse("%q ends early", written[i:])
		default:
			high, low := strings.IndexByte(capitals, written[i+1]), strings.IndexByte(capitals, written[i+2])
			c = byte(high<<4 | low)
			if high < 0 || low < 0 || (c != '%' && c >= ' ' && c != 0x7f) {
				return "", refuse("%q is not how anything is written", written[i:i+3])
			}
			b = append(b, c)
			i += 2
		}
	}
	return string(b), nil
}

// number reads a whole number from 0 to most, written in the one way; empty is 0 where that is allowed.
func number(name, text string, most int64, empty bool) (int64, error) {
	if text == "" && empty {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != text || n < 0 || n > most || (n == 0 && empty) {
		return 0, refuse("%s %.32q is not a number from 0 to %d", name, text, most)
	}
	return n, nil
}

// moment reads a time; empty is no time.
func moment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil || t.Format(timeLayout) != text {
		return time.Time{}, refuse("%s %.32q is not a time", name, text)
	}
	return t, nil
}

// FormatTime writes a time as texts do, to the second; the zero time is empty.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// wholeSecond says whether a time is written without loss.
func wholeSecond(t time.Time) bool {
	return t.IsZero() || (t.Nanosecond() == 0 && t.UTC().Year() >= 1 && t.UTC().Year() <= maxYear)
}

// ValidID says whether id may be that of an intent, a request, a split or a dispute: 16 to 40 of A–Z a–z 0–9 - _.
func ValidID(id string) bool { return len(id) >= 16 && len(id) <= 40 && base64url(id) }

// ValidKeyID says whether id may be that of a payment key: 22 of A–Z a–z 0–9 - _.
func ValidKeyID(id string) bool { return len(id) == keyIDLength && base64url(id) }

// ValidUnit says whether code may be that of a unit: 3 to 12 of A–Z 0–9.
func ValidUnit(code string) bool {
	for i := range len(code) {
		if c := code[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(code) >= 3 && len(code) <= 12
}

func base64url(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func address(name, value string) error {
	if value == "" || len(value) > MaxAddress {
		return refuse("%s has %d bytes", name, len(value))
	}
	return nil
}
