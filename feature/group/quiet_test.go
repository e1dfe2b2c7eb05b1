package group

import (
	"testing"

	"palabre.dev/palabre/xmpp"
)

// TestQuietMessagesWakeNobody notes a message with a text and one with something encrypted, with and without the wish that nobody is woken.
func TestQuietMessagesWakeNobody(t *testing.T) {
	said := func(parts ...*xmpp.Element) bool {
		w := &wakes{signal: make(chan struct{}, 1)}
		w.said(&room{}, (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat"}).Add(parts...), xmpp.MustJID("nurse@localhost"))
		return len(w.signal) > 0
	}
	body, quiet := xmpp.NewText(xmpp.NSClient, "body", "hello"), xmpp.NewElement(nsQuiet, "quiet")
	vote := xmpp.NewElement("urn:xmpp:omemo:2", "encrypted", xmpp.NewText("urn:xmpp:omemo:2", "payload", "dm90ZQ=="))
	if !said(body) || !said(vote) {
		t.Error("what a person wants to know of wakes nobody")
	}
	if said(body, quiet) || said(vote, quiet) {
		t.Error("somebody is woken for a quiet message")
	}
}
