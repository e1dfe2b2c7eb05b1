package pubsub

import (
	"context"
	"errors"

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
	// audience reports who is told of it; nil for everybody who may read the node.
	audience func(reader xmpp.JID) bool
}

type changeKey struct{}

// Change runs fn in one transaction together with all that it publishes and retracts with the ctx it is given, and tells what is new after
// the commit. fn must be repeatable (store.DB.Tx). Within another Change of the same account it becomes part of that.
func (f *Feature) Change(ctx context.Context, account *core.Account, fn func(ctx context.Context) error) error {
	if current(ctx, account) != nil {
		return fn(ctx)
	}
	if f.events.full(account.ID) {
		f.counts.changed(errBusy)
		return errBusy
	}
	c := &change{account: account}
	kept := make(chan error, 1)
	f.db.Submit(ctx, c.write(fn), func(err error) {
		if err == nil {
			f.queue(c)
			f.committed(account)
		}
		kept <- err
	})
	err := <-kept
	f.counts.changed(err)
	if err != nil {
		return told(err)
	}
	f.tellAll(ctx, account)
	return nil
}

// committed drops what was remembered of an account's nodes.
func (f *Feature) committed(account *core.Account) {
	f.last.drop(account.ID)
	for _, fn := range f.kept {
		fn(account)
	}
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

func (f *Feature) queue(c *change) {
	if len(c.events) == 0 {
		return
	}
	f.events.put(c.account.ID, func(ctx context.Context) {
		for i := range c.events {
			f.tell(ctx, c.account, &c.events[i])
		}
	})
}

// tellAll tells what waits of an account, unless somebody is doing so. What was kept is told even if its sender is gone by now.
func (f *Feature) tellAll(ctx context.Context, account *core.Account) {
	ctx = context.WithoutCancel(ctx)
	task := f.events.next(account.ID, true)
	defer func() {
		if task != nil { // it has panicked, which is the door's to report: the next one goes on
			f.events.release(account.ID)
		}
	}()
	for ; task != nil; task = f.events.next(account.ID, false) {
		task(ctx)
	}
}
