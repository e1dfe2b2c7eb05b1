package core

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"

	"palabre.dev/palabre/xmpp"
)

// Scope says whom a request can be put to.
type Scope uint8

// The scopes, which may be joined with |: the server itself at its domain, and accounts at their bare addresses.
const (
	AtServer Scope = 1 << iota
	AtAccount
)

// Request is an iq of type get or set.
type Request struct {
	*Transit
	Set     bool
	Payload *xmpp.Element
	// Account is the account that is asked, nil when it is the server.
	Account *Account
}

// Own reports whether an account asks its own server about itself.
func (r *Request) Own() bool {
	return r.Sender != nil && r.Account != nil && r.Sender.ID == r.Account.ID
}

// IQHandler answers a request with the payload of the result, nil for an empty one. An *xmpp.Error is told to the asker as it is, any
// other error but ErrAnswered is logged and told as internal-server-error.
type IQHandler func(ctx context.Context, r *Request) (*xmpp.Element, error)

type iqKey struct {
	scope        Scope
	space, local string
}

// HandleIQ sets who answers requests with this payload, and announces its namespace in service discovery.
func (s *Server) HandleIQ(scope Scope, space, local string, handler IQHandler) {
	for _, at := range []Scope{AtServer, AtAccount} {
		if scope&at == 0 {
			continue
		}
		key := iqKey{at, space, local}
		if _, twice := s.iqs[key]; twice {
			panic("core: two handlers for " + space + " " + local)
		}
		s.iqs[key] = handler
	}
	s.Announce(scope, space)
}

// Announce adds features to what service discovery tells (XEP-0030 §3).
func (s *Server) Announce(scope Scope, features ...string) {
	for i, at := range []Scope{AtServer, AtAccount} {
		if scope&at != 0 {
			s.announced[i] = appendNew(s.announced[i], features...)
		}
	}
}

func appendNew(list []string, more ...string) []string {
next:
	for _, one := range more {
		for _, have := range list {
			if have == one {
				continue next
			}
		}
		list = append(list, one)
	}
	return list
}

// Announced are the features that were announced for one scope, in the order of registration. The slice must not be changed.
func (s *Server) Announced(scope Scope) []string {
	if scope == AtServer {
		return s.announced[0]
	}
	return s.announced[1]
}

// handServer takes what is addressed to the server itself.
func (s *Server) handServer(ctx context.Context, t *Transit) error {
	switch {
	case t.Stanza.Kind != xmpp.IQ:
		if handler := s.serverMessage; handler != nil && t.Stanza.Kind == xmpp.Message {
			return handler(ctx, t)
		}
		return nil
	case t.Stanza.IsRequest():
		return s.answer(ctx, t, AtServer)
	}
	s.requests.arrived(t.Stanza)
	return nil
}

// handAccountIQ takes an iq for a local account: to a session at a full address, else to the server on the account's behalf.
func (s *Server) handAccountIQ(ctx context.Context, t *Transit) error {
	to := t.Stanza.To
	if to.IsZero() || to.IsBare() {
		if t.Stanza.IsRequest() {
			return s.answer(ctx, t, AtAccount)
		}
		s.requests.arrived(t.Stanza)
		return nil
	}
	session := s.Session(to)
	if session == nil {
		return xmpp.ServiceUnavailable // RFC 6121 §8.5.3.2.3
	}
	s.put(ctx, t, []*Session{session}, nil)
	return nil
}

// answer finds the handler of a request and sends the result.
func (s *Server) answer(ctx context.Context, t *Transit, scope Scope) error {
	r := &Request{Transit: t, Set: t.Stanza.Type == "set", Payload: t.Stanza.First()}
	if r.Payload == nil || t.Stanza.ID == "" {
		return xmpp.BadRequest
	}
	if scope == AtAccount {
		r.Account = t.Receiver
	}
	handler := s.iqs[iqKey{scope, r.Payload.Space, r.Payload.Local}]
	if handler == nil {
		return xmpp.ServiceUnavailable
	}
	payload, err := handler(ctx, r)
	if errors.Is(err, ErrAnswered) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Answer(ctx, t, t.Stanza.Reply(payload))
}

// Answer sends the result of a request to whoever sent it.
func (s *Server) Answer(ctx context.Context, t *Transit, reply *xmpp.Stanza) error {
	if reply.From.IsZero() && t.Receiver != nil {
		reply.From = t.Receiver.JID
	}
	if t.Via != nil {
		t.Via.Send(reply)
		return nil
	}
	return s.Route(ctx, reply)
}

// requests are the iqs that the server itself has sent and that wait for their answers.
type requests struct {
	last    atomic.Uint64
	mu      sync.Mutex
	waiting map[string]waiting
}

type waiting struct {
	to    xmpp.JID
	reply chan *xmpp.Stanza
}

// Ask sends a request in the server's name, or in that of a bare local address set as from, and waits for the answer or the end of ctx.
// An error answer is returned as *xmpp.Error.
func (s *Server) Ask(ctx context.Context, iq *xmpp.Stanza) (*xmpp.Stanza, error) {
	ask := iq.Copy()
	if ask.From.IsZero() {
		ask.From = s.domain
	}
	ask.ID = "s" + strconv.FormatUint(s.requests.last.Add(1), 36)
	w := waiting{to: ask.To, reply: make(chan *xmpp.Stanza, 1)}
	s.requests.mu.Lock()
	s.requests.waiting[ask.ID] = w
	s.requests.mu.Unlock()
	defer s.requests.forget(ask.ID)
	if err := s.Route(ctx, ask); err != nil {
		return nil, err
	}
	select {
	case reply := <-w.reply:
		if reply.IsError() {
			return nil, xmpp.ErrorOf(reply)
		}
		return reply, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *requests) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, id)
}

// arrived hands an answer to whoever waits for it; answers that nobody waits for, or from elsewhere, are dropped.
func (r *requests) arrived(reply *xmpp.Stanza) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w, ok := r.waiting[reply.ID]; ok && w.to == reply.From {
		delete(r.waiting, reply.ID)
		w.reply <- reply
	}
}

// HandleServerMessage sets who takes messages addressed to the server itself; without one they are dropped.
func (s *Server) HandleServerMessage(fn func(ctx context.Context, t *Transit) error) {
	if s.serverMessage != nil {
		panic("core: messages to the server have an owner already")
	}
	s.serverMessage = fn
}
