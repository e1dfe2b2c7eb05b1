package pubsub

import (
	"context"
	"errors"
	"sync"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// change is what one transaction does to an account's nodes, and what is to be told of it after the commit.
type change struct {
	account *core.Account
	events  []event
}

// event is one thing to be told.
type event struct {
	node    node
	content *xmpp.Element // the child of <event/>
	by      *core.Session // whose doing it is, nil if not a local session's
	gone    []xmpp.JID    // the subscribers of a node that is no more
}

type changeKey struct{}

// Change runs fn in one transaction together with all that it publishes and retracts with the ctx it is given, and tells what is new after
// the commit. fn must be repeatable (store.DB.Tx). Within another Change of the same account it becomes part of that.
func (f *Feature) Change(ctx context.Context, account *core.Account, fn func(ctx context.Context) error) error {
	if current(ctx, account) != nil {
		return fn(ctx)
	}
	c := &change{account: account}
	kept := make(chan error, 1)
	f.db.Submit(ctx, c.write(fn), func(err error) {
		if err == nil {
			f.events.put(c)
			f.last.drop(account.ID)
		}
		kept <- err
	})
	if err := <-kept; err != nil {
		return told(err)
	}
	// What was kept is told even if its sender is gone by now.
	f.tellAll(context.WithoutCancel(ctx), account)
	return nil
}

func (c *change) write(fn func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		c.events = nil
		return fn(context.WithValue(ctx, changeKey{}, c))
	}
}

func current(ctx context.Context, account *core.Account) *change {
	c, _ := ctx.Value(changeKey{}).(*change)
	if c != nil && c.account.ID == account.ID {
		return c
	}
	return nil
}

// errOutside means a programmer's error: a write outside Change.
var errOutside = errors.New("pubsub: written outside a change")

// add notes an event of the change in ctx.
func (f *Feature) add(ctx context.Context, account *core.Account, e event) error {
	c := current(ctx, account)
	if c == nil {
		return errOutside
	}
	c.events = append(c.events, e)
	return nil
}

// queue holds the changes that wait to be told, by account, in the order of their commits. As many wait as there are publications under
// way.
type queue struct {
	mu      sync.Mutex // guards what follows
	waiting map[int64][]*change
	busy    map[int64]bool // somebody is telling
}

func (q *queue) put(c *change) {
	if len(c.events) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == nil {
		q.waiting, q.busy = map[int64][]*change{}, map[int64]bool{}
	}
	q.waiting[c.account.ID] = append(q.waiting[c.account.ID], c)
}

// next is the next change to tell, nil when there is none or, with begin, when somebody else is telling already.
func (q *queue) next(id int64, begin bool) *change {
	q.mu.Lock()
	defer q.mu.Unlock()
	if begin && q.busy[id] {
		return nil
	}
	waiting := q.waiting[id]
	if len(waiting) == 0 {
		delete(q.waiting, id)
		delete(q.busy, id)
		return nil
	}
	q.busy[id] = true
	q.waiting[id] = waiting[1:]
	return waiting[0]
}

// tellAll tells what waits of an account, unless somebody is doing so.
func (f *Feature) tellAll(ctx context.Context, account *core.Account) {
	for c := f.events.next(account.ID, true); c != nil; c = f.events.next(account.ID, false) {
		for i := range c.events {
			f.tell(ctx, c.account, &c.events[i])
		}
	}
}

// Plan prepares a publication that is kept in somebody else's transaction, such as that of a message: keep writes within the transaction
// of its ctx, and tell, called after the commit, informs others.
func (f *Feature) Plan(account *core.Account, nodeName, id string, payload *xmpp.Element) (keep func(ctx context.Context) error, tell func(ctx context.Context)) {
	c := &change{account: account}
	keep = c.write(func(ctx context.Context) error { return f.Publish(ctx, account, nodeName, id, payload) })
	tell = func(ctx context.Context) {
		f.last.drop(account.ID)
		f.events.put(c)
		f.tellAll(context.WithoutCancel(ctx), account)
	}
	return keep, tell
}
