package core

import (
	"context"
	"sync"
)

// turns is the order in which accounts are told of what was kept: that of their logs. A device that has one message therefore has all that
// come before it in the log, and can ask the archive for what comes after. Transits enter in the order in which they were committed;
// each is told when it is the first one left for the accounts at both its ends, and others go on beside it.
type turns struct {
	mu     sync.Mutex // guards what follows
	queues map[int64][]*turn
}

// turn is the place of one transit.
type turn struct {
	accounts [2]int64 // the ends, or one end and a service's log; equal if there is only one
	ahead    int      // how many queues have another one first
	begin    func()
}

func newTurn(t *Transit, begin func()) *turn {
	tn := &turn{begin: begin}
	ends := tn.accounts[:0]
	if t.Sender != nil {
		ends = append(ends, t.Sender.ID)
	}
	switch {
	case t.Receiver != nil:
		ends = append(ends, t.Receiver.ID)
	case t.log != 0:
		ends = append(ends, t.log)
	}
	if len(ends) == 1 {
		tn.accounts[1] = ends[0]
	}
	return tn
}

func (tn *turn) each() []int64 {
	if tn.accounts[0] == tn.accounts[1] {
		return tn.accounts[:1]
	}
	return tn.accounts[:]
}

// enter queues a turn and begins it as soon as it is the first. The caller calls leave when it is over.
func (o *turns) enter(tn *turn) {
	o.mu.Lock()
	for _, account := range tn.each() {
		queue := append(o.queues[account], tn)
		o.queues[account] = queue
		if len(queue) > 1 {
			tn.ahead++
		}
	}
	first := tn.ahead == 0
	o.mu.Unlock()
	if first {
		tn.begin()
	}
}

// leave ends a turn and begins those that it held up.
func (o *turns) leave(tn *turn) {
	var next [2]*turn
	o.mu.Lock()
	for i, account := range tn.each() {
		queue := o.queues[account][1:]
		if len(queue) == 0 {
			delete(o.queues, account)
			continue
		}
		o.queues[account] = queue
		if queue[0].ahead--; queue[0].ahead == 0 {
			next[i] = queue[0]
		}
	}
	o.mu.Unlock()
	for _, tn := range next {
		if tn != nil {
			tn.begin()
		}
	}
}

type tellingKey struct{}

// telling marks a context in which a message is being told, and so its session's line, and perhaps a turn, are held: what a Tell rule
// routes in it must not wait for a turn of its own, which may be behind these. It is delivered as soon as it is kept.
func telling(ctx context.Context) context.Context { return context.WithValue(ctx, tellingKey{}, true) }

func isTelling(ctx context.Context) bool { return ctx.Value(tellingKey{}) != nil }
