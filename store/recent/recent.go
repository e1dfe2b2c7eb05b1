// Package recent keeps in memory what was read from the database last, by account: read once however many ask at once, never older than
// the last change, and bounded. It is for features whose rules are asked for every stanza. It knows nothing of what it keeps; to drop
// values by age is left out, since a change is always told.
package recent

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// Cache holds a value for each of the accounts that were asked for last. Values are shared between readers: Update gives a new one
// instead of changing the old one in place.
type Cache[V any] struct {
	limit int
	weigh func(V) int
	load  func(ctx context.Context, account int64) (V, error)

	mu      sync.Mutex // guards what follows
	entries map[int64]*entry[V]
	order   *list.List // of *entry, last used first
	weight  int
}

type entry[V any] struct {
	account int64
	place   *list.Element
	loaded  chan struct{} // closed when value or err is there
	value   V
	err     error
	done    bool
	stale   bool // changed while it was being loaded
}

// New makes a cache that calls load for what it does not hold. It holds as much as weighs at most limit together; a value weighs one and
// what weigh says. weigh may be nil.
func New[V any](limit int, weigh func(V) int, load func(ctx context.Context, account int64) (V, error)) *Cache[V] {
	if weigh == nil {
		weigh = func(V) int { return 0 }
	}
	return &Cache[V]{limit: limit, weigh: weigh, load: load, entries: map[int64]*entry[V]{}, order: list.New()}
}

// Get is the value of an account as it was last committed, loaded if need be; the error is that of loading it, or of ctx. Errors are not
// kept.
func (c *Cache[V]) Get(ctx context.Context, account int64) (V, error) {
	c.mu.Lock()
	e := c.entries[account]
	if e == nil {
		e = &entry[V]{account: account, loaded: make(chan struct{})}
		e.place = c.order.PushFront(e)
		c.entries[account] = e
		c.mu.Unlock()
		return c.fill(e)
	}
	c.order.MoveToFront(e.place)
	if e.done {
		defer c.mu.Unlock()
		return e.value, nil
	}
	c.mu.Unlock()
	select {
	case <-e.loaded:
		c.mu.Lock()
		defer c.mu.Unlock()
		return e.value, e.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// loadTimeout bounds one loading, which others may be waiting for.
const loadTimeout = 30 * time.Second

// maxReloads is how often a value that changes while it is read is read again before it goes uncached.
const maxReloads = 5

// fill loads outside any transaction of the caller, which may be undone, and whoever waits has not given up when the caller has.
func (c *Cache[V]) fill(e *entry[V]) (V, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
	defer cancel()
	defer close(e.loaded)
	for range maxReloads {
		value, err := c.load(ctx, e.account)
		if c.keep(e, value, err) {
			return value, err
		}
	}
	c.mu.Lock()
	c.drop(e)
	c.mu.Unlock()
	e.value, e.err = c.load(ctx, e.account)
	return e.value, e.err
}

// keep notes what was loaded, unless it has changed meanwhile.
func (c *Cache[V]) keep(e *entry[V], value V, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.stale && err == nil {
		e.stale = false
		return false
	}
	e.value, e.err, e.done = value, err, err == nil
	if err != nil {
		c.drop(e)
		return true
	}
	c.weight += 1 + c.weigh(value)
	c.evict()
	return true
}

// drop takes an entry out; it is called with mu held.
func (c *Cache[V]) drop(e *entry[V]) {
	if c.entries[e.account] != e {
		return
	}
	delete(c.entries, e.account)
	c.order.Remove(e.place)
	if e.done {
		c.weight -= 1 + c.weigh(e.value)
	}
}

// evict drops what was used longest ago while there is too much; it is called with mu held.
func (c *Cache[V]) evict() {
	for place := c.order.Back(); place != nil && c.weight > c.limit; {
		e := place.Value.(*entry[V])
		place = place.Prev()
		if e.done {
			c.drop(e)
		}
	}
}

// Update tells of a change that has been committed: next makes the new value from the one that is held. It is not called when none is.
func (c *Cache[V]) Update(account int64, next func(V) V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[account]
	if e == nil {
		return
	}
	if !e.done {
		e.stale = true
		return
	}
	c.weight -= c.weigh(e.value)
	e.value = next(e.value)
	c.weight += c.weigh(e.value)
	c.evict()
}

// Forget tells of a change that has been committed: the value is loaded anew when it is asked for.
func (c *Cache[V]) Forget(account int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[account]
	switch {
	case e == nil:
	case e.done:
		c.drop(e)
	default:
		e.stale = true
	}
}

// Weight is how much all values together weigh.
func (c *Cache[V]) Weight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weight
}
