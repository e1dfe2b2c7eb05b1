package pubsub

import (
	"context"
	"sync"
	"time"

	"palabre.dev/palabre/xmpp"
)

// maxTasks bounds what waits to be told of one account. Beyond it the account publishes nothing more for now, and whoever comes online is not
// sent its last items.
const maxTasks = 10_000

// errBusy is what a publication is refused with while too much waits to be told.
var errBusy = xmpp.ResourceConstraint.Because("earlier publications are still being sent; try again later")

// queue is what is to be told of each account, in the order of the commits: events, and last items among them, so that nobody hears an old
// item after a newer one.
type queue struct {
	mu      sync.Mutex // guards what follows
	waiting map[int64][]task
	busy    map[int64]time.Time // somebody is telling what has waited since then
}

// task is one thing to be told.
type task struct {
	run   func(ctx context.Context)
	since time.Time
}

// put queues what was kept: it is told in any case.
func (q *queue) put(account int64, run func(ctx context.Context)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == nil {
		q.waiting, q.busy = map[int64][]task{}, map[int64]time.Time{}
	}
	q.waiting[account] = append(q.waiting[account], task{run, time.Now()})
}

// full reports whether nothing more should be put in an account's queue.
func (q *queue) full(account int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting[account]) >= maxTasks
}

// next is the next task of an account, nil when there is none or, with begin, when somebody else is telling already.
func (q *queue) next(account int64, begin bool) func(ctx context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, busy := q.busy[account]; begin && busy {
		return nil
	}
	waiting := q.waiting[account]
	if len(waiting) == 0 {
		delete(q.waiting, account)
		delete(q.busy, account)
		return nil
	}
	q.busy[account] = waiting[0].since
	q.waiting[account] = waiting[1:]
	return waiting[0].run
}

// release lets somebody else tell what waits of an account.
func (q *queue) release(account int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, account)
}

// depth is how many accounts have tasks waiting, and how many tasks there are.
func (q *queue) depth() (accounts, tasks int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, waiting := range q.waiting {
		tasks += len(waiting)
	}
	return len(q.waiting), tasks
}

// age is how old the oldest task is, those included that are being told.
func (q *queue) age(now time.Time) (oldest time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, since := range q.busy {
		oldest = max(oldest, now.Sub(since))
	}
	for _, waiting := range q.waiting {
		if len(waiting) > 0 {
			oldest = max(oldest, now.Sub(waiting[0].since))
		}
	}
	return oldest
}
