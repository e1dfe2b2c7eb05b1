package core

import (
	"context"
	"errors"
)

// ErrAnswered is what an IQHandler returns when it has sent the answer itself with Server.Answer, because something must follow it.
var ErrAnswered = errors.New("answered already")

// Note names something that a feature keeps with one transit from phase to phase; make one with new(Note[T]). A transit is handled by
// one goroutine at a time.
type Note[T any] struct{ _ byte }

// Get is what was set with the transit, or the zero value.
func (n *Note[T]) Get(t *Transit) (out T) {
	for i := range t.notes {
		if t.notes[i].key == any(n) {
			return t.notes[i].value.(T)
		}
	}
	return out
}

// Set keeps v with the transit.
func (n *Note[T]) Set(t *Transit, v T) {
	for i := range t.notes {
		if t.notes[i].key == any(n) {
			t.notes[i].value = v
			return
		}
	}
	t.notes = append(t.notes, value{n, v})
}

// DeliverTo puts the stanza into the queues of these sessions, as far as the Delivering rules let it. It is for the feature that owns
// presence.
func (s *Server) DeliverTo(ctx context.Context, t *Transit, sessions []*Session) {
	s.put(ctx, t, sessions, nil)
}
