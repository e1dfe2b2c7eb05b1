package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/xmpp"
)

const nsManagement = "urn:xmpp:sm:3" // XEP-0198

// session is what outlives a connection (XEP-0198 §5).
type session struct {
	id      string // names it at the server; "" if it cannot be resumed
	managed bool   // the server counts
	acked   uint32 // how many of ours the server has handled
	unacked []*outgoing
	held    []*outgoing // not written yet
	// doubtful were on their way in an earlier session, and it is not known yet whether they arrived.
	doubtful []*outgoing
	arrived  uint32 // how many of theirs we have taken
	asking   bool   // an <r/> is on its way
	asked    uint32 // how many had been sent when it went out
}

func (s *session) sent() uint32 { return s.acked + uint32(len(s.unacked)) }

// waiting is how many stanzas wait for their acknowledgement.
func (s *session) waiting() int { return len(s.doubtful) + len(s.unacked) + len(s.held) }

// outgoing is a stanza on its way to the server.
type outgoing struct {
	stanza *xmpp.Stanza
	bytes  []byte
	done   func(error) // nil if nobody waits
}

var requestAck = []byte("<r xmlns='" + nsManagement + "'/>")

// Send puts a stanza into the queue, and waits for room there. It gives messages and iqs an id if they have none, messages
// that are kept also an origin-id (XEP-0359). The stanza must not be changed afterwards. It returns ErrClosed, or why the
// client ended; what happens to the stanza after that is said in the package comment.
func (c *Client) Send(ctx context.Context, st *xmpp.Stanza) error { return c.Submit(ctx, st, nil) }

// SendAcked is Send, and returns when the server has acknowledged the stanza: then it will not be lost. ErrUnmanaged means that
// it was sent and this server never acknowledges; ErrUnsure that its fate is not known. When ctx ends, the stanza is still sent.
func (c *Client) SendAcked(ctx context.Context, st *xmpp.Stanza) error {
	acked := make(chan error, 1)
	if err := c.Submit(ctx, st, func(err error) { acked <- err }); err != nil {
		return err
	}
	select {
	case err := <-acked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit is SendAcked without the wait: done is called once, with nil when the stanza is acknowledged, otherwise with what SendAcked
// returns. It must be quick. If Submit returns an error the stanza is not sent and done not called.
func (c *Client) Submit(ctx context.Context, st *xmpp.Stanza, done func(error)) error {
	st = c.identified(st)
	o := &outgoing{stanza: st, bytes: st.Append(make([]byte, 0, 256)), done: done}
	for {
		c.mu.Lock()
		if c.why != nil || c.closing {
			defer c.mu.Unlock()
			return c.gone()
		}
		if c.session.waiting() < c.cfg.MaxUnacked {
			unmanaged := c.enqueue(o, c.ready)
			c.mu.Unlock()
			if unmanaged && done != nil {
				done(ErrUnmanaged)
			}
			return nil
		}
		changed := c.waiting()
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gone is why nothing can be sent any more; mu is held.
func (c *Client) gone() error {
	if c.why != nil {
		return c.why
	}
	return ErrClosed
}

// identified gives a stanza the ids that it needs to be recognised again.
func (c *Client) identified(st *xmpp.Stanza) *xmpp.Stanza {
	if st.Kind == xmpp.Presence {
		return st
	}
	if st.ID == "" {
		st = st.Copy()
		st.ID = c.NewID()
	}
	if isKept(st) && st.Child(xmpp.NSStanzaID, "origin-id") == nil {
		st = st.Copy().Add(xmpp.NewElement(xmpp.NSStanzaID, "origin-id").Set("id", st.ID))
	}
	return st
}

// isKept reports whether an archive is expected to keep a message (XEP-0313 §5.1.1, XEP-0334).
func isKept(st *xmpp.Stanza) bool {
	switch {
	case st.Kind != xmpp.Message || st.IsError() || st.Type == "headline":
		return false
	case st.Child(xmpp.NSHints, "no-store") != nil || st.Child(xmpp.NSHints, "no-permanent-store") != nil:
		return false
	}
	return st.Child(xmpp.NSHints, "store") != nil || st.Child(xmpp.NSClient, "body") != nil
}

// enqueue writes a stanza now, or holds it. It reports whether the server will never acknowledge it. mu is held.
func (c *Client) enqueue(o *outgoing, now bool) (unmanaged bool) {
	if !now || c.stream == nil {
		c.session.held = append(c.session.held, o)
		return false
	}
	unmanaged = c.put(o)
	c.flush()
	return unmanaged
}

// put hands a stanza to the writer; mu is held.
func (c *Client) put(o *outgoing) (unmanaged bool) {
	c.out = append(c.out, o.bytes)
	s := &c.session
	if !s.managed {
		return true
	}
	s.unacked = append(s.unacked, o)
	switch {
	case o.done != nil || len(s.unacked) >= c.cfg.MaxUnacked/4:
		c.askForAck()
	case len(s.unacked) == 1:
		c.askLater()
	}
	return false
}

// askForAck puts an <r/> behind what was sent, unless one is on its way (XEP-0198 §4); mu is held.
func (c *Client) askForAck() {
	s := &c.session
	if s.asking || len(s.unacked) == 0 {
		return
	}
	s.asking, s.asked = true, s.sent()
	c.out = append(c.out, requestAck)
}

// askDelay is how long a stanza that nobody waits for may go unacknowledged, and how soon a server is asked again that answered
// before it had handled all.
const askDelay = 300 * time.Millisecond

// askLater asks after a while; mu is held.
func (c *Client) askLater() {
	if c.timer != nil {
		c.timer.Reset(askDelay)
		return
	}
	c.timer = time.AfterFunc(askDelay, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.stream != nil {
			c.askForAck()
			c.flush()
		}
	})
}

// errWrongCount means that a server acknowledged what was never sent (XEP-0198 §4).
var errWrongCount = errors.New("server acknowledges more than was sent")

// acknowledged takes an <a/>.
func (c *Client) acknowledged(text string) error {
	h, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fmt.Errorf("acknowledgement %.20q: %w", text, ErrUnexpected)
	}
	c.mu.Lock()
	s := &c.session
	done, err := s.cover(uint32(h))
	if err != nil {
		c.mu.Unlock()
		return err
	}
	s.asking = false
	switch wanted := func(o *outgoing) bool { return o.done != nil }; {
	case len(s.unacked) == 0:
	case s.sent() != s.asked && slices.ContainsFunc(s.unacked, wanted):
		c.askForAck()
		c.flush()
	default:
		c.askLater()
	}
	c.wake()
	c.mu.Unlock()
	settle(done, nil)
	return nil
}

// cover takes the stanzas out that a count of h covers.
func (s *session) cover(h uint32) ([]*outgoing, error) {
	n := int(h - s.acked) // the count wraps at 2^32 (XEP-0198 §4)
	if n < 0 || n > len(s.unacked) {
		return nil, errWrongCount
	}
	done := s.unacked[:n:n]
	s.unacked, s.acked = s.unacked[n:], h
	if len(s.unacked) == 0 {
		s.unacked = nil
	}
	return done, nil
}

// settle tells those who wait what became of their stanzas. mu is not held.
func settle(all []*outgoing, err error) {
	for _, o := range all {
		if o.done != nil {
			o.done(err)
		}
	}
}

// flush writes what is in out, unless another goroutine is at it, which then takes this along: many senders, few writes. mu is
// held before and after, but not while writing.
func (c *Client) flush() {
	if c.writing {
		return
	}
	c.writing = true
	for c.stream != nil && len(c.out) > 0 {
		s, items := c.stream, c.out
		c.out = nil
		c.mu.Unlock()
		err := s.Write(items...)
		if err != nil {
			c.abort(s) // the reader notices
		}
		c.mu.Lock()
		if err != nil && c.stream == s {
			break
		}
	}
	c.writing = false
}
