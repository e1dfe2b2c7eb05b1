package pay

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Names that people take for one another: another alphabet's letter, a digit for a letter, one letter more. A name is brought into a shape in which what looks alike is
// the same; shapes that differ by one edit still look alike where they are long enough.

// alike are characters that look like another one in the fonts of phones. A few come from Unicode's list of confusables (UTS #39); accents are taken off before.
var alike = map[rune]string{
	'0': "o", '1': "l", 'i': "l", 'ı': "l", 'ł': "l", 'ǀ': "l", '|': "l", '!': "l", 'í': "l", '3': "e", '5': "s", '8': "b", '9': "g", 'q': "g", '6': "b", '$': "s", '@': "a", '2': "z",
	'ø': "o", 'đ': "d", 'ħ': "h", 'ŧ': "t", 'ß': "ss", 'æ': "ae", 'œ': "oe", 'ɑ': "a", 'ɡ': "g", 'ſ': "f",
	'а': "a", 'в': "b", 'е': "e", 'ё': "e", 'ѕ': "s", 'і': "l", 'ї': "l", 'ј': "j", 'к': "k", 'м': "m", 'н': "h", 'о': "o", 'р': "p", 'с': "c", 'т': "t", 'у': "y", 'х': "x", 'ԁ': "d", 'һ': "h", 'ԛ': "g", 'ԝ': "w", 'ь': "b", 'п': "n", 'г': "r",
	'α': "a", 'β': "b", 'γ': "y", 'ε': "e", 'η': "n", 'ι': "l", 'κ': "k", 'ν': "v", 'ο': "o", 'ρ': "p", 'σ': "o", 'τ': "t", 'υ': "u", 'χ': "x", 'ω': "w",
	'ا': "l", 'أ': "l", 'إ': "l", 'آ': "l", 'ى': "ي", 'ی': "ي", 'ک': "ك", 'ة': "ه", 'ہ': "ه",
}

// pairs are letters that together look like another one.
var pairs = strings.NewReplacer("rn", "m", "vv", "w", "cl", "d", "ll", "l", "oo", "o")

const maxLooked = 128 // characters of a name that are looked at

// lookOf is the shape of a name: names with the same look alike.
func lookOf(name string) string {
	var b strings.Builder
	looked := 0
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		if looked++; looked > maxLooked {
			break
		}
		if to, ok := alike[r]; ok {
			b.WriteString(to)
		} else if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		} // marks, dots, hyphens and blanks are hardly seen
	}
	return pairs.Replace(b.String())
}

const (
	nearFrom = 5 // characters of a shape, from which one edit is overlooked
	farFrom  = 9 // and from which two are
)

// looksLike says whether two shapes are taken for one another.
func looksLike(a, b string) bool {
	if a == b {
		return a != ""
	}
	one, other := []rune(a), []rune(b)
	switch short := min(len(one), len(other)); {
	case short >= farFrom:
		return edits(one, other) <= 2
	case short >= nearFrom:
		return edits(one, other) <= 1
	}
	return false
}

// edits is how many characters are to be put in, taken out, changed or swapped with their neighbour until one name is the other (optimal string alignment).
func edits(a, b []rune) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3 // more than anybody asks about
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
