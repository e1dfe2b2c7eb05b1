package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// Namespaces of channels.
const (
	nsPubSub  = "http://jabber.org/protocol/pubsub"
	nsAtom    = "http://www.w3.org/2005/Atom"
	nsChannel = "urn:palabre:channel:0"
)

// benchChannel is the channel that command seed makes: u0 owns it, all follow it.
const benchChannel = "bench"

// broadcast is the scenario: one publishes, many follow, some of them are online.
type broadcast struct {
	online, posts, size int
	pause               time.Duration

	mu      sync.Mutex // guards what follows
	got     int        // how many have the post that was published last
	number  int
	twice   int
	arrived chan struct{} // closed when all that are online have it
}

// broadcastResult is what was found; times are from publishing.
type broadcastResult struct {
	Online         int     `json:"online"`
	Posts          int     `json:"posts"`
	AckP50         float64 `json:"ack_p50_ms"`
	AllP50         float64 `json:"all_p50_ms"`
	AllMax         float64 `json:"all_max_ms"`
	CPUPerDelivery float64 `json:"server_cpu_us_per_delivery"`
	CPUPerPost     float64 `json:"server_cpu_ms_per_post"` // with the looking for whom to wake
	OwnCPU         float64 `json:"load_cpu_us_per_delivery"`
	MemoryBefore   float64 `json:"server_mib_before"` // nobody is online
	MemoryOnline   float64 `json:"server_mib_online"`
	MemoryAfter    float64 `json:"server_mib_after"`
	OthersCPU      float64 `json:"others_cpu_percent"`
}

func runBroadcast(ctx context.Context, t target, args []string) (any, error) {
	b := &broadcast{}
	flags := flag.NewFlagSet("channel", flag.ContinueOnError)
	flags.IntVar(&b.online, "online", 10_000, "followers that are online, u1 and on")
	flags.IntVar(&b.posts, "posts", 10, "posts to publish, one after the other")
	flags.IntVar(&b.size, "size", 1000, "bytes of text of a post")
	flags.DurationVar(&b.pause, "pause", 3*time.Second, "pause after each post, in which the server looks for whom to wake")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	before, err := usageOf(t.pids)
	if err != nil {
		return nil, err
	}
	devices, err := b.devices(t)
	if err != nil {
		return nil, err
	}
	defer closeAll(devices)
	if err := connectAll(ctx, devices, 32); err != nil {
		return nil, err
	}
	if err := wait(ctx, 5*time.Second); err != nil {
		return nil, err
	}
	result, err := b.measure(ctx, t, devices[0])
	if err != nil {
		return nil, err
	}
	result.MemoryBefore = float64(before.memory) / (1 << 20)
	return result, nil
}

// devices are those of who publishes, and of the followers that are online.
func (b *broadcast) devices(t target) ([]*client.Client, error) {
	devices := make([]*client.Client, b.online+1)
	for i := range devices {
		cfg := t.config(i)
		if i > 0 {
			cfg.OnMessage = b.hear
		}
		var err error
		if devices[i], err = client.New(cfg); err != nil {
			return nil, err
		}
	}
	return devices, nil
}

// hear counts a post at one follower.
func (b *broadcast) hear(_ context.Context, st *xmpp.Stanza) {
	item := st.Child(nsPubSub+"#event", "event").Child(nsPubSub+"#event", "items").Child(nsPubSub+"#event", "item")
	if item == nil {
		return
	}
	number, err := strconv.Atoi(strings.TrimPrefix(item.Attr("id"), "p"))
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil || number != b.number || b.got == b.online {
		b.twice++
		return
	}
	if b.got++; b.got == b.online {
		close(b.arrived)
	}
}

// times are those of one post.
type times struct{ ack, all time.Duration }

// publish publishes a post and waits until all that are online have it.
func (b *broadcast) publish(ctx context.Context, by *client.Client, service xmpp.JID, number int) (found times, err error) {
	b.mu.Lock()
	b.number, b.got, b.arrived = number, 0, make(chan struct{})
	arrived := b.arrived
	b.mu.Unlock()
	began := time.Now()
	entry := xmpp.NewElement(nsAtom, "entry", xmpp.NewText(nsAtom, "id", fmt.Sprint("tag:bench,", number)), xmpp.NewText(nsAtom, "title", "News"),
		xmpp.NewText(nsAtom, "updated", xmpp.FormatTime(time.Now())), xmpp.NewText(nsAtom, "content", strings.Repeat("palabre ", b.size/8+1)[:b.size]))
	item := xmpp.NewElement(nsPubSub, "item", entry).Set("id", fmt.Sprint("p", number))
	if _, err := by.Set(ctx, service, xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", item).Set("node", benchChannel))); err != nil {
		return found, fmt.Errorf("publish: %w", err)
	}
	found.ack = time.Since(began)
	select {
	case <-arrived:
		found.all = time.Since(began)
	case <-time.After(time.Minute):
		b.mu.Lock()
		defer b.mu.Unlock()
		return found, fmt.Errorf("post %d reached %d of %d in a minute", number, b.got, b.online)
	case <-ctx.Done():
		return found, ctx.Err()
	}
	return found, nil
}

func (b *broadcast) measure(ctx context.Context, t target, by *client.Client) (*broadcastResult, error) {
	service, err := xmpp.NewJID("", "channels."+t.domain, "")
	if err != nil {
		return nil, err
	}
	if _, err := b.publish(ctx, by, service, 0); err != nil { // what is made once is made
		return nil, err
	}
	if err := wait(ctx, b.pause); err != nil {
		return nil, err
	}
	online, err := usageOf(t.pids)
	if err != nil {
		return nil, err
	}
	busy, err := busyTime()
	if err != nil {
		return nil, err
	}
	start, delivering, own := time.Now(), time.Duration(0), time.Duration(0)
	whole, err := startCost(t)
	if err != nil {
		return nil, err
	}
	var acks, alls []time.Duration
	for number := range b.posts {
		one, err := startCost(t)
		if err != nil {
			return nil, err
		}
		found, err := b.publish(ctx, by, service, number+1)
		if err != nil {
			return nil, err
		}
		server, mine, err := one.since()
		if err != nil {
			return nil, err
		}
		delivering, own = delivering+server, own+mine
		acks, alls = append(acks, found.ack), append(alls, found.all)
		if err := wait(ctx, b.pause); err != nil {
			return nil, err
		}
	}
	server, mine, err := whole.since()
	if err != nil {
		return nil, err
	}
	all, err := busyTime()
	if err != nil {
		return nil, err
	}
	after, err := usageOf(t.pids)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.twice > 0 {
		return nil, fmt.Errorf("%d deliveries more than there are followers online", b.twice)
	}
	n := float64(b.posts * b.online)
	return &broadcastResult{Online: b.online, Posts: b.posts, AckP50: quantile(acks, 0.5), AllP50: quantile(alls, 0.5), AllMax: quantile(alls, 1),
		CPUPerDelivery: micros(delivering) / n, CPUPerPost: micros(server) / 1e3 / float64(b.posts), OwnCPU: micros(own) / n,
		MemoryOnline: float64(online.memory) / (1 << 20), MemoryAfter: float64(after.memory) / (1 << 20),
		OthersCPU: 100 * max(0, (all-busy-server-mine).Seconds()) / time.Since(start).Seconds()}, nil
}
