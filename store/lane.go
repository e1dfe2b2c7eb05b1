package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// lane is the one road to the disk: a bounded queue, and a goroutine that takes all that waits as one group.
type lane struct {
	db      *DB
	w       writer // nil while the connection is lost
	pending pending
	slots   chan struct{} // one per task in the queue: bounds it
	refused chan struct{} // one per task in the queue that found no room and waits only to be told so
	wake    chan struct{}
	ended   chan struct{} // closed when the goroutine has told everybody
	mark    int64         // the clock's mark that the last commit was to save, 0 for none
	wrote   bool          // the attempt under way has written something
	silent  time.Time     // until then failures are counted and not logged

	mu      sync.Mutex // guards the fields below
	queue   []*task
	closing bool
	over    bool // no one will read the queue any more
}

func newLane(db *DB, w writer) *lane {
	return &lane{
		db:      db,
		w:       w,
		slots:   make(chan struct{}, db.cfg.MaxQueue),
		refused: make(chan struct{}, db.cfg.MaxQueue),
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
}

// submit queues k. A task that finds no room until its context ends is queued all the same, to fail in its turn.
func (l *lane) submit(k *task) {
	k.slot = l.slots
	select {
	case l.slots <- struct{}{}:
	default:
		l.waitForRoom(k)
	}
	k.since = time.Now()
	if !l.enqueue(k) {
		k.done(ErrClosed)
	}
}

func (l *lane) waitForRoom(k *task) {
	select {
	case l.slots <- struct{}{}:
		return
	case <-l.ended:
		return
	case <-k.ctx.Done():
	}
	l.db.metrics.failed("busy")
	k.err = fmt.Errorf("%w: %w", ErrBusy, context.Cause(k.ctx))
	k.slot = l.refused
	select {
	case l.refused <- struct{}{}:
	case <-l.ended:
	}
}

// enqueue reports false when the lane has ended, so that all earlier tasks have been told.
func (l *lane) enqueue(k *task) bool {
	l.mu.Lock()
	over := l.over
	if !over {
		if l.closing && k.err == nil {
			k.err = ErrClosed
		}
		l.queue = append(l.queue, k)
	}
	l.mu.Unlock()
	if over {
		<-l.ended
		return false
	}
	l.wakeUp()
	return true
}

func (l *lane) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// stop lets the lane finish its queue and waits for that.
func (l *lane) stop() {
	l.mu.Lock()
	l.closing = true
	l.mu.Unlock()
	l.wakeUp()
	<-l.ended
}

// run is the goroutine of the lane.
func (l *lane) run() {
	var group []*task
	settled := false // the errors of the group are final
	defer func() { l.end(group, settled) }()
	for {
		group = l.take(group[:0])
		if len(group) == 0 && l.finished() {
			return
		}
		if len(group) == 0 && !l.db.clock.unsaved() {
			l.rest()
			continue
		}
		l.commit(group)
		settled = true
		l.tell(group)
		clear(group)
		group, settled = group[:0], false
		if l.w != nil {
			l.w.idle()
		}
		runtime.Gosched() // those who were just told may have the next transaction ready: a bigger group is cheaper
	}
}

// rest waits for something to do, and looks after the connection meanwhile. Nobody can take a file away.
func (l *lane) rest() {
	if l.db.engine.name() != "postgres" {
		<-l.wake
		return
	}
	timer := time.NewTimer(watchPause)
	defer timer.Stop()
	select {
	case <-l.wake:
	case <-timer.C:
		l.probe()
	}
}

// take moves at most MaxGroup tasks from the queue to group.
func (l *lane) take(group []*task) []*task {
	l.mu.Lock()
	n := min(len(l.queue), l.db.cfg.MaxGroup)
	group = append(group, l.queue[:n]...)
	rest := copy(l.queue, l.queue[n:])
	clear(l.queue[rest:])
	l.queue = l.queue[:rest]
	l.mu.Unlock()
	for _, k := range group {
		<-k.slot
	}
	return group
}

func (l *lane) finished() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing && len(l.queue) == 0 {
		l.over = true
	}
	return l.over
}

// end runs when the goroutine stops: in order after Close, or because a function ended it (runtime.Goexit, as
// testing.FailNow does). Then nothing may hang: everybody is told, and the store is closed to writers.
func (l *lane) end(group []*task, settled bool) {
	l.mu.Lock()
	orderly := l.over
	l.over = true
	left := l.queue
	l.queue = nil
	l.mu.Unlock()
	if !orderly {
		l.db.log.Error("writer lane was ended by a transaction function")
	}
	if settled {
		l.tell(group)
	} else {
		left = append(group, left...)
	}
	for _, k := range left {
		k.err = fmt.Errorf("%w: a transaction function ended the writer lane", ErrClosed)
	}
	l.tell(left)
	if l.w != nil {
		if err := l.w.close(); err != nil {
			l.db.log.Error("close writer", "err", err)
		}
	}
	close(l.ended)
}

func (l *lane) tell(group []*task) {
	for _, k := range group {
		l.tellOne(k)
	}
}

// tellOne outlives a panic of done, which is the caller's mistake and must not stop everybody else's writing.
func (l *lane) tellOne(k *task) {
	defer func() {
		if p := recover(); p != nil {
			l.db.log.Error("panic after commit", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if done := k.done; done != nil {
		k.done = nil
		done(k.err)
	}
}

// oldest returns when the first waiting task was queued, and how many wait.
func (l *lane) oldest() (time.Time, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return time.Time{}, 0
	}
	return l.queue[0].since, len(l.queue)
}

// errIsolate means that someone in the group failed after writing: roll back and find out who.
var errIsolate = errors.New("a function of the group failed")
