package sasl

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// PreparePassword applies SASLprep (RFC 4013) to a password, so that every keyboard and client arrives at the same bytes.
// RFC 5802 §2.2 asks for SASLprep; the OpaqueString profile of PRECIS (RFC 8265 §4.2) normalises by NFC instead of NFKC and
// would lock out users of the clients that follow RFC 5802. Code points unknown to Unicode 3.2 pass, as in a query
// (RFC 3454 §7), so that a password may hold an emoji. It returns an error that wraps ErrPassword and says why.
func PreparePassword(password string) (string, error) {
	switch {
	case password == "":
		return "", fmt.Errorf("%w: empty", ErrPassword)
	case len(password) > maxName:
		return "", fmt.Errorf("%w: longer than %d bytes", ErrPassword, maxName)
	case isPrintableASCII(password):
		return password, nil
	case !utf8.ValidString(password):
		return "", fmt.Errorf("%w: not UTF-8", ErrPassword)
	}
	prepared := norm.NFKC.String(strings.Map(mapRune, password))
	if prepared == "" {
		return "", fmt.Errorf("%w: empty after preparation", ErrPassword)
	}
	for _, r := range prepared {
		if unicode.Is(prohibited, r) || r&0xFFFE == 0xFFFE {
			return "", fmt.Errorf("%w: character %U is not allowed", ErrPassword, r)
		}
	}
	if !directionsAgree(prepared) {
		return "", fmt.Errorf("%w: mixes writing directions", ErrPassword)
	}
	return prepared, nil
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// mapRune is RFC 4013 §2.1: other spaces become the space, and what is commonly mapped to nothing goes.
func mapRune(r rune) rune {
	switch {
	case unicode.Is(otherSpaces, r):
		return ' '
	case unicode.Is(mappedToNothing, r):
		return -1
	}
	return r
}

// directionsAgree is RFC 3454 §6: a string with right-to-left characters holds no left-to-right ones, and begins and
// ends with a right-to-left one.
func directionsAgree(text string) bool {
	var anyRight, anyLeft, firstRight, lastRight bool
	for i, r := range text {
		properties, _ := bidi.LookupRune(r)
		class := properties.Class()
		lastRight = class == bidi.R || class == bidi.AL
		if i == 0 {
			firstRight = lastRight
		}
		anyRight = anyRight || lastRight
		anyLeft = anyLeft || class == bidi.L
	}
	return !anyRight || (!anyLeft && firstRight && lastRight)
}

// otherSpaces is table C.1.2 of RFC 3454.
var otherSpaces = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00A0, 0x00A0, 1}, {0x1680, 0x1680, 1}, {0x2000, 0x200B, 1}, {0x202F, 0x202F, 1}, {0x205F, 0x205F, 1},
		{0x3000, 0x3000, 1},
	},
	LatinOffset: 1,
}

// mappedToNothing is table B.1 of RFC 3454.
var mappedToNothing = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00AD, 0x00AD, 1}, {0x034F, 0x034F, 1}, {0x1806, 0x1806, 1}, {0x180B, 0x180D, 1}, {0x200B, 0x200D, 1},
		{0x2060, 0x2060, 1}, {0xFE00, 0xFE0F, 1}, {0xFEFF, 0xFEFF, 1},
	},
	LatinOffset: 1,
}

// prohibited is RFC 4013 §2.3: tables C.1.2 to C.9 of RFC 3454 together, without the last two code points of each
// plane, which are tested by their bits.
var prohibited = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x0000, 0x001F, 1}, {0x007F, 0x00A0, 1}, {0x0340, 0x0341, 1}, {0x06DD, 0x06DD, 1}, {0x070F, 0x070F, 1},
		{0x1680, 0x1680, 1}, {0x180E, 0x180E, 1}, {0x2000, 0x200F, 1}, {0x2028, 0x202F, 1}, {0x205F, 0x2063, 1},
		{0x206A, 0x206F, 1}, {0x2FF0, 0x2FFB, 1}, {0x3000, 0x3000, 1}, {0xD800, 0xF8FF, 1}, {0xFDD0, 0xFDEF, 1},
		{0xFEFF, 0xFEFF, 1}, {0xFFF9, 0xFFFD, 1},
	},
	R32: []unicode.Range32{
		{0x1D173, 0x1D17A, 1}, {0xE0001, 0xE0001, 1}, {0xE0020, 0xE007F, 1}, {0xF0000, 0xFFFFD, 1},
		{0x100000, 0x10FFFD, 1},
	},
	LatinOffset: 2,
}
