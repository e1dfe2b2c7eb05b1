package channel

import (
	"context"
	"fmt"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Waker wakes the devices of followers who have missed a post.
type Waker interface {
	// Missed tells that accounts may have missed a post in the channel at this address: their devices that are not connected are woken, unless they have
	// muted it.
	Missed(ctx context.Context, channel xmpp.JID, who []*core.Account) error
}

// Followers are woken after the post was told: some at once, with a pause, so that others write between them.
const (
	wokenAtOnce = 200
	wakePause   = 10 * time.Millisecond
	maxToWake   = 1000
)

// wakes are the posts whose followers are still to be woken. They are not kept: after a crash, what a device finds in the log it was perhaps not woken for.
type wakes struct {
	mu     sync.Mutex // guards what follows
	posts  []wake     // oldest first
	signal chan struct{}
}

type wake struct {
	channel  *channel
	author   string
	segments []string
	since    time.Time
}

// add notes that a post was told. Of more than maxToWake the oldest is forgotten, and whole is false.
func (w *wakes) add(one wake) (whole bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if whole = len(w.posts) < maxToWake; !whole {
		w.posts = w.posts[1:]
	}
	w.posts = append(w.posts, one)
	select {
	case w.signal <- struct{}{}:
	default:
	}
	return whole
}

func (w *wakes) take() (one wake, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.posts) == 0 {
		return wake{}, false
	}
	one = w.posts[0]
	w.posts = w.posts[1:]
	return one, true
}

// runWakes wakes followers until ctx ends.
func (cs *Channels) runWakes(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-cs.wakes.signal:
		}
		for one, ok := cs.wakes.take(); ok && ctx.Err() == nil; one, ok = cs.wakes.take() {
			if err := cs.wakeAll(ctx, one); err != nil && ctx.Err() == nil {
				cs.log.Error("followers could not be woken", "err", err)
			}
		}
	}
}

// wakeAll wakes those who follow a channel and are to have the post.
func (cs *Channels) wakeAll(ctx context.Context, one wake) error {
	chat, err := xmpp.NewJID(one.channel.name, cs.domain.Domain(), "")
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		rows, err := cs.db.Query(ctx, "select account, jid, segments from channel_follower where channel = $1 and account > $2 order by account limit $3",
			one.channel.id, after, int64(wokenAtOnce))
		if err != nil {
			return fmt.Errorf("read followers: %w", err)
		}
		var some []*core.Account
		for rows.Next() {
			var text, segments string
			if err := rows.Scan(&after, &text, &segments); err != nil {
				return fmt.Errorf("read followers: %w", err)
			}
			jid, err := xmpp.ParseJID(text)
			if err != nil {
				return fmt.Errorf("read followers: %w", err)
			}
			if text != one.author && isFor(one.segments, split(segments)) {
				some = append(some, &core.Account{ID: after, JID: jid})
			}
		}
		if err := cs.waker.Missed(ctx, chat, some); err != nil {
			return err
		}
		if rows.Len() < wokenAtOnce {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wakePause):
		}
	}
}
