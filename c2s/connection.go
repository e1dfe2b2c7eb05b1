package c2s

import (
	"container/list"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// connection is one connection of a client, from its first byte to its last. Its reader is the goroutine of run; what is read is
// handled there in order.
type connection struct {
	door      *Door
	serial    uint64 // connections are counted as they come
	stream    *transport.Stream
	direct    bool // begins with TLS
	web       bool // WebSocket
	secureWeb bool // the WebSocket came over TLS
	address   netip.Addr
	guestAt   *list.Element // its place among the guests; guarded by limits.mu

	*login  // nil after login
	account *core.Account
	session *session
	pace    pace
	opened  bool // the client's header was read, and no restart is due

	taken   *session      // that was bound or taken over here; the same as session once it is attached
	quiet   bool          // read is closed
	until   time.Time     // the read deadline
	lang    string        // of the client's stream, if it is not the server's
	stopped atomic.Value  // *streamError: why the server wants the reader to stop
	halt    chan struct{} // closed with that
	read    chan struct{} // closed when nothing is read and handled any more

	// Guarded by session.mu:
	writing bool            // a goroutine writes for session
	leaving bool            // it begins nothing any more
	failed  bool            // it could not write
	behind  []core.Delivery // what it was writing when the session ended or went elsewhere
	telling bool            // its writer reports what was written
	settled chan struct{}   // closed when it has reported what it was writing; nil if nobody waits for that
}

// login is what is needed only before the session begins.
type login struct {
	guest    Guest
	header   xmpp.Header // of the client
	exchange *exchange
	offer    sasl.Offer // of SASL (RFC 6120)
	offer2   sasl.Offer // of SASL2
	attempts int
	events   int
	client   client
	kept     []sasl.Credential // what was kept of the password that the client has proved to know
	proved   time.Time         // when the exchange began in which it did
}

// client is what a client tells of itself (XEP-0388 §2.3): an id that stays the same, and names for people; and whether it has shown that it
// knows the password, rather than a token.
type client struct {
	id, software, device string
	password             bool
}

// streamError is what ends a stream (RFC 6120 §4.9). An empty condition ends it in order.
type streamError struct {
	condition, text string
	detail          *xmpp.Element
	first           [][]byte // answers that go out before it
}

func (e *streamError) Error() string { return "stream error " + e.condition + ": " + e.text }

func fatal(condition, text string) error { return &streamError{condition: condition, text: text} }

var errClosed = errors.New("the client closed the stream")

// run is the life of a connection.
func (c *connection) run() {
	connections.Inc()
	defer connections.Dec()
	err := c.guarded(func() error {
		if err := c.negotiate(); err != nil {
			return err
		}
		return c.serve()
	})
	if c.guarded(func() error { c.leave(err); return nil }) != nil {
		c.hush()
		c.abort()
	}
}

// guarded turns a panic into the end of this one connection.
func (c *connection) guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.door.log.Error("panic", "session", c.name(), "err", p, "stack", string(debug.Stack()))
			err = fatal("internal-server-error", "")
		}
	}()
	return fn()
}

func (c *connection) name() string {
	switch {
	case c.session != nil:
		return c.session.core.String()
	case c.account != nil:
		return c.account.JID.String()
	}
	return c.address.String()
}

// abort ends the connection at once.
func (c *connection) abort() {
	if err := c.stream.Abort(); err != nil {
		c.door.log.Debug("abort connection", "err", err)
	}
}

// stop makes the reader end the stream with an error, as soon as it has handled what it is at.
func (c *connection) stop(reason *streamError) {
	if c.stopped.CompareAndSwap(nil, reason) {
		close(c.halt)
	}
	if err := c.stream.SetReadDeadline(time.Unix(1, 0)); err != nil {
		c.abort()
	}
}

// next waits for what the client sends, at most for wait, give or take an eighth: the deadline is not moved for each element.
func (c *connection) next(now time.Time, wait time.Duration) (transport.Event, error) {
	if left := c.until.Sub(now); left > wait || left < wait-wait/8 {
		c.until = now.Add(wait)
		if err := c.stream.SetReadDeadline(c.until); err != nil {
			return transport.Event{}, fmt.Errorf("read: %w", err)
		}
	}
	if reason := c.stopped.Load(); reason != nil { // set before the deadline was moved
		return transport.Event{}, reason.(*streamError)
	}
	event, err := c.stream.Next()
	if err != nil {
		c.until = time.Time{}
		if reason := c.stopped.Load(); reason != nil {
			return transport.Event{}, reason.(*streamError)
		}
	}
	return event, err
}

// leave ends what the connection stands for, tells the client why, and closes.
func (c *connection) leave(err error) {
	s := c.session
	reason := reasonOf(err)
	if s == nil {
		c.hush()
		if c.taken != nil {
			c.taken.abandon(c)
		}
		c.farewell(reason)
		return
	}
	s.core.Idle() // what was accepted is handled before anybody hears how far we got
	s.settleAll(c)
	if reason == nil && !errors.Is(err, errClosed) && s.sleep(c) {
		c.hush()
		c.abort()
		return
	}
	last := s.leave(c)
	c.hush()
	c.farewell(reason, last...)
}

// hush says that nothing is read and handled any more.
func (c *connection) hush() {
	if !c.quiet {
		c.quiet = true
		close(c.read)
	}
}

// farewell writes the last items and the end of the stream.
func (c *connection) farewell(reason *streamError, items ...[]byte) {
	if !c.opened && reason != nil { // RFC 6120 §4.9.1.2: a header comes first
		items = append(items, c.header())
	}
	if reason != nil {
		items = append(items, reason.first...)
	}
	if reason != nil && reason.condition != "" {
		streamErrors.WithLabelValues(reason.condition).Inc()
		items = append(items, c.stream.Element(reason.element()))
	}
	if c.opened || reason != nil {
		items = append(items, c.stream.End())
	}
	if len(items) > 0 {
		if err := c.stream.Write(items...); err != nil {
			c.abort()
			return
		}
	}
	if err := c.stream.Close(); err != nil {
		c.door.log.Debug("close connection", "err", err)
	}
}

// reasonOf is the stream error for what ended a stream, nil when there is nobody to tell or nothing to say.
func reasonOf(err error) *streamError {
	told, ok := errors.AsType[*streamError](err)
	switch {
	case ok:
		return told
	case errors.Is(err, xmpp.ErrRestricted):
		return &streamError{condition: "restricted-xml"}
	case errors.Is(err, xmpp.ErrTooLarge):
		return &streamError{condition: "policy-violation", text: "larger or deeper than allowed"}
	case errors.Is(err, xmpp.ErrNotWellFormed):
		return &streamError{condition: "not-well-formed"}
	case errors.Is(err, xmpp.ErrNamespace):
		return &streamError{condition: "bad-namespace-prefix"}
	case errors.Is(err, transport.ErrEncoding):
		return &streamError{condition: "unsupported-encoding"}
	}
	return nil
}

func (e *streamError) element() *xmpp.Element {
	out := xmpp.NewElement(xmpp.NSStream, "error", xmpp.NewElement(xmpp.NSStreams, e.condition))
	if e.text != "" {
		out.Add(xmpp.NewText(xmpp.NSStreams, "text", e.text).SetAttr(xmpp.NSXML, "lang", "en"))
	}
	return out.Add(e.detail)
}

// write sends items before there is a session.
func (c *connection) write(items ...[]byte) error { return c.stream.Write(items...) }

func (c *connection) writeElement(e *xmpp.Element) error { return c.write(c.stream.Element(e)) }
