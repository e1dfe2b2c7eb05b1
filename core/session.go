package core

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// Outbox is a session's way out, made by its door.
type Outbox interface {
	// Send puts a delivery into the session's bounded queue and returns at once. A session that cannot take more is ended by its
	// door; what it had not acknowledged comes back through Server.Lost.
	Send(Delivery)
	// End closes the session with a stream error condition (RFC 6120 §4.9.3), "" for none.
	End(condition, text string)
}

// Session is one connected (or resumable) device of an account.
type Session struct {
	JID     xmpp.JID // full
	Account *Account

	server *Server
	out    Outbox
	line   line

	mu       sync.Mutex // guards what follows
	presence *xmpp.Stanza
	priority int8
	dormant  bool
	values   []value
}

type value struct{ key, value any }

// Key names something that a feature keeps with a session; make one with new(Key[T]).
type Key[T any] struct{ _ byte }

// Get is what was set with the session, or the zero value.
func (k *Key[T]) Get(s *Session) (out T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.values {
		if s.values[i].key == any(k) {
			return s.values[i].value.(T)
		}
	}
	return out
}

// Set keeps v with the session.
func (k *Key[T]) Set(s *Session, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.values {
		if s.values[i].key == any(k) {
			s.values[i].value = v
			return
		}
	}
	s.values = append(s.values, value{k, v})
}

// Send puts a stanza into the session's queue.
func (s *Session) Send(st *xmpp.Stanza) { s.Deliver(Delivery{Stanza: st}) }

// Deliver puts a delivery into the session's queue, making its bytes if there are none yet.
func (s *Session) Deliver(d Delivery) {
	if d.Bytes == nil {
		d.Bytes = d.Stanza.Append(nil)
	}
	s.server.counted(d.Stanza.Kind, "out")
	s.out.Send(d)
}

// End closes the session with a stream error condition, "" for none.
func (s *Session) End(condition, text string) { s.out.End(condition, text) }

// Presence is the last undirected presence that the session has sent, nil if it is not available.
func (s *Session) Presence() *xmpp.Stanza {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presence
}

// Available reports whether the session has sent initial presence, and its priority (RFC 6121 §4.7.2.3).
func (s *Session) Available() (ok bool, priority int8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presence != nil, s.priority
}

// SetPresence notes the session's undirected presence; nil makes it unavailable. When this makes the session take messages for the
// bare address, it runs what OnAvailable added.
func (s *Session) SetPresence(presence *xmpp.Stanza, priority int8) {
	before := willing(s)
	s.mu.Lock()
	s.presence, s.priority = presence, priority
	s.mu.Unlock()
	if !before && willing(s) {
		for _, fn := range s.server.life.available {
			fn(s)
		}
	}
}

// Dormant reports whether the device behind the session is out of reach for now: its connection is gone and it may resume
// (XEP-0198 §5).
func (s *Session) Dormant() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dormant
}

// SetDormant is the door's to say.
func (s *Session) SetDormant(dormant bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dormant = dormant
}

// Waiting are the deliveries that a session's device has not acknowledged, where its door can tell (Outbox with a method Waiting).
func (s *Session) Waiting() []Delivery {
	if out, ok := s.out.(interface{ Waiting() []Delivery }); ok {
		return out.Waiting()
	}
	return nil
}

type lifeHooks struct {
	bind, unbind, dormant []func(context.Context, *Session)
	available             []func(*Session)
	acked                 []func(*Session, []Delivery)
	lost                  []func(context.Context, *Session, []Delivery)
}

// OnBind adds what happens when a session begins.
func (s *Server) OnBind(fn func(ctx context.Context, session *Session)) {
	s.life.bind = append(s.life.bind, fn)
}

// OnUnbind adds what happens when a session has ended for good; it is no longer among the account's sessions.
func (s *Server) OnUnbind(fn func(ctx context.Context, session *Session)) {
	s.life.unbind = append(s.life.unbind, fn)
}

// OnDormant adds what happens when a session's connection is gone but may resume.
func (s *Server) OnDormant(fn func(ctx context.Context, session *Session)) {
	s.life.dormant = append(s.life.dormant, fn)
}

// OnAvailable adds what happens when a session begins to take messages for the bare address: it has sent presence with a priority that is
// not negative (RFC 6121 §8.5.2.1.1).
func (s *Server) OnAvailable(fn func(session *Session)) {
	s.life.available = append(s.life.available, fn)
}

// OnAcked adds what happens when a device has acknowledged deliveries (XEP-0198 §4), or when they were written to one that does not
// acknowledge. It must be quick.
func (s *Server) OnAcked(fn func(session *Session, deliveries []Delivery)) {
	s.life.acked = append(s.life.acked, fn)
}

// OnLost adds what happens to deliveries of a session that ended before they were acknowledged.
func (s *Server) OnLost(fn func(ctx context.Context, session *Session, deliveries []Delivery)) {
	s.life.lost = append(s.life.lost, fn)
}

// Bind begins a session at a full address. A session that had the address before is ended with conflict (RFC 6120 §7.7.2.2). It
// returns xmpp.ResourceConstraint when the account has too many sessions.
func (s *Server) Bind(ctx context.Context, account *Account, jid xmpp.JID, out Outbox) (*Session, error) {
	session := &Session{JID: jid, Account: account, server: s, out: out}
	session.line.init(s.cfg.MaxPending, s.log)
	old, err := s.enter(session)
	if err != nil {
		return nil, err
	}
	begun := false
	defer func() {
		if !begun { // a feature has panicked, which is the door's to report: nobody would ever end this session
			s.Unbind(ctx, session)
		}
	}()
	if old != nil {
		old.End("conflict", "another session took this resource")
		s.ended(ctx, old)
	}
	for _, fn := range s.life.bind {
		fn(ctx, session)
	}
	begun = true
	return session, nil
}

func (s *Server) enter(session *Session) (old *Session, err error) {
	bare := session.JID.Bare()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.sessions[bare]
	kept := make([]*Session, 0, len(all)+1)
	for _, other := range all {
		if other.JID == session.JID {
			old = other
		} else {
			kept = append(kept, other)
		}
	}
	if len(kept) >= s.cfg.MaxSessions {
		return nil, xmpp.ResourceConstraint.Because("at most %d sessions for one account", s.cfg.MaxSessions)
	}
	s.sessions[bare] = append(kept, session)
	s.count = s.count + 1
	if old != nil {
		s.count--
	}
	return old, nil
}

// Unbind ends a session for good. It does nothing if the session has been ended already.
func (s *Server) Unbind(ctx context.Context, session *Session) {
	bare := session.JID.Bare()
	s.mu.Lock()
	all := s.sessions[bare]
	i := slices.Index(all, session)
	if i < 0 {
		s.mu.Unlock()
		return
	}
	if len(all) == 1 {
		delete(s.sessions, bare)
	} else {
		s.sessions[bare] = slices.Delete(slices.Clone(all), i, i+1)
	}
	s.count--
	s.mu.Unlock()
	s.ended(ctx, session)
}

func (s *Server) ended(ctx context.Context, session *Session) {
	for _, fn := range s.life.unbind {
		fn(ctx, session)
	}
}

// Slept tells the features that a session's connection is gone but may resume.
func (s *Server) Slept(ctx context.Context, session *Session) {
	session.SetDormant(true)
	for _, fn := range s.life.dormant {
		fn(ctx, session)
	}
}

// Sessions are the sessions of an account, in the order they began. The slice is shared and must not be changed.
func (s *Server) Sessions(bare xmpp.JID) []*Session {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sessions[bare]
}

// Session is the session at a full address, nil if there is none.
func (s *Server) Session(full xmpp.JID) *Session {
	for _, session := range s.Sessions(full.Bare()) {
		if session.JID == full {
			return session
		}
	}
	return nil
}

// CountSessions is how many sessions there are.
func (s *Server) CountSessions() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.count
}

// EachSession calls fn for every session there was when it was called.
func (s *Server) EachSession(fn func(*Session)) {
	s.mu.RLock()
	all := make([]*Session, 0, s.count)
	for _, sessions := range s.sessions {
		all = append(all, sessions...)
	}
	s.mu.RUnlock()
	for _, session := range all {
		fn(session)
	}
}

// String names the session in logs.
func (s *Session) String() string { return fmt.Sprint(s.JID) }
