package core

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// line is the order in which the stanzas of one session are handled. Messages wait in it for the disk while the next ones are
// read already; each is told to others, and counted as handled, only in its turn.
type line struct {
	mu      sync.Mutex
	room    sync.Cond // signalled when steps leave; guarded by mu
	steps   []*step   // not yet done, oldest first
	running bool      // one goroutine is taking steps off
	done    uint32    // steps taken off until now
	looked  look
	limit   int
	log     *slog.Logger
}

type step struct {
	ready bool
	run   func()
}

func (l *line) init(limit int, log *slog.Logger) {
	l.limit, l.log = limit, log
	l.room.L = &l.mu
}

// enter puts a step at the end, waiting while the line is full. A step that is not ready waits for arrive.
func (l *line) enter(st *step) {
	l.mu.Lock()
	for len(l.steps) >= l.limit {
		l.room.Wait()
	}
	l.steps = append(l.steps, st)
	l.advance()
}

// arrive marks a step ready.
func (l *line) arrive(st *step) {
	l.mu.Lock()
	st.ready = true
	l.advance()
}

// advance begins to take ready steps off if nobody is; it is called with mu held and gives it back.
func (l *line) advance() {
	begin := !l.running && len(l.steps) > 0 && l.steps[0].ready
	l.running = l.running || begin
	l.mu.Unlock()
	if begin {
		go l.drain()
	}
}

func (l *line) drain() {
	for {
		l.mu.Lock()
		if len(l.steps) == 0 || !l.steps[0].ready {
			l.running = false
			l.room.Broadcast()
			l.mu.Unlock()
			return
		}
		st := l.steps[0]
		l.mu.Unlock()
		l.do(st)
		l.mu.Lock()
		l.done++
		l.steps[0] = nil
		l.steps = l.steps[1:]
		if len(l.steps) == 0 {
			l.steps = nil
		}
		l.room.Broadcast()
		l.mu.Unlock()
	}
}

// do runs a step. A panic ends the step alone.
func (l *line) do(st *step) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("panic while a stanza was handled", "err", p, "stack", string(debug.Stack()))
		}
	}()
	st.run()
}

// idle waits until every step is done.
func (l *line) idle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.steps) > 0 || l.running {
		l.room.Wait()
	}
}

// Accept takes a stanza that the session's device has sent. Messages are handled in order while later ones are read already; any
// other stanza waits until all before it are handled. done is called when the stanza has been handled or refused: from then on it
// may be acknowledged. Only the session's one reader may call it.
func (s *Session) Accept(ctx context.Context, st *xmpp.Stanza, done func()) {
	s.server.counted(st.Kind, "in")
	if st.Kind != xmpp.Message {
		s.line.idle()
		s.server.handle(ctx, &Transit{Stanza: st, Via: s, Sender: s.Account})
		done()
		return
	}
	t := &Transit{Stanza: st, Via: s, Sender: s.Account}
	err := s.server.decide(ctx, t)
	if err != nil || t.dropped || len(t.writes) == 0 {
		s.line.enter(&step{ready: true, run: func() { defer done(); s.server.try(telling(ctx), t, err) }})
		return
	}
	waits := &step{}
	var kept error
	turn := newTurn(t, func() { s.line.arrive(waits) })
	waits.run = func() {
		defer done()
		if kept != nil {
			s.server.finish(ctx, t, s.server.keepError(kept))
			return
		}
		defer s.server.turns.leave(turn)
		s.server.finish(telling(ctx), t, nil)
	}
	s.line.enter(waits)
	s.server.store.Submit(ctx, s.server.writing(t), func(err error) {
		if kept = err; err != nil {
			s.line.arrive(waits)
			return
		}
		s.server.turns.enter(turn)
	})
}

// try is finish for what was not kept. After a panic its sender is told so: the stanza counts as handled all the same, or the counts of
// all that follow would be wrong (XEP-0198 §4).
func (s *Server) try(ctx context.Context, t *Transit, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.refuse(ctx, t, xmpp.InternalServerError)
			panic(p) // the line logs it
		}
	}()
	s.finish(ctx, t, err)
}

// After calls fn when every stanza accepted before has been handled.
func (s *Session) After(fn func()) { s.line.enter(&step{ready: true, run: fn}) }

// Idle waits until every stanza accepted before has been handled.
func (s *Session) Idle() { s.line.idle() }
