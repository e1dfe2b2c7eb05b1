package core

import (
	"context"
	"sync/atomic"

	"palabre.dev/palabre/xmpp"
)

// Delivery is one stanza for one session. Its bytes are made once and shared by all sessions that get the same stanza.
type Delivery struct {
	Stanza *xmpp.Stanza
	Head   []byte // what this session alone gets before Bytes: the beginning of the stanza's tag with its address; nil if Bytes are all of it
	Bytes  []byte // as Stanza.Append writes it
	Kept   int64  // its number in the account's log, 0 if it was not kept there

	copies *copies // of the same message in other sessions' queues, nil if nobody is told when it is lost, or there is one alone
}

// Len is how many bytes go out.
func (d *Delivery) Len() int { return len(d.Head) + len(d.Bytes) }

// Whole are the bytes that go out, in one piece.
func (d *Delivery) Whole() []byte {
	if len(d.Head) == 0 {
		return d.Bytes
	}
	return append(append(make([]byte, 0, d.Len()), d.Head...), d.Bytes...)
}

// copies are what became of one message that was not kept and went to several sessions: its sender is told that it was lost only when all
// of them have lost it.
type copies struct {
	left  atomic.Int32 // sessions that have not lost it
	taken atomic.Bool  // one has acknowledged it
}

// lose notes that one session has lost the message, and reports whether now all have.
func (c *copies) lose() bool { return c.left.Add(-1) == 0 && !c.taken.Load() }

// toldIfLost reports whether the sender of a stanza that was not kept is told when no device got it: a request, and a message with a
// text. Headlines may get lost (RFC 6121 §8.5.2.1.1), what was said in a group is in the group's log, and errors are not answered.
func toldIfLost(st *xmpp.Stanza) bool {
	if st.From.IsZero() {
		return false
	}
	return st.IsRequest() || st.Kind == xmpp.Message && st.Type != "error" && st.Type != "headline" && st.Type != "groupchat" && st.Body() != ""
}

// Acked is the door's word that a device has these deliveries.
func (s *Server) Acked(session *Session, deliveries []Delivery) {
	for i := range deliveries {
		if c := deliveries[i].copies; c != nil {
			c.taken.Store(true)
		}
	}
	for _, fn := range s.life.acked {
		fn(session, deliveries)
	}
}

// Lost is the door's word that a session ended before its device had these deliveries. Call it before Unbind for those that were kept.
// Whoever waits for an answer, or sent a message that was not kept and that no other device has got, is told (XEP-0198 §4, RFC 6121
// §8.5.3.2).
func (s *Server) Lost(ctx context.Context, session *Session, deliveries []Delivery) {
	for _, fn := range s.life.lost {
		fn(ctx, session, deliveries)
	}
	for i := range deliveries {
		d := &deliveries[i]
		if d.Kept != 0 || d.copies != nil && !d.copies.lose() || !toldIfLost(d.Stanza) {
			continue
		}
		s.tellLost(ctx, d.Stanza)
	}
}

func (s *Server) tellLost(ctx context.Context, st *xmpp.Stanza) {
	if err := s.Route(ctx, st.ErrorReply(xmpp.ServiceUnavailable)); err != nil {
		s.log.Debug("could not tell of a lost stanza", "to", st.From, "err", err)
	}
}
