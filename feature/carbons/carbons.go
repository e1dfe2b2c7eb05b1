// Package carbons shows each of an account's devices both sides of its conversations, whichever device they are held on (XEP-0280,
// urn:xmpp:carbons:2). What is kept of a conversation is the archive's matter; this is the live copy.
package carbons

import (
	"context"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS      = "urn:xmpp:carbons:2"
	nsRules = "urn:xmpp:carbons:rules:0"
	nsMUC   = "http://jabber.org/protocol/muc#user"
)

// Carbons is the feature.
type Carbons struct{}

// New makes the feature.
func New() *Carbons { return &Carbons{} }

var wanted = new(core.Key[bool])

// Attach hangs the feature on the journey of a stanza.
func (c *Carbons) Attach(s *core.Server) {
	for _, name := range []string{"enable", "disable"} {
		s.HandleIQ(core.AtAccount, NS, name, c.change)
	}
	s.Announce(core.AtAccount|core.AtServer, NS, nsRules)
	s.Change(core.Sent, c.dropPrivate)
	s.Tell(core.Sent, func(_ context.Context, t *core.Transit) { c.copySent(s, t) })
	s.Tell(core.Received, func(ctx context.Context, t *core.Transit) { c.copyReceived(ctx, s, t) })
}

// Enable turns carbons on for a session; Bind 2 does it inline (XEP-0386 §4).
func Enable(session *core.Session) { wanted.Set(session, true) }

func (c *Carbons) change(_ context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || !r.Set || r.Via == nil {
		return nil, xmpp.NotAllowed
	}
	wanted.Set(r.Via, r.Payload.Local == "enable")
	return nil, nil
}

type mark struct{ private bool }

var marks = new(core.Note[mark])

// dropPrivate takes the <private/> of a message away and remembers that it was there (XEP-0280 §9).
func (c *Carbons) dropPrivate(_ context.Context, t *core.Transit) error {
	if t.Stanza.Kind == xmpp.Message && t.Stanza.Child(NS, "private") != nil {
		t.Edit().Remove(func(e *xmpp.Element) bool { return e.Is(NS, "private") })
		marks.Set(t, mark{private: true})
	}
	return nil
}

// eligible applies the rules for what is worth copying (XEP-0280 §6.1).
func eligible(t *core.Transit) bool {
	st := t.Stanza
	if st.Kind != xmpp.Message || marks.Get(t).private || st.Child(NS, "received") != nil || st.Child(NS, "sent") != nil {
		return false
	}
	if st.Child(xmpp.NSHints, "no-copy") != nil {
		return false
	}
	invitation := st.Child(nsMUC, "x").Child(nsMUC, "invite") != nil
	switch st.MessageType() {
	case "chat":
		return invitation || st.Child(nsMUC, "x") == nil // not the private messages of rooms, which are for one device
	case "normal":
		return st.Child(xmpp.NSClient, "body") != nil || invitation || worthShowing(st)
	case "error":
		return st.Child(xmpp.NSClient, "body") != nil
	}
	return false
}

// worthShowing reports whether a message of type normal without a body is part of a conversation.
func worthShowing(st *xmpp.Stanza) bool {
	for i := range st.Nodes {
		e := st.Nodes[i].Element
		if e == nil {
			continue
		}
		switch e.Space {
		case "urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "http://jabber.org/protocol/chatstates", "urn:xmpp:reactions:0",
			"urn:xmpp:message-retract:1", "urn:xmpp:message-correct:0", "urn:xmpp:jingle-message:0", "eu.siacs.conversations.axolotl",
			"urn:xmpp:omemo:2", "urn:xmpp:eme:0", "jabber:x:conference":
			return true
		}
	}
	return false
}

// copySent shows the sender's other devices what one of them has sent.
func (c *Carbons) copySent(s *core.Server, t *core.Transit) {
	if t.Receiver != nil && t.Receiver.ID == t.Sender.ID || !eligible(t) {
		return
	}
	var inner *xmpp.Element
	for _, session := range s.Sessions(t.Sender.JID) {
		if session == t.Via || !wanted.Get(session) {
			continue
		}
		if inner == nil {
			inner = withSentID(t)
		}
		session.Deliver(core.Delivery{Stanza: wrap(session, t.Stanza, "sent", inner)})
	}
}

// withSentID is the message with its number in the sender's own log (XEP-0359), so that no device takes it for another one when it
// reads the archive.
func withSentID(t *core.Transit) *xmpp.Element {
	e := t.Stanza.Element()
	if t.SentID != 0 {
		e.Add(xmpp.StanzaID(t.Sender.JID, t.SentID))
	}
	return e
}

// copyReceived shows the receiver's devices what was delivered to others of them.
func (c *Carbons) copyReceived(ctx context.Context, s *core.Server, t *core.Transit) {
	if !eligible(t) {
		return
	}
	var inner *xmpp.Element
	for _, session := range s.Sessions(t.Receiver.JID) {
		if session == t.Via || !wanted.Get(session) || t.WasDeliveredTo(session) || takesBare(t, session) || !s.MayDeliver(ctx, t, session) {
			continue
		}
		if inner == nil {
			inner = t.Stanza.Element()
		}
		session.Deliver(core.Delivery{Stanza: wrap(session, t.Stanza, "received", inner)})
	}
}

// takesBare reports whether the session gets the message itself: it goes to the bare address, and the session takes those.
func takesBare(t *core.Transit, session *core.Session) bool {
	available, priority := session.Available()
	return t.Stanza.To.IsBare() && available && priority >= 0
}

// wrap makes the copy for one session (XEP-0280 §6, §7).
func wrap(to *core.Session, st *xmpp.Stanza, side string, inner *xmpp.Element) *xmpp.Stanza {
	out := &xmpp.Stanza{Kind: xmpp.Message, Type: st.Type, From: to.Account.JID, To: to.JID}
	return out.Add(xmpp.NewElement(NS, side, xmpp.NewElement(xmpp.NSForward, "forwarded", inner)))
}
