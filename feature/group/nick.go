package group

import (
	"strings"
	"unicode"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"palabre.dev/palabre/xmpp"
)

// maxNick is how many characters a nick may have.
const maxNick = 100

// cleanNick is a nick as it is kept: no control characters, no spaces at its ends (RFC 8266).
func cleanNick(nick string) (string, error) {
	clean, err := precis.Nickname.String(nick)
	if err != nil || len([]rune(clean)) > maxNick {
		return "", xmpp.JIDMalformed.Because("a nick has 1 to %d characters", maxNick)
	}
	for _, c := range clean {
		if unicode.Is(unicode.Cf, c) || unicode.IsControl(c) {
			return "", xmpp.JIDMalformed.Because("a nick has no invisible characters")
		}
	}
	return clean, nil
}

// likeness is what a nick looks like: two nicks with the same likeness could be taken for each other. Case, accents, width, spaces and letters of
// other scripts that look Latin make no difference (after UTS 39 §4, for the scripts that are mixed up most).
func likeness(nick string) string {
	var b strings.Builder
	for _, c := range norm.NFKD.String(strings.ToLower(nick)) {
		if unicode.Is(unicode.Mn, c) || unicode.IsSpace(c) || unicode.IsPunct(c) && c != '@' {
			continue
		}
		if like, ok := looksLike[c]; ok {
			c = like
		}
		b.WriteRune(c)
	}
	if b.Len() == 0 {
		return strings.ToLower(nick)
	}
	return b.String()
}

var looksLike = map[rune]rune{
	'а': 'a', 'в': 'b', 'е': 'e', 'ё': 'e', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c', 'т': 't', 'у': 'y', 'х': 'x', 'і': 'i', 'ї': 'i', 'ј': 'j', 'ѕ': 's', 'ԁ': 'd', 'һ': 'h', 'ѵ': 'v', 'ԝ': 'w',
	'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'γ': 'y', 'ω': 'w',
	'0': 'o', '1': 'l', 'i': 'l', '|': 'l', 'ı': 'l', '5': 's', '$': 's', 'ß': 's', 'ł': 'l', 'ø': 'o', 'đ': 'd',
}
