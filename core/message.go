package core

import (
	"context"

	"palabre.dev/palabre/xmpp"
)

// handMessage delivers a message to the sessions of a local account (RFC 6121 §8.5.2 and §8.5.3).
func (s *Server) handMessage(ctx context.Context, t *Transit) error {
	to, kind := t.Stanza.To, t.Stanza.MessageType()
	if !to.IsZero() && !to.IsBare() {
		if session := s.Session(to); session != nil {
			s.put(ctx, t, []*Session{session}, nil)
			return nil
		}
		switch kind { // RFC 6121 §8.5.3.2.1
		case "groupchat":
			return xmpp.ServiceUnavailable
		case "headline", "error":
			return nil
		}
	}
	switch kind {
	case "groupchat":
		return xmpp.ServiceUnavailable
	case "error":
		return nil
	}
	s.put(ctx, t, s.Sessions(t.Receiver.JID), willing)
	if len(t.Delivered) == 0 && !t.Stored && kind != "headline" {
		return xmpp.ServiceUnavailable
	}
	return nil
}

// willing reports whether a session takes messages for the bare address: it is available and its priority is not negative.
func willing(s *Session) bool {
	available, priority := s.Available()
	return available && priority >= 0
}

// put delivers to those sessions that are fit (all if fit is nil) and that no Delivering rule keeps out.
func (s *Server) put(ctx context.Context, t *Transit, sessions []*Session, fit func(*Session) bool) {
	d := Delivery{Stanza: t.Stanza, Kept: t.ReceivedID}
	if len(sessions) > 1 && d.Kept == 0 && t.Stanza.Kind == xmpp.Message && toldIfLost(t.Stanza) {
		d.copies = &copies{}
		d.copies.left.Store(1) // while it is handed out
	}
	for _, session := range sessions {
		if fit != nil && !fit(session) || !s.MayDeliver(ctx, t, session) {
			continue
		}
		if d.Bytes == nil {
			d.Bytes = t.Stanza.Append(make([]byte, 0, 1024))
		}
		if d.copies != nil {
			d.copies.left.Add(1)
		}
		t.Delivered = append(t.Delivered, session)
		session.Deliver(d)
	}
	if d.copies != nil && d.copies.lose() && len(t.Delivered) > 0 {
		s.tellLost(ctx, t.Stanza)
	}
}

// MayDeliver asks the Delivering rules whether the stanza may be put into a session's queue.
func (s *Server) MayDeliver(ctx context.Context, t *Transit, session *Session) bool {
	for _, rule := range s.hooks.deliver {
		if !rule(ctx, t, session) {
			return false
		}
	}
	return true
}
