package component

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// maxLanes is how many stanzas are handled at once.
const maxLanes = 64

// lanes handle stanzas: those of one sender one after the other, those of several beside each other. Each lane is a bounded queue for a share of the senders, so whoever
// floods us hinders that share alone.
type lanes struct {
	seed   maphash.Seed
	handle func(ctx context.Context, st *xmpp.Stanza)
	queues [maxLanes]chan *xmpp.Stanza
	work   sync.WaitGroup // stanzas that are not handled yet
	aside  aside          // what is answered later
	ran    sync.WaitGroup // goroutines
}

func newLanes(size int, handle func(ctx context.Context, st *xmpp.Stanza)) *lanes {
	l := &lanes{seed: maphash.MakeSeed(), handle: handle}
	for i := range l.queues {
		l.queues[i] = make(chan *xmpp.Stanza, size)
	}
	return l
}

func (l *lanes) start(ctx context.Context) {
	for _, queue := range l.queues {
		l.ran.Go(func() {
			for st := range queue {
				l.handle(ctx, st)
				l.work.Done()
			}
		})
	}
}

// enter queues a stanza, and reports whether there was room. One goroutine alone calls it.
func (l *lanes) enter(st *xmpp.Stanza) bool {
	l.work.Add(1)
	select {
	case l.queues[maphash.String(l.seed, st.From.Bare().String())%maxLanes] <- st:
		return true
	default:
		l.work.Done()
		return false
	}
}

// drain waits until all that entered is handled; nobody enters meanwhile, or after it.
func (l *lanes) drain() {
	l.work.Wait()
	l.aside.end()
}

func (l *lanes) stop() {
	for _, queue := range l.queues {
		close(queue)
	}
	l.ran.Wait()
	l.aside.end()
}

func (l *lanes) waiting() (n int) {
	for _, queue := range l.queues {
		n += len(queue)
	}
	return n
}

// replyTo is what to send back when a handler was asked, nil for nothing (RFC 6120 §8.2.3, §8.3.1).
func replyTo(st *xmpp.Stanza, payload *xmpp.Element, err error, log *slog.Logger) *xmpp.Stanza {
	switch {
	case st.IsError() || st.Type == "result" || st.Kind == xmpp.Presence:
		if err != nil {
			log.Debug("a stanza was not taken", "from", st.From, "err", err)
		}
		return nil
	case err != nil:
		return st.ErrorReply(told(err, log))
	case st.IsRequest():
		return st.Reply(payload)
	}
	return nil
}

// ask calls a handler. A panic is an error like any other, which ends nothing.
func ask(ctx context.Context, handler Handler, st *xmpp.Stanza, log *slog.Logger) (payload *xmpp.Element, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic while a stanza was handled", "err", p, "stack", string(debug.Stack()))
			payload, err = nil, xmpp.InternalServerError
		}
	}()
	return handler.Handle(ctx, st)
}

// told is an error as its sender is told of it.
func told(err error, log *slog.Logger) *xmpp.Error {
	var known *xmpp.Error
	if errors.As(err, &known) {
		return known
	}
	var passing interface{ TryLater() bool }
	if errors.As(err, &passing) && passing.TryLater() {
		return xmpp.ResourceConstraint.Because("this cannot be done now; try again later")
	}
	log.Error("a stanza could not be handled", "err", err)
	return xmpp.InternalServerError
}
