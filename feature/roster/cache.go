package roster

import (
	"cmp"
	"container/list"
	"context"
	"slices"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// contact is what presence needs to know of a contact.
type contact struct {
	jid   xmpp.JID
	state State
}

// cache holds the contacts of the accounts that were asked for last. A list is never changed in place: readers keep the one they have.
type cache struct {
	limit int
	load  func(ctx context.Context, account int64) ([]contact, error)

	mu      sync.Mutex // guards what follows
	entries map[int64]*entry
	order   *list.List // of *entry, last used first
	weight  int
}

type entry struct {
	account int64
	place   *list.Element
	loaded  chan struct{} // closed when list or err is there
	list    []contact     // sorted by address
	err     error
	done    bool
	stale   bool // changed while it was being loaded
}

func newCache(limit int, load func(context.Context, int64) ([]contact, error)) *cache {
	return &cache{limit: limit, load: load, entries: map[int64]*entry{}, order: list.New()}
}

// get is the contacts of an account, sorted; the slice must not be changed.
func (c *cache) get(ctx context.Context, account int64) ([]contact, error) {
	c.mu.Lock()
	e := c.entries[account]
	if e == nil {
		e = &entry{account: account, loaded: make(chan struct{})}
		e.place = c.order.PushFront(e)
		c.entries[account] = e
		c.mu.Unlock()
		return c.fill(context.WithoutCancel(ctx), e)
	}
	c.order.MoveToFront(e.place)
	if e.done {
		defer c.mu.Unlock()
		return e.list, nil
	}
	c.mu.Unlock()
	select {
	case <-e.loaded:
		c.mu.Lock()
		defer c.mu.Unlock()
		return e.list, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// maxReloads is how often a list that changes while it is read is read again before it goes uncached.
const maxReloads = 5

func (c *cache) fill(ctx context.Context, e *entry) ([]contact, error) {
	defer close(e.loaded)
	for range maxReloads {
		found, err := c.load(ctx, e.account)
		c.mu.Lock()
		if err == nil && e.stale {
			e.stale = false
			c.mu.Unlock()
			continue
		}
		e.list, e.err, e.done = found, err, err == nil
		if err != nil {
			c.drop(e)
		} else {
			c.weight += e.weight()
			c.evict()
		}
		c.mu.Unlock()
		return found, err
	}
	c.mu.Lock()
	c.drop(e)
	c.mu.Unlock()
	e.list, e.err = c.load(ctx, e.account)
	return e.list, e.err
}

func (e *entry) weight() int { return 1 + len(e.list) }

// drop takes an entry out; it is called with mu held.
func (c *cache) drop(e *entry) {
	if c.entries[e.account] != e {
		return
	}
	delete(c.entries, e.account)
	c.order.Remove(e.place)
	if e.done {
		c.weight -= e.weight()
	}
}

// evict drops what was used longest ago while there is too much; it is called with mu held.
func (c *cache) evict() {
	for place := c.order.Back(); place != nil && c.weight > c.limit; {
		e := place.Value.(*entry)
		place = place.Prev()
		if e.done {
			c.drop(e)
		}
	}
}

// put notes a contact's state as it is in the database now.
func (c *cache) put(account int64, jid xmpp.JID, state State) {
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
	c.weight -= e.weight()
	i, found := find(e.list, jid)
	switch {
	case found && state == 0:
		e.list = slices.Delete(slices.Clone(e.list), i, i+1)
	case found:
		e.list = slices.Clone(e.list)
		e.list[i].state = state
	case state != 0:
		e.list = slices.Insert(slices.Clip(slices.Clone(e.list)), i, contact{jid, state})
	}
	c.weight += e.weight()
	c.evict()
}

// forget drops an account.
func (c *cache) forget(account int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[account]; e != nil {
		e.stale = true
		if e.done {
			c.drop(e)
		}
	}
}

func (c *cache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.weight
}

func find(list []contact, jid xmpp.JID) (i int, found bool) {
	return slices.BinarySearchFunc(list, jid.String(), func(c contact, text string) int { return cmp.Compare(c.jid.String(), text) })
}

// loadContacts reads what the cache keeps of an account.
func (f *Feature) loadContacts(ctx context.Context, account int64) ([]contact, error) {
	items, err := f.items(ctx, `account = $1 and state <> $2`, account, int64(gone))
	if err != nil {
		return nil, err
	}
	found := make([]contact, len(items))
	for i, it := range items {
		found[i] = contact{it.contact, it.state &^ gone}
	}
	slices.SortFunc(found, func(a, b contact) int { return cmp.Compare(a.jid.String(), b.jid.String()) })
	return found, nil
}

// stateOf is where an account stands with a contact.
func (f *Feature) stateOf(ctx context.Context, account int64, jid xmpp.JID) (State, error) {
	list, err := f.contacts.get(ctx, account)
	if err != nil {
		return 0, err
	}
	if i, found := find(list, jid.Bare()); found {
		return list[i].state, nil
	}
	return 0, nil
}
