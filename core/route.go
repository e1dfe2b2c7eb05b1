package core

import (
	"context"
	"errors"

	"palabre.dev/palabre/xmpp"
)

// Route carries a stanza that did not come from a local session's door: from another server, a component, a service or a feature. It
// returns when the stanza has been handled; the error is what the sender is to be told, and has not been told yet.
func (s *Server) Route(ctx context.Context, st *xmpp.Stanza) error {
	return s.carry(ctx, &Transit{Stanza: st})
}

// RouteAs is Route for a stanza that a feature sends in the name of a local account.
func (s *Server) RouteAs(ctx context.Context, account *Account, st *xmpp.Stanza) error {
	return s.carry(ctx, &Transit{Stanza: st, Sender: account})
}

// handle carries a stanza and tells its sender what went wrong.
func (s *Server) handle(ctx context.Context, t *Transit) {
	s.refuse(ctx, t, s.carry(ctx, t))
}

func (s *Server) carry(ctx context.Context, t *Transit) error {
	if err := s.decide(ctx, t); err != nil || t.dropped {
		return err
	}
	if len(t.writes) == 0 {
		return s.deliver(ctx, t)
	}
	return s.keepAndDeliver(ctx, t)
}

// keepAndDeliver waits for the disk and then for the transit's turn. Within another turn it does not wait for its own.
func (s *Server) keepAndDeliver(ctx context.Context, t *Transit) error {
	ready := make(chan error, 1)
	turn := newTurn(t, func() { ready <- nil })
	inTurn := !isTelling(ctx)
	s.store.Submit(ctx, s.writing(t), func(err error) {
		if err == nil && inTurn {
			s.turns.enter(turn)
			return
		}
		ready <- err
	})
	if err := <-ready; err != nil {
		return s.keepError(err)
	}
	if inTurn {
		defer s.turns.leave(turn)
		ctx = telling(ctx)
	}
	return s.deliver(ctx, t)
}

// writing runs what the Keep phase planned. A stanza that was decided before its account was removed leaves nothing behind.
func (s *Server) writing(t *Transit) Write {
	ends := newTurn(t, nil).each()
	return func(ctx context.Context) error {
		if s.gone.any(ends) {
			return xmpp.ServiceUnavailable
		}
		for _, write := range t.writes {
			if err := write(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// keepError is what the sender is told when nothing could be kept.
func (s *Server) keepError(err error) error {
	if err == nil {
		return nil
	}
	var told *xmpp.Error
	if errors.As(err, &told) {
		return told
	}
	if later := tryLater(err); later != nil { // whoever found it has said so, and not once for each stanza
		s.log.Debug("could not keep a stanza", "err", err)
		return later
	}
	s.log.Error("could not keep a stanza", "err", err)
	return xmpp.ResourceConstraint.Because("the message could not be stored; try again later")
}

// tryLater is what the sender is told about an error that says of itself, by a method TryLater, that it may pass and that nothing was
// changed, such as a full disk; nil for other errors.
func tryLater(err error) *xmpp.Error {
	var passing interface{ TryLater() bool }
	if errors.As(err, &passing) && passing.TryLater() {
		return xmpp.ResourceConstraint.Because("this cannot be stored now; try again later")
	}
	return nil
}

// finish is the rest of the journey after the Keep phase.
func (s *Server) finish(ctx context.Context, t *Transit, err error) {
	if err == nil && !t.dropped {
		err = s.deliver(ctx, t)
	}
	s.refuse(ctx, t, err)
}

// decide runs Check and Change of both ends and plans what to keep.
func (s *Server) decide(ctx context.Context, t *Transit) error {
	if err := s.address(ctx, t); err != nil {
		return err
	}
	if t.Sender != nil {
		if err := s.ask(ctx, t, Sent); err != nil || t.dropped {
			return err
		}
	}
	if t.Receiver != nil {
		if err := s.ask(ctx, t, Received); err != nil {
			return err
		}
		if t.dropped && t.Sender != nil { // the sender's end knows nothing of it
			t.dropped, t.unheard, t.Receiver = false, true, nil
		}
		if t.dropped {
			return nil
		}
	}
	write, err := s.askService(ctx, t)
	if err != nil || t.dropped {
		return err
	}
	if t.Sender != nil {
		s.plan(t, Sent)
	}
	if t.Receiver != nil {
		s.plan(t, Received)
	}
	if write != nil {
		t.writes = append(t.writes, write)
	}
	return nil
}

// askService asks the service at the stanza's address what it has to keep.
func (s *Server) askService(ctx context.Context, t *Transit) (Write, error) {
	to := t.Stanza.To
	if t.Receiver != nil || to.IsZero() || s.Local(to) {
		return nil, nil
	}
	service, ok := s.services[to.Domain()].(Deciding)
	if !ok {
		return nil, nil
	}
	log, write, err := service.Decide(ctx, t)
	if write != nil {
		t.log = log
	}
	return write, err
}

// address finds who is at both ends. A session's stanza without an address is for its own account (RFC 6120 §10.3).
func (s *Server) address(ctx context.Context, t *Transit) error {
	st := t.Stanza
	if t.Via != nil && st.From != t.Via.JID {
		t.Edit().From = t.Via.JID
		st = t.Stanza
	}
	to := st.To
	if to.IsZero() && t.Sender != nil && st.Kind != xmpp.Presence {
		t.Receiver = t.Sender
		if st.Kind == xmpp.Message {
			t.Edit().To = t.Sender.JID
		}
		return nil
	}
	if to.IsZero() || !s.Local(to) || to.Local() == "" {
		return nil
	}
	account, err := s.directory.Account(ctx, to.Bare())
	switch {
	case errors.Is(err, ErrNoAccount):
		if st.Kind == xmpp.Presence {
			return nil // RFC 6121 §8.5.1: the sender's own end goes on, the receiver's is silent
		}
		return xmpp.ServiceUnavailable
	case err != nil:
		return err
	}
	t.Receiver = account
	return nil
}

func (s *Server) ask(ctx context.Context, t *Transit, stage Stage) error {
	for _, rule := range s.hooks.check[stage] {
		if err := rule(ctx, t); err != nil {
			return err
		}
		if t.dropped {
			return nil
		}
	}
	for _, rule := range s.hooks.change[stage] {
		if err := rule(ctx, t); err != nil || t.dropped {
			return err
		}
	}
	return nil
}

func (s *Server) plan(t *Transit, stage Stage) {
	for _, rule := range s.hooks.keep[stage] {
		if write := rule(t); write != nil {
			t.writes = append(t.writes, write)
		}
	}
}

// deliver is the Tell phase, with the delivery itself in its middle.
func (s *Server) deliver(ctx context.Context, t *Transit) error {
	for _, rule := range s.hooks.kept {
		rule(t)
	}
	if t.Sender != nil {
		for _, tell := range s.hooks.tell[Sent] {
			tell(ctx, t)
		}
		if t.dropped {
			return nil
		}
	}
	if err := s.hand(ctx, t); err != nil {
		return err
	}
	if t.Receiver != nil {
		for _, tell := range s.hooks.tell[Received] {
			tell(ctx, t)
		}
	}
	for _, then := range t.after {
		then(ctx)
	}
	return nil
}

// hand gives the stanza to whoever lives at its address.
func (s *Server) hand(ctx context.Context, t *Transit) error {
	to := t.Stanza.To
	switch {
	case t.unheard:
		return nil
	case t.Stanza.Kind == xmpp.Presence && (to.IsZero() || t.Receiver != nil):
		if s.presence == nil {
			return nil
		}
		return s.presence(ctx, t)
	case t.Receiver != nil && t.Stanza.Kind == xmpp.IQ:
		return s.handAccountIQ(ctx, t)
	case t.Receiver != nil:
		return s.handMessage(ctx, t)
	case s.Local(to):
		return s.handServer(ctx, t)
	}
	if service := s.services[to.Domain()]; service != nil {
		return service.Handle(ctx, t)
	}
	return xmpp.RemoteServerNotFound
}

// refuse tells the sender of a stanza why it went no further. Errors and answers are never answered (RFC 6120 §8.3.1).
func (s *Server) refuse(ctx context.Context, t *Transit, err error) {
	if err == nil || t.Stanza.IsError() || t.Stanza.Type == "result" {
		return
	}
	if t.Stanza.Kind == xmpp.Presence && t.Stanza.To.IsZero() {
		s.log.Debug("presence refused", "session", t.Via, "err", err)
	}
	var told *xmpp.Error
	if told = tryLater(err); told != nil {
		s.log.Debug("stanza refused for now", "session", t.Via, "err", err)
	} else if !errors.As(err, &told) {
		s.log.Error("stanza failed", "session", t.Via, "stanza", t.Stanza.Kind.String(), "err", err)
		told = xmpp.InternalServerError
	}
	if t.Via == nil {
		return
	}
	reply := t.Stanza.ErrorReply(told)
	if reply.From.IsZero() { // as the result would have been: what has no address is for the account (RFC 6120 §8.1.2.1, §10.3.3)
		reply.From = t.Via.Account.JID
	}
	t.Via.Send(reply)
}

// HandlePresence sets the one feature that owns presence: undirected presence of a local session, and presence of all types for a local
// account.
func (s *Server) HandlePresence(fn func(ctx context.Context, t *Transit) error) {
	if s.presence != nil {
		panic("core: presence has an owner already")
	}
	s.presence = fn
}
