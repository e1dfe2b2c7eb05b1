package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// history is the model: what was acknowledged to the sender, and what the receiver was handed, in order.
type history struct {
	mu     sync.Mutex // guards what follows
	acked  []string
	doubts map[string]bool // sent, and the client ended before it knew
	heard  map[string]int
	order  []string
	news   chan struct{} // holds one: something was heard or acknowledged
}

func (h *history) acknowledged(body string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.acked = append(h.acked, body)
	} else {
		h.doubts[body] = true
	}
	h.tell()
}

// tell says that something has changed; mu is held.
func (h *history) tell() {
	select {
	case h.news <- struct{}{}:
	default:
	}
}

func (h *history) hear(body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard[body]++
	h.order = append(h.order, body)
	h.tell()
}

// told is of how many messages the sender knows what became of them.
func (h *history) told() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.acked) + len(h.doubts)
}

// missing is what was acknowledged and not heard.
func (h *history) missing() (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, body := range h.acked {
		if h.heard[body] == 0 {
			all = append(all, body)
		}
	}
	return all
}

// reader is a device of juliet that keeps its mark, as a program that is restarted does.
type reader struct {
	t    *testing.T
	s    *palabretest.Server
	h    *history
	mu   sync.Mutex // guards mark
	mark client.Mark
	c    *client.Client
	done chan error
	end  context.CancelFunc
}

func (r *reader) start() {
	r.t.Helper()
	inbox := client.NewInbox(r.mark, time.Time{}, func(_ context.Context, letter client.Letter) error {
		if letter.Sent {
			return nil
		}
		r.h.hear(letter.Message.Body())
		if letter.Mark.ID != "" {
			r.mu.Lock()
			r.mark = letter.Mark
			r.mu.Unlock()
		}
		return nil
	})
	r.c = login(r.t, r.s, "juliet", func(cfg *client.Config) { inbox.Join(cfg) })
	var ctx context.Context
	ctx, r.end = context.WithCancel(r.t.Context())
	r.done = make(chan error, 1)
	go func() { r.done <- inbox.Run(ctx, r.c, nil) }()
	must(r.t, r.c.SetPresence(within(r.t), client.Presence{}))
}

// crash ends the program without a word.
func (r *reader) crash() {
	r.t.Helper()
	r.c.Kill()
	r.end()
	if err := <-r.done; !errors.Is(err, client.ErrClosed) && !errors.Is(err, context.Canceled) {
		r.t.Error(err)
	}
}

// TestNothingAcknowledgedIsLostOrDoubled lets a sender and a receiver lose their connections, their sessions and the receiver its process at
// random, and compares with the model.
func TestNothingAcknowledgedIsLostOrDoubled(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			// A session whose client has gone ends at once when resumption is off: then the archive has to tell.
			play(t, rand.New(rand.NewPCG(seed, 1)), seed%2 == 1)
		})
	}
}

func play(t *testing.T, random *rand.Rand, noResume bool) {
	s := town(t)
	h := &history{doubts: map[string]bool{}, heard: map[string]int{}, news: make(chan struct{}, 1)}
	r := &reader{t: t, s: s, h: h}
	r.start()
	romeo := login(t, s, "romeo", func(cfg *client.Config) { cfg.NoResume = noResume })
	sent := 0
	for range 120 {
		switch n := random.IntN(100); {
		case n < 70:
			for range 1 + random.IntN(8) {
				body := fmt.Sprint(sent)
				sent++
				must(t, romeo.Submit(within(t), text(r.c.Account(), body), func(err error) { h.acknowledged(body, err) }))
			}
		case n < 80:
			romeo.Drop()
		case n < 90:
			r.c.Drop()
		case n < 95:
			r.crash()
			r.start()
		default: // a drop before it may have taken the session, and the question with it
			if err := romeo.Ping(within(t), xmpp.JID{}); err != nil && !errors.Is(err, xmpp.ServiceUnavailable) && !errors.Is(err, client.ErrUnsure) {
				t.Fatal(err)
			}
		}
	}
	must(t, romeo.Flush(within(t)))
	check(t, h, sent)
	r.c.Close()
	r.end()
}

// check waits until all that was acknowledged is heard, and then looks for what is doubled or out of order.
func check(t *testing.T, h *history, sent int) {
	t.Helper()
	deadline := within(t)
	for h.told() < sent || len(h.missing()) > 0 {
		select {
		case <-h.news:
		case <-deadline.Done():
			t.Fatalf("of %d sent, it is known of %d what became of them; acknowledged and lost: %v", sent, h.told(), h.missing())
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for body, times := range h.heard {
		if times != 1 {
			t.Errorf("message %s came %d times", body, times)
		}
	}
	for i, body := range h.order {
		if body != fmt.Sprint(i) {
			t.Fatalf("message %s came in place %d", body, i)
		}
	}
}

// A note to oneself shows that an inbox hands on what this account has sent, too.
func TestInboxTellsWhatWasSent(t *testing.T) {
	t.Parallel()
	s := town(t)
	romeo := login(t, s, "romeo", nil)
	must(t, romeo.SendAcked(within(t), text(xmpp.MustJID("juliet@localhost"), "before")))
	letters := make(chan client.Letter, 10)
	inbox := client.NewInbox(client.Mark{}, time.Time{}, func(_ context.Context, letter client.Letter) error {
		letters <- letter
		return nil
	})
	c := login(t, s, "romeo", func(cfg *client.Config) {
		cfg.Carbons, cfg.AgentID = true, "" // another device
		inbox.Join(cfg)
	})
	go func() { _ = inbox.Run(within(t), c, nil) }()
	if l := <-letters; l.Message.Body() != "before" || !l.Sent || !l.Archived || l.Mark.ID == "" {
		t.Errorf("letter %+v", l)
	}
	must(t, romeo.SendAcked(within(t), text(xmpp.MustJID("juliet@localhost"), "after")))
	if l := <-letters; l.Message.Body() != "after" || !l.Sent {
		t.Errorf("letter %+v", l)
	}
}

// A handler that asks the server while the connection is lost must not keep the client from coming back.
func TestInboxMayAskWhileTheConnectionIsLost(t *testing.T) {
	t.Parallel()
	s := town(t)
	var c *client.Client
	ready, outcome := make(chan struct{}), make(chan error, 1)
	inbox := client.NewInbox(client.Mark{}, time.Time{}, func(ctx context.Context, _ client.Letter) error {
		<-ready
		c.Drop()
		_, err := c.Roster(ctx)
		outcome <- err
		return nil
	})
	c = login(t, s, "juliet", func(cfg *client.Config) { inbox.Join(cfg) })
	close(ready)
	go func() { _ = inbox.Run(within(t), c, nil) }()
	must(t, c.SetPresence(within(t), client.Presence{}))
	romeo := login(t, s, "romeo", nil)
	must(t, romeo.SendAcked(within(t), text(c.Account(), "?")))
	select {
	case err := <-outcome:
		if err != nil && !errors.Is(err, client.ErrUnsure) {
			t.Error(err)
		}
	case <-within(t).Done():
		t.Error("no answer")
	}
}
