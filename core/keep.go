package core

import "context"

// KeepIn is for a service that has something to keep in one of its logs of its own accord (Deciding): write runs in a transaction, and tell, when that is
// kept, in the turn of the log. It returns when that is done; an error means that nothing was kept. It must not be called within a transaction, nor while a
// stanza is told (Tell, Handle).
func (s *Server) KeepIn(ctx context.Context, log int64, write Write, tell func(ctx context.Context)) error {
	ready := make(chan error, 1)
	turn := newTurn(&Transit{log: log}, func() { ready <- nil })
	s.store.Submit(ctx, write, func(err error) {
		if err != nil {
			ready <- err
			return
		}
		s.turns.enter(turn)
	})
	if err := <-ready; err != nil {
		return err
	}
	defer s.turns.leave(turn)
	tell(telling(ctx))
	return nil
}
