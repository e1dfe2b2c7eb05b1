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

// settlePause is between two looks for what became of a commit.
const settlePause = 200 * time.Millisecond

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
		if errors.Is(err, ErrUnknown) {
			var kept bool
			if kept, err = l.settle(err); kept {
				return
			}
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
	l.wrote = false
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
	l.wrote = l.wrote || l.pending.rows > 0
	if err := l.pending.flush(l.w); err != nil {
		return l.verdict(err)
	}
	mark := l.db.clock.markToSave()
	if mark == 0 && l.wrote && l.w.mayBeLost() {
		mark = l.db.clock.next() // by which settle knows it
	}
	l.mark = mark
	if err := l.w.commit(mark); err != nil {
		return l.verdict(err)
	}
	l.db.clock.saved(mark)
	l.db.metrics.committed(kept, time.Since(start))
	return nil
}

// settle finds out, on a new connection, whether a commit whose answer was lost was kept: then the clock's mark that went with it is there.
// The old session has ended by then, for the new one has its lock (own). If it was not kept, the error says that the group may run again.
// Until the server is back nobody can know, and to tell anybody anything could lose or double what they sent: all wait, until Close.
func (l *lane) settle(lost error) (kept bool, err error) {
	if l.mark == 0 {
		return false, fmt.Errorf("%w: %v", errLost, lost)
	}
	l.db.log.Warn("connection lost during a commit; waiting for the database to find out whether it was kept", "err", lost)
	for {
		high, err := l.readMark()
		switch {
		case err == nil && high >= l.mark:
			l.db.clock.saved(l.mark) // the next commit takes another one
			return true, nil
		case err == nil:
			return false, fmt.Errorf("%w: %v", errLost, lost)
		case l.isClosing():
			return false, lost
		}
		time.Sleep(settlePause)
	}
}

func (l *lane) isClosing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing
}

func (l *lane) readMark() (high int64, err error) {
	if err := l.connect(); err != nil {
		return 0, err
	}
	defer l.abort()
	rows, err := l.w.query(clockRead, nil)
	if err != nil {
		return 0, err
	}
	err = (&Row{rows: rows}).Scan(&high)
	return high, err
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
		l.wrote = l.wrote || t.wrote || l.pending.rows > 0
		return nil
	}
	if t.wrote || t.failed != nil {
		return errIsolate
	}
	l.db.undone.Add(1)
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
	l.wrote = l.wrote || t.wrote || l.pending.rows > 0
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
	l.db.undone.Add(1)
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
	l.db.undone.Add(1)
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
	if l.db.isDisplaced() {
		return fmt.Errorf("%w: another server has the database", ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(context.Background(), reconnectFor)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		w, err := l.rejoin(ctx)
		if err == nil {
			l.w = w
			l.db.log.Warn("writer connected again")
			return nil
		}
		if l.db.isDisplaced() {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		select {
		case <-ctx.Done():
			if errors.Is(err, ErrLocked) && l.db.hasOtherOwner() {
				l.db.displace()
			}
			return fmt.Errorf("%w: reconnect: %w", ErrUnavailable, err)
		case <-time.After(pause):
		}
	}
}

// rejoin connects the writer, unless another process has owned the database since.
func (l *lane) rejoin(ctx context.Context) (writer, error) {
	w, err := l.db.engine.writer(ctx)
	if err != nil {
		return nil, err
	}
	if err := l.db.stillOwner(w); err != nil {
		if errors.Is(err, ErrLocked) {
			l.db.displace()
		}
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}
