package pay

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// asked reads the attributes of what somebody asks for. The first that cannot be is its error, and what is read after it counts for nothing.
type asked struct {
	e   *xmpp.Element
	err error
}

func (a *asked) refuse(name, what string) {
	if a.err == nil {
		a.err = xmpp.BadRequest.Because("%s: %s", name, what)
	}
}

// id reads the id that somebody chose.
func (a *asked) id(name string) string {
	text := a.e.Attr(name)
	if !intent.ValidID(text) {
		a.refuse(name, "16 to 40 of A–Z a–z 0–9 - _")
	}
	return text
}

// person reads a bare address with a local part; an absent one is what is given.
func (a *asked) person(name, absent string) string {
	text, there := a.e.LookupAttr("", name)
	if !there && absent != "" {
		return absent
	}
	jid, err := xmpp.ParseJID(text)
	if err != nil || !jid.IsBare() || jid.Local() == "" || len(jid.String()) > maxAddress {
		a.refuse(name, "a bare address")
	}
	return jid.String()
}

// optional reads a bare address that may be absent.
func (a *asked) optional(name string) string {
	if a.e.Attr(name) == "" {
		return ""
	}
	return a.person(name, "")
}

// amount reads an amount in minor units, 1 to 2^53.
func (a *asked) amount(name string) int64 { return a.number(name, 1, ledger.MaxAmount, 0) }

// number reads a whole number; an absent one is what is given if that is within the bounds or 0.
func (a *asked) number(name string, least, most, absent int64) int64 {
	text, there := a.e.LookupAttr("", name)
	if !there && (absent != 0 || least == 0) {
		return absent
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most || strconv.FormatInt(n, 10) != text {
		a.refuse(name, "a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
	}
	return n
}

// unit reads the code of a unit.
func (a *asked) unit(name string) string {
	text := a.e.Attr(name)
	if !intent.ValidUnit(text) {
		a.refuse(name, "the code of a unit")
	}
	return text
}

// words reads words for people, of at most so many bytes, in one line.
func (a *asked) words(name string, most int) string {
	return a.inLines(name, a.e.Attr(name), most, false)
}

// inLines refuses words that are too long or hold control characters; those of several lines may have line feeds and tabs.
func (a *asked) inLines(name, text string, most int, lines bool) string {
	if len(text) > most || !utf8.ValidString(text) {
		a.refuse(name, "at most "+strconv.Itoa(most)+" bytes")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return (r < ' ' || r == 0x7f) && (!lines || r != '\n' && r != '\t') }) {
		a.refuse(name, "no control characters")
	}
	return text
}

// oneOf reads a word out of some; the first stands for an absent one.
func (a *asked) oneOf(name string, words ...string) string {
	text, there := a.e.LookupAttr("", name)
	if !there {
		text = words[0]
	}
	for _, word := range words {
		if text == word {
			return text
		}
	}
	a.refuse(name, "one of "+strings.Join(words, " "))
	return text
}

// yes reads a claim: true or 1, false or 0, or absent.
func (a *asked) yes(name string) bool {
	text, there := a.e.LookupAttr("", name)
	if !there {
		return false
	}
	yes, ok := xmpp.Bool(text)
	if !ok {
		a.refuse(name, "true or false")
	}
	return yes
}

// until reads a time between now and so long after; an absent one is what is given after now.
func (a *asked) until(name string, now time.Time, most, absent time.Duration) time.Time {
	text, there := a.e.LookupAttr("", name)
	if !there {
		return now.Add(absent).Truncate(time.Second)
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil || intent.FormatTime(t) != text || !t.After(now) || t.Sub(now) > most {
		a.refuse(name, "a time to come, written 2026-11-22T12:05:00Z")
	}
	return t
}

const (
	timeLayout = "2006-01-02T15:04:05Z"
	maxAddress = 400 // bytes of an address that is kept
)
