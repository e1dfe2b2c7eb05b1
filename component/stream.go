package component

import (
	"context"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

const nsPing = "urn:xmpp:ping" // XEP-0199

// StreamError is why the other end has ended the stream (RFC 6120 §4.9.3).
type StreamError struct{ Condition, Text string }

func (e *StreamError) Error() string {
	if e.Text != "" {
		return "stream error " + e.Condition + ": " + e.Text
	}
	return "stream error " + e.Condition
}

var errEnded = errors.New("the server has ended the stream")

func conflicts(err error) bool {
	var told *StreamError
	return errors.As(err, &told) && told.Condition == "conflict"
}

// proof is what shows that its sender knows the secret (XEP-0114 §3).
func proof(id, secret string) string {
	sum := sha1.Sum([]byte(id + secret))
	return hex.EncodeToString(sum[:])
}

func proves(text, id, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(text), []byte(proof(id, secret))) == 1
}

// connection is the life of one connection.
func (c *Component) connection(ctx context.Context) error {
	s, err := c.dial(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.hurry(s) })
	defer stop()
	if err := c.handshake(s); err != nil {
		return errors.Join(err, s.Abort())
	}
	c.log.Info("connected", "address", c.cfg.Address)
	c.why = ""
	c.arrived(s)
	err = c.read(ctx, s)
	if ctx.Err() != nil { // in order: what was read is answered first
		c.lanes.drain()
		c.left()
		if err := s.Write(s.End()); err != nil {
			c.log.Debug("end of the stream was not written", "err", err)
		}
		return s.Close()
	}
	c.left()
	return errors.Join(err, s.Abort())
}

// hurry makes whoever reads stop.
func (c *Component) hurry(s *transport.Stream) {
	if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
		c.log.Debug("connection is closed already", "err", err)
	}
}

// handshake opens the stream and proves that the component knows the secret (XEP-0114 §3).
func (c *Component) handshake(s *transport.Stream) error {
	if err := s.SetReadDeadline(time.Now().Add(c.cfg.Timeout)); err != nil {
		return err
	}
	if err := s.Write(s.Header(xmpp.Header{To: c.cfg.Domain})); err != nil {
		return err
	}
	event, err := s.Next()
	if err != nil {
		return fmt.Errorf("wait for the server's stream: %w", err)
	}
	if event.Kind != transport.Open || event.Header.ID == "" {
		return errors.New("the server did not open a stream")
	}
	if err := s.Write([]byte("<handshake>" + proof(event.Header.ID, c.cfg.Secret) + "</handshake>")); err != nil {
		return err
	}
	for {
		event, err := s.Next()
		switch {
		case err != nil:
			return fmt.Errorf("wait for the handshake: %w", err)
		case event.Kind == transport.Close:
			return errEnded
		case event.Kind != transport.Element:
			continue
		case event.Element.Local == "handshake":
			return nil
		}
		return streamError(event.Element)
	}
}

// streamError reads what the other end says instead of what was expected.
func streamError(e *xmpp.Element) error {
	if !e.Is(xmpp.NSStream, "error") {
		return fmt.Errorf("the server sent <%.32s/>, which does not belong here", e.Local)
	}
	told := &StreamError{Condition: "undefined-condition", Text: e.ChildText(xmpp.NSStreams, "text")}
	for child := range e.Children() {
		if child.Space == xmpp.NSStreams && child.Local != "text" {
			told.Condition = child.Local
		}
	}
	return told
}

// read takes what comes until the stream ends. After a silence it asks whether the server is there.
func (c *Component) read(ctx context.Context, s *transport.Stream) error {
	asked := false
	for {
		wait := c.cfg.Idle
		if asked {
			wait = c.cfg.Timeout
		}
		if err := s.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return err
		}
		if ctx.Err() != nil { // before the deadline was moved
			return ctx.Err()
		}
		event, err := s.Next()
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout() && !asked && ctx.Err() == nil:
			asked = true
			if err := s.Write(c.ping(c.id()).Append(nil)); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("read: %w", err)
		case event.Kind == transport.Close:
			return errEnded
		}
		asked = false
		if event.Kind == transport.Element {
			if err := c.take(event.Element); err != nil {
				return err
			}
		}
	}
}

// ping is a request from the component to itself.
func (c *Component) ping(id string) *xmpp.Stanza {
	return (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", ID: id, From: c.jid, To: c.jid}).Add(xmpp.NewElement(nsPing, "ping"))
}

func (c *Component) id() string { return c.prefix + strconv.FormatUint(c.last.Add(1), 36) }

// take sorts one element: what somebody waits for, and what the handler is asked.
func (c *Component) take(e *xmpp.Element) error {
	st, err := xmpp.NewStanza(asClient(e), xmpp.NSClient)
	if errors.Is(err, xmpp.ErrNotStanza) {
		return streamError(e)
	}
	stanzas.WithLabelValues("external", "in").Inc()
	if err != nil {
		c.log.Debug("a stanza with a malformed address", "err", err)
		return nil
	}
	if c.asks.arrived(st) || st.From == c.jid && st.IsRequest() { // our own ping, of which nobody wants to know any more
		return nil
	}
	if st.To.Domain() != c.jid.Domain() {
		c.log.Debug("a stanza for somebody else", "to", st.To)
		return nil
	}
	if !c.lanes.enter(st) && st.IsRequest() {
		refused.WithLabelValues("external").Inc()
		c.write(st.ErrorReply(xmpp.ResourceConstraint.Because("too many requests wait; try again later")))
	}
	return nil
}

// asClient is the element as one of jabber:client, also where each stanza names the namespace of components itself.
func asClient(e *xmpp.Element) *xmpp.Element {
	if e.Space != xmpp.NSComponent {
		return e
	}
	e = e.Clone()
	rename(e)
	return e
}

func rename(e *xmpp.Element) {
	if e.Space == xmpp.NSComponent {
		e.Space = xmpp.NSClient
	}
	for child := range e.Children() {
		rename(child)
	}
}

// handle asks the handler, and answers.
func (c *Component) handle(ctx context.Context, st *xmpp.Stanza) {
	payload, err := ask(ctx, c.handler, st, c.log)
	if later := laterOf(err); later != nil {
		if c.lanes.aside.do(func() {
			payload, err := ask(ctx, later, st, c.log)
			c.reply(st, payload, err)
		}) {
			return
		}
		refused.WithLabelValues("external").Inc()
		payload, err = nil, errTooManyLater
	}
	c.reply(st, payload, err)
}

func (c *Component) reply(st *xmpp.Stanza, payload *xmpp.Element, err error) {
	if reply := replyTo(st, payload, err, c.log); reply != nil {
		c.write(reply)
	}
}

// write sends what nobody waits for. If it cannot be sent, whoever has asked will ask again.
func (c *Component) write(st *xmpp.Stanza) {
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s == nil {
		c.log.Debug("an answer was not sent: there is no connection", "to", st.To)
		return
	}
	if err := s.Write(st.Append(nil)); err != nil {
		c.log.Debug("an answer was not sent", "to", st.To, "err", err)
		return
	}
	stanzas.WithLabelValues("external", "out").Inc()
}

func (c *Component) arrived(s *transport.Stream) {
	connected.WithLabelValues(c.cfg.Domain).Set(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream, c.broken = s, make(chan struct{})
	close(c.change)
}

func (c *Component) left() {
	connected.WithLabelValues(c.cfg.Domain).Set(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.broken)
	c.stream, c.change = nil, make(chan struct{})
}
