package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// maxArrivals is the most stanzas that wait for their handler; then the connection is read no further.
const maxArrivals = 1000

// arrivals are stanzas that wait for the worker.
type arrivals struct {
	queue   []arrival
	current uint32 // the number of the stanza that is in a handler
	busy    bool   // there is one
	owed    bool   // the server asked before all was handled
}

type arrival struct {
	stanza *xmpp.Stanza
	number uint32
}

// StreamError is how a server ends a session (RFC 6120 §4.9).
type StreamError struct{ Condition, Text string }

// Error names the condition.
func (e *StreamError) Error() string {
	if e.Text == "" {
		return "stream error " + e.Condition
	}
	return "stream error " + e.Condition + ": " + e.Text
}

func streamErrorOf(e *xmpp.Element) *StreamError {
	out := &StreamError{Condition: "undefined-condition", Text: e.ChildText(xmpp.NSStreams, "text")}
	for child := range e.Children() {
		if child.Space == xmpp.NSStreams && child.Local != "text" {
			out.Condition = child.Local
		}
	}
	return out
}

var errStreamEnd = errors.New("server ended the stream")

// patience is how long a server that was asked for a sign of life may take.
const patience = 30 * time.Second

// read takes what arrives on a connection until it fails.
func (c *Client) read(ctx context.Context, s *transport.Stream) error {
	alive, probed := true, false
	for {
		event, err := s.Next()
		switch {
		case err != nil && !isTimeout(err):
			return err
		case err != nil && probed && !alive:
			return fmt.Errorf("no sign of life: %w", err)
		case err != nil:
			// The deadline is moved once in a while rather than for every stanza.
			wait := c.cfg.KeepAlive
			if probed = !alive; probed {
				c.probe()
				wait = patience
			}
			alive = false
			if err := s.SetReadDeadline(time.Now().Add(wait)); err != nil {
				return err
			}
			continue
		}
		alive = true
		if err := c.take(ctx, event); err != nil {
			return err
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// probe makes the server say something.
func (c *Client) probe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session.managed {
		c.out = append(c.out, requestAck)
	} else {
		ping := &xmpp.Stanza{Kind: xmpp.IQ, Type: "get", ID: c.prefix + "-ping"}
		c.out = append(c.out, ping.Add(xmpp.NewElement(nsPing, "ping")).Append(nil))
	}
	c.flush()
}

func (c *Client) take(ctx context.Context, event transport.Event) error {
	switch event.Kind {
	case transport.Close:
		return errStreamEnd
	case transport.Open:
		return fmt.Errorf("second stream header: %w", ErrUnexpected)
	case transport.Element:
		return c.takeElement(ctx, event.Element)
	}
	return nil
}

func (c *Client) takeElement(ctx context.Context, e *xmpp.Element) error {
	switch {
	case e.Is(nsManagement, "a"):
		return c.acknowledged(e.Attr("h"))
	case e.Is(nsManagement, "r"):
		c.mu.Lock()
		defer c.mu.Unlock()
		c.acknowledge()
		c.flush()
		return nil
	case e.Is(xmpp.NSStream, "error"):
		return streamErrorOf(e)
	}
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if errors.Is(err, xmpp.ErrNotStanza) {
		return nil // features after SASL2, or an extension that was not asked for
	}
	switch {
	case err != nil:
		c.log.Warn("stanza with a malformed address was passed over", "err", err)
	case c.answered(st) || c.collected(st):
	case c.cfg.Lean:
		c.handle(ctx, st)
	default:
		return c.leaveToWorker(ctx, st)
	}
	c.mu.Lock()
	c.session.arrived++
	c.mu.Unlock()
	return nil
}

// acknowledge says how many stanzas are handled (XEP-0198 §4); mu is held.
func (c *Client) acknowledge() {
	if !c.session.managed {
		return
	}
	handled := c.handled()
	c.arrivals.owed = handled != c.session.arrived
	b := append(make([]byte, 0, 48), "<a xmlns='"+nsManagement+"' h='"...)
	c.out = append(c.out, append(strconv.AppendUint(b, uint64(handled), 10), "'/>"...))
}

// handled is how many stanzas need not be sent to us again, in the order of their arrival; mu is held.
func (c *Client) handled() uint32 {
	switch a := &c.arrivals; {
	case a.busy:
		return a.current - 1
	case len(a.queue) > 0:
		return a.queue[0].number - 1
	}
	return c.session.arrived
}

// leaveToWorker counts a stanza as arrived in the same moment as it stands in the worker's queue: until then it is not handled.
func (c *Client) leaveToWorker(ctx context.Context, st *xmpp.Stanza) error {
	for {
		c.mu.Lock()
		if len(c.arrivals.queue) < maxArrivals {
			c.session.arrived++
			c.arrivals.queue = append(c.arrivals.queue, arrival{st, c.session.arrived})
			c.wake()
			c.mu.Unlock()
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

// work hands arrivals to their handlers, one after the other.
func (c *Client) work(ctx context.Context) {
	for {
		c.mu.Lock()
		a := &c.arrivals
		a.busy = false
		if len(a.queue) == 0 {
			a.queue = nil
			if a.owed && c.stream != nil {
				c.acknowledge()
				c.flush()
				c.mu.Unlock()
				continue // something may have come while this was being written
			}
			changed := c.waiting()
			c.mu.Unlock()
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		next := a.queue[0]
		a.queue, a.busy, a.current = a.queue[1:], true, next.number
		if len(a.queue) == maxArrivals-1 {
			c.wake()
		}
		c.mu.Unlock()
		c.handle(ctx, next.stanza)
	}
}

// rewind forgets the arrivals that no handler has seen: the server sends them again. The one in a handler counts as handled from now
// on, since it will be. mu is held.
func (c *Client) rewind() {
	a := &c.arrivals
	if len(a.queue) > 0 {
		c.session.arrived = a.queue[0].number - 1
		a.queue = nil
	}
	a.current, a.owed = c.session.arrived+1, false
}

// handle gives a stanza to whom it concerns.
func (c *Client) handle(ctx context.Context, st *xmpp.Stanza) {
	switch st.Kind {
	case xmpp.Message:
		if c.cfg.OnMessage != nil {
			c.cfg.OnMessage(ctx, st)
		}
	case xmpp.Presence:
		if c.cfg.OnPresence != nil {
			c.cfg.OnPresence(ctx, st)
		}
	case xmpp.IQ:
		if st.IsRequest() {
			c.serve(ctx, st)
		}
	}
}
