package channel

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Limits of what is remembered of views.
const (
	viewsPause    = 5 * time.Second  // how often they are written
	viewsMemory   = 24 * time.Hour   // how long at most it is remembered that an account was counted for a post
	maxViewsKnown = 200_000          // of those, in each of two generations
	maxViewed     = 10_000           // posts with views that are not written
	viewsAtOnce   = 200              // of those, in one transaction
	flushTimeout  = 10 * time.Second // at the end
)

// views are counted without anybody being able to find out who has seen what. That an account was counted for a post is remembered in memory alone, as a
// hash with a key that is made when the server starts, for a day at most; what is written is a number.
type views struct {
	seed maphash.Seed

	mu       sync.Mutex // guards what follows
	now, old map[uint64]struct{}
	since    time.Time
	counted  map[viewed]int64 // not written yet
}

// viewed is a post.
type viewed struct {
	channel int64
	item    string
}

func newViews() *views {
	return &views{seed: maphash.MakeSeed(), now: map[uint64]struct{}{}, counted: map[viewed]int64{}}
}

// add counts a view by an account, unless that was counted already. It reports false for one more than can be remembered, which is not counted.
func (v *views) add(account int64, post viewed, at time.Time) bool {
	key := maphash.Comparable(v.seed, struct {
		account int64
		post    viewed
	}{account, post})
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.now) >= maxViewsKnown || at.Sub(v.since) > viewsMemory/2 {
		v.old, v.now, v.since = v.now, map[uint64]struct{}{}, at
	}
	if _, known := v.now[key]; known {
		return true
	}
	if _, known := v.old[key]; known {
		return true
	}
	if _, waits := v.counted[post]; !waits && len(v.counted) >= maxViewed {
		return false
	}
	v.now[key] = struct{}{}
	v.counted[post]++
	return true
}

func (v *views) take() map[viewed]int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.counted
	v.counted = map[viewed]int64{}
	return all
}

// giveBack counts again what could not be written.
func (v *views) giveBack(all map[viewed]int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for post, n := range all {
		v.counted[post] += n
	}
}

// saw counts that an account's apps have shown posts (docs/protocol/channels.md).
func (cs *Channels) saw(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	items, err := itemsIn(payload)
	if err != nil {
		return nil, err
	}
	if !cs.reports.Allow(t.Sender.ID) {
		return nil, xmpp.ResourceConstraint.Because("at most %d reports in a minute", maxPerMinute)
	}
	for _, item := range items {
		if !cs.views.add(t.Sender.ID, viewed{c.id, item}, cs.now()) {
			cs.counts.dropped.WithLabelValues("view").Inc()
		}
	}
	return answer(t, nil), nil
}

// runViews writes the counts until ctx ends, and what is left then.
func (cs *Channels) runViews(ctx context.Context) {
	tick := time.NewTicker(viewsPause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			cs.writeViews(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
			defer cancel()
			cs.writeViews(last)
			return
		}
	}
}

// writeViews writes the counts of posts that are there, some in each transaction, so that others write between them.
func (cs *Channels) writeViews(ctx context.Context) {
	all := cs.views.take()
	for some := range slices.Chunk(slices.Collect(maps.Keys(all)), viewsAtOnce) {
		if err := cs.writeSomeViews(ctx, some, all); err != nil {
			cs.views.giveBack(all)
			cs.log.Warn("views could not be written; they are tried again", "err", err)
			return
		}
		for _, post := range some {
			delete(all, post)
		}
	}
}

func (cs *Channels) writeSomeViews(ctx context.Context, some []viewed, counted map[viewed]int64) error {
	return cs.db.Tx(ctx, func(ctx context.Context) error {
		for _, post := range some {
			_, err := cs.db.Exec(ctx, `insert into channel_sum (channel, item, what, count)
				select channel, item, '', $3 from channel_entry where channel = $1 and item = $2 and kind = 0
				on conflict (channel, item, what) do update set count = channel_sum.count + excluded.count`, post.channel, post.item, counted[post])
			if err != nil {
				return fmt.Errorf("write views: %w", err)
			}
		}
		return nil
	})
}
