package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxAttempts bounds how often a group runs: plainly, again with savepoints, and again after a lost connection.
const maxAttempts = 4

// logPause is how often at most a lasting trouble, such as a full disk, is logged.
const logPause = 5 * time.Second

// reconnectFor bounds how long a group waits for a lost server; its callers then get the error.
const reconnectFor = 10 * time.Second

// commit runs the group and leaves in each task's err what its caller will be told.
func (l *lane) commit(group []*task) {
	group = l.begin(group)
	isolate := false
	for attempt := 1; ; attempt++ {
		err := l.attempt(group, isolate)
		if err == nil {
			return
		}
		l.abort()
		if errors.Is(err, ErrUnknown) && l.wasKept() {
			return
		}
		again := errors.Is(err, errIsolate) || errors.Is(err, errLost)
		if !again || attempt == maxAttempts {
			l.failAll(group, err)
			return
		}
		isolate = isolate || errors.Is(err, errIsolate)
		l.db.metrics.reruns.Inc()
	}
}

// begin returns the tasks that are to run: not those that were refused, cancelled or given up while they waited.
func (l *lane) begin(group []*task) []*task {
	run := make([]*task, 0, len(group))
	for _, k := range group {
		if k.err != nil {
			continue
		}
		if !k.state.CompareAndSwap(waiting, taken) {
			k.err = context.Canceled
		} else if err := k.ctx.Err(); err != nil {
			k.err = err
		} else {
			run = append(run, k)
		}
	}
	return run
}

// attempt runs the group in one transaction and commits. It returns errIsolate if it must be repeated with savepoints.
func (l *lane) attempt(group []*task, isolate bool) error {
	if err := l.connect(); err != nil {
		return err
	}
	kept := 0
	for _, k := range group {
		k.err = nil
		run := l.runPlain
		if isolate {
			run = l.runIsolated
		}
		if err := run(k); err != nil {
			return err
		}
		if k.err == nil {
			kept++
		}
	}
	return l.finish(kept)
}

func (l *lane) finish(kept int) error {
	start := time.Now()
	if err := l.pending.flush(l.w); err != nil {
		return l.verdict(err)
	}
	mark := l.db.clock.markToSave()
	l.mark = mark
	if err := l.w.commit(mark); err != nil {
		return l.verdict(err)
	}
	l.db.clock.saved(mark)
	l.db.metrics.committed(kept, time.Since(start))
	return nil
}

// wasKept looks, on a new connection, whether a commit whose answer was lost was kept: then the clock's mark that went with it is there.
// If it is not, the old session may still come to it, so nothing may be run again.
func (l *lane) wasKept() bool {
	if l.mark == 0 || l.connect() != nil {
		return false
	}
	rows, err := l.w.query(clockRead+" for update", nil) // waits for the old session, if that is between the mark and the end
	var high int64
	if err == nil {
		err = (&Row{rows: rows}).Scan(&high)
	}
	l.abort()
	if err != nil {
		l.db.log.Warn("could not find out about a commit", "err", err)
		return false
	}
	return high >= l.mark
}

// verdict says what an error at the end of a group means: one row's fault, or everybody's.
func (l *lane) verdict(err error) error {
	if fatal := l.w.broken(); fatal != nil {
		return classify(fatal)
	}
	return fmt.Errorf("%w: %w", errIsolate, classify(err))
}

// runPlain runs k with nothing to fall back on. A function that fails before it wrote anything fails alone.
func (l *lane) runPlain(k *task) error {
	l.pending.recent = l.pending.recent[:0]
	t := &tx{lane: l}
	k.err = t.call(k)
	if fatal := l.w.broken(); fatal != nil {
		return classify(fatal)
	}
	if k.err == nil {
		return nil
	}
	if t.wrote || t.failed != nil {
		return errIsolate
	}
	l.pending.dropRecent()
	return nil
}

// runIsolated runs k inside a savepoint and writes its rows there, so that it fails alone.
func (l *lane) runIsolated(k *task) error {
	if err := l.w.savepoint(); err != nil {
		return l.fatal(err)
	}
	t := &tx{lane: l}
	k.err = t.call(k)
	if k.err == nil {
		k.err = classify(l.pending.flush(l.w))
	}
	if k.err == nil {
		k.err = classify(l.w.release())
	}
	l.pending.clear()
	if fatal := l.w.broken(); fatal != nil {
		return classify(fatal)
	}
	if k.err == nil {
		return nil
	}
	if err := l.w.rollbackTo(); err != nil {
		return l.fatal(err)
	}
	return nil
}

func (l *lane) fatal(err error) error {
	if broken := l.w.broken(); broken != nil {
		err = broken
	}
	return classify(err)
}

// abort drops everything the attempt did.
func (l *lane) abort() {
	l.pending.clear()
	if l.w == nil {
		return
	}
	if err := l.w.rollback(); err == nil {
		return
	}
	if err := l.w.close(); err != nil {
		l.db.log.Debug("close broken writer", "err", err)
	}
	l.w = nil
}

func (l *lane) failAll(group []*task, err error) {
	l.db.metrics.failed(failureKind(err))
	if now := time.Now(); now.After(l.silent) {
		l.silent = now.Add(logPause)
		l.db.log.Error("group of transactions was not kept", "transactions", len(group), "err", err)
	}
	for _, k := range group {
		k.err = fmt.Errorf("commit: %w", err)
	}
}

// connect brings back a lost writer, with pauses that grow, for reconnectFor at most.
func (l *lane) connect() error {
	if l.w != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), reconnectFor)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		w, err := l.db.engine.writer(ctx)
		if err == nil {
			l.w = w
			l.db.log.Warn("writer connected again")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: reconnect: %w", ErrUnavailable, err)
		case <-time.After(pause):
		}
	}
}
