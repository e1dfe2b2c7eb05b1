package component

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Inside is a handler at a domain of our own server, in its process. It sends and asks as a Component does, and what it has sent was kept.
type Inside struct {
	jid     xmpp.JID
	handler Handler
	server  *core.Server
	log     *slog.Logger
	asks    asks
	last    atomic.Uint64
	aside   aside
}

// NewInside makes a service of a handler; Attach puts it at its domain.
func NewInside(domain string, handler Handler, log *slog.Logger) (*Inside, error) {
	jid, err := xmpp.NewJID("", domain, "")
	if err != nil {
		return nil, err
	}
	return &Inside{jid: jid, handler: handler, log: log.With("part", "component", "domain", domain)}, nil
}

// Attach puts the service at its domain.
func (i *Inside) Attach(server *core.Server) {
	i.server = server
	server.AddService(i.jid.Domain(), i)
}

// JID is the service's own address.
func (i *Inside) JID() xmpp.JID { return i.jid }

// Online is true: a service within a server is never without it.
func (i *Inside) Online() bool { return true }

// Handle takes a stanza from the server (core.Service).
func (i *Inside) Handle(ctx context.Context, t *core.Transit) error {
	st := t.Stanza
	stanzas.WithLabelValues("inside", "in").Inc()
	if i.asks.arrived(st) {
		return nil
	}
	payload, err := i.handler.Handle(ctx, st)
	if later := laterOf(err); later != nil && st.IsRequest() {
		if !i.aside.do(func() { i.answerLater(context.WithoutCancel(ctx), t, later) }) {
			refused.WithLabelValues("inside").Inc()
			return errTooManyLater
		}
		return nil
	}
	if err != nil || !st.IsRequest() {
		return err
	}
	return i.server.Answer(ctx, t, st.Reply(payload))
}

func (i *Inside) answerLater(ctx context.Context, t *core.Transit, later *Later) {
	payload, err := ask(ctx, later, t.Stanza, i.log)
	if err := i.server.Answer(ctx, t, replyTo(t.Stanza, payload, err, i.log)); err != nil {
		i.log.Debug("an answer was not sent", "to", t.Stanza.From, "err", err)
	}
}

// Run waits for what is answered later when ctx ends; what would be answered later is refused from then on.
func (i *Inside) Run(ctx context.Context) error {
	<-ctx.Done()
	i.aside.end()
	return nil
}

// Send sends stanzas in order, and returns when the server has them: what is for an account of its own and is kept, is on disk then. Those that were refused are in
// the error as a *Refusal each, and only those. Any other error means that it is right to try again with the same ids.
func (i *Inside) Send(ctx context.Context, batch ...*xmpp.Stanza) error {
	var all []error
	for _, st := range batch {
		if st.From.IsZero() {
			st = st.Copy()
			st.From = i.jid
		}
		stanzas.WithLabelValues("inside", "out").Inc()
		err := i.server.Route(ctx, st)
		var known *xmpp.Error
		if errors.As(err, &known) {
			err = &Refusal{st.ID, st.To, known}
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// Ask sends a request and waits for the answer, or for the end of ctx. An error answer is returned as *xmpp.Error.
func (i *Inside) Ask(ctx context.Context, iq *xmpp.Stanza) (*xmpp.Stanza, error) {
	ask := iq.Copy()
	ask.From, ask.ID = i.jid, "i"+strconv.FormatUint(i.last.Add(1), 36)
	w, err := i.asks.begin(ask.ID, ask.To, nil)
	if err != nil {
		return nil, err
	}
	defer i.asks.end(w)
	if err := i.server.Route(ctx, ask); err != nil {
		return nil, err
	}
	select {
	case <-w.done:
		return w.result()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
