package xmpp

import (
	"errors"
	"strconv"
	"time"
)

// ErrTime is what ParseTime returns for what is no DateTime of XEP-0082.
var ErrTime = errors.New("malformed date and time")

// FormatTime writes a time as XEP-0082 §3.2 does, in UTC with microseconds.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// ParseTime reads a DateTime of XEP-0082 §3.2 between the years 1970 and 2262.
func ParseTime(text string) (time.Time, error) {
	if len(text) > 64 {
		return time.Time{}, ErrTime
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 2262 {
		return time.Time{}, ErrTime
	}
	return t, nil
}

// Delay is the <delay/> that says since when a stanza has been waiting, and where (XEP-0203).
func Delay(by JID, since time.Time) *Element {
	return NewElement(NSDelay, "delay").Set("from", by.String()).Set("stamp", FormatTime(since))
}

// StanzaID is the <stanza-id/> that says under which number an archive holds a stanza (XEP-0359 §3.2).
func StanzaID(by JID, id int64) *Element {
	return NewElement(NSStanzaID, "stanza-id").Set("by", by.String()).Set("id", strconv.FormatInt(id, 10))
}
