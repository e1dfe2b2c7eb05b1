package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"palabre.dev/palabre/xmpp"
)

const nsPing = "urn:xmpp:ping" // XEP-0199

// ask is an iq that waits for its answer.
type ask struct {
	to     xmpp.JID
	answer chan answer // holds one
}

type answer struct {
	stanza *xmpp.Stanza
	err    error
}

// Ask sends an iq of type get or set and returns the payload of the result, nil if it has none. An error answer is returned as
// *xmpp.Error. Others: ErrUnsure when the session was lost before the answer came, ErrClosed, or that of ctx, which gets the deadline
// of Config.Timeout if it has none. A Lean client must not call it in a handler.
func (c *Client) Ask(ctx context.Context, iq *xmpp.Stanza) (*xmpp.Element, error) {
	result, err := c.AskStanza(ctx, iq)
	if err != nil {
		return nil, err
	}
	return result.First(), nil
}

// Get asks to with a payload; the zero JID is the account's own server, on behalf of the account (RFC 6120 §10.3.3).
func (c *Client) Get(ctx context.Context, to xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return c.Ask(ctx, (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", To: to}).Add(payload))
}

// Set tells to to change something; otherwise it is Get.
func (c *Client) Set(ctx context.Context, to xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return c.Ask(ctx, (&xmpp.Stanza{Kind: xmpp.IQ, Type: "set", To: to}).Add(payload))
}

// AskStanza is Ask, and returns the whole answer.
func (c *Client) AskStanza(ctx context.Context, iq *xmpp.Stanza) (*xmpp.Stanza, error) {
	return c.askFor(ctx, iq, false)
}

// askFor asks; urgently, past the stanzas that are held until a new session is settled.
func (c *Client) askFor(ctx context.Context, iq *xmpp.Stanza, urgent bool) (*xmpp.Stanza, error) {
	if !iq.IsRequest() {
		return nil, errors.New("ask: not an iq of type get or set")
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	iq = c.identified(iq)
	a := &ask{to: iq.To, answer: make(chan answer, 1)}
	if err := c.beginAsk(iq, a, urgent); err != nil {
		return nil, err
	}
	defer c.endAsk(iq.ID)
	select {
	case got := <-a.answer:
		if got.err != nil {
			return nil, got.err
		}
		if got.stanza.IsError() {
			return nil, xmpp.ErrorOf(got.stanza)
		}
		return got.stanza, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an answer: %w", ctx.Err())
	}
}

// bounded is ctx with a deadline.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.cfg.Timeout)
}

func (c *Client) beginAsk(iq *xmpp.Stanza, a *ask, urgent bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.why != nil || c.closing:
		return c.gone()
	case c.asks[iq.ID] != nil:
		return fmt.Errorf("ask: id %q is in use", iq.ID)
	case len(c.asks) >= c.cfg.MaxUnacked:
		return fmt.Errorf("ask: %d answers are missing", len(c.asks))
	}
	if c.asks == nil {
		c.asks = map[string]*ask{}
	}
	c.asks[iq.ID] = a
	c.enqueue(&outgoing{stanza: iq, bytes: iq.Append(nil)}, c.ready || urgent)
	return nil
}

func (c *Client) endAsk(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.asks, id)
	if len(c.asks) == 0 {
		c.asks = nil
	}
}

// answered takes an iq that answers an ask. One from another address than the one asked is a forgery.
func (c *Client) answered(st *xmpp.Stanza) bool {
	if st.Kind != xmpp.IQ || st.Type != "result" && st.Type != "error" {
		return false
	}
	c.mu.Lock()
	a := c.asks[st.ID]
	genuine := a != nil && c.speaksFor(st.From, a.to)
	if genuine {
		delete(c.asks, st.ID)
	}
	c.mu.Unlock()
	if genuine {
		a.answer <- answer{stanza: st}
	}
	return true
}

// speaksFor reports whether an answer from this address is one to what was sent to that (RFC 6120 §8.1.2.1); mu is held.
func (c *Client) speaksFor(from, to xmpp.JID) bool {
	own := c.jid.Bare()
	if to.IsZero() || to == own {
		return from.IsZero() || from == own || from == c.jid
	}
	return from == to || from.IsZero() && to == own.Host()
}

// orphans are the asks that a lost session leaves without an answer: all but those still held. They are taken out. mu is held.
func (c *Client) orphans() []*ask {
	kept := make(map[string]*ask)
	for _, o := range c.session.held {
		if a := c.asks[o.stanza.ID]; a != nil && o.stanza.Kind == xmpp.IQ {
			kept[o.stanza.ID] = a
			delete(c.asks, o.stanza.ID)
		}
	}
	lost := slices.Collect(maps.Values(c.asks))
	c.asks = kept
	return lost
}

// Ping asks an address for a sign of life (XEP-0199); the zero JID is the server.
func (c *Client) Ping(ctx context.Context, to xmpp.JID) error {
	_, err := c.Get(ctx, to, xmpp.NewElement(nsPing, "ping"))
	return err
}
