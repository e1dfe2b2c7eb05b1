package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// chat is the scenario: pairs of devices, each sender with so many messages on their way at once.
type chat struct {
	pairs, outstanding, size int
	encrypted, ephemeral     bool
	rate                     float64
	warmUp, duration         time.Duration

	counting  atomic.Bool
	delivered atomic.Int64
	acked     atomic.Int64
	mu        sync.Mutex // guards the times
	delivery  []time.Duration
	ack       []time.Duration
}

// chatResult is what a run found.
type chatResult struct {
	Delivered        int64   `json:"delivered"`
	Acked            int64   `json:"acked"`
	PerSecond        float64 `json:"per_second"`
	CPUPerMessage    float64 `json:"server_cpu_us_per_message"`
	DeliveryP50      float64 `json:"delivery_p50_ms"`
	DeliveryP99      float64 `json:"delivery_p99_ms"`
	AckP50           float64 `json:"ack_p50_ms"`
	AckP99           float64 `json:"ack_p99_ms"`
	OwnCPUPerMessage float64 `json:"load_cpu_us_per_message"`
}

func runChat(ctx context.Context, t target, args []string) (any, error) {
	c := &chat{}
	flags := flag.NewFlagSet("chat", flag.ContinueOnError)
	flags.IntVar(&c.pairs, "pairs", 50, "pairs of devices")
	flags.IntVar(&c.outstanding, "outstanding", 8, "messages of each sender that wait for their acknowledgement")
	flags.IntVar(&c.size, "size", 200, "bytes of text, or of the encrypted payload")
	flags.BoolVar(&c.encrypted, "encrypted", false, "send what an OMEMO client would: keys, payload and a store hint")
	flags.BoolVar(&c.ephemeral, "ephemeral", false, "send what no archive keeps (a no-store hint)")
	flags.Float64Var(&c.rate, "rate", 0, "messages per second in all; 0 sends as fast as they are acknowledged")
	flags.DurationVar(&c.warmUp, "warm-up", 2*time.Second, "time before counting")
	flags.DurationVar(&c.duration, "duration", 10*time.Second, "time of counting")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return c.run(ctx, t)
}

func (c *chat) run(ctx context.Context, t target) (any, error) {
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	devices := make([]*client.Client, 2*c.pairs)
	for i := range devices {
		cfg := t.config(i)
		if i%2 == 1 {
			cfg.OnMessage = c.arrived
		}
		var err error
		if devices[i], err = client.New(cfg); err != nil {
			return nil, err
		}
	}
	defer closeAll(devices)
	if err := connectAll(ctx, devices, 16); err != nil {
		return nil, err
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var senders sync.WaitGroup
	for i := range c.pairs {
		senders.Go(func() { c.send(sending, devices[2*i], t.account(2*i+1), i) })
	}
	result, err := c.measure(ctx, t)
	stop()
	senders.Wait()
	return result, err
}

// measure waits for the warm-up, then counts.
func (c *chat) measure(ctx context.Context, t target) (*chatResult, error) {
	if err := wait(ctx, c.warmUp); err != nil {
		return nil, err
	}
	cost, err := startCost(t)
	if err != nil {
		return nil, err
	}
	start, delivered, acked := time.Now(), c.delivered.Load(), c.acked.Load()
	c.counting.Store(true)
	if err := wait(ctx, c.duration); err != nil {
		return nil, err
	}
	c.counting.Store(false)
	took := time.Since(start)
	delivered, acked = c.delivered.Load()-delivered, c.acked.Load()-acked
	server, own, err := cost.since()
	if err != nil {
		return nil, err
	}
	if delivered == 0 {
		return nil, fmt.Errorf("no message arrived; %d were acknowledged", acked)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &chatResult{Delivered: delivered, Acked: acked, PerSecond: float64(delivered) / took.Seconds(),
		CPUPerMessage:    micros(server) / float64(delivered),
		OwnCPUPerMessage: micros(own) / float64(delivered),
		DeliveryP50:      quantile(c.delivery, 0.5), DeliveryP99: quantile(c.delivery, 0.99),
		AckP50: quantile(c.ack, 0.5), AckP99: quantile(c.ack, 0.99)}, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// quantile is in milliseconds.
func quantile(times []time.Duration, q float64) float64 {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return float64(times[int(q*float64(len(times)-1))].Microseconds()) / 1e3
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send keeps messages on their way until ctx ends.
func (c *chat) send(ctx context.Context, from *client.Client, to xmpp.JID, pair int) {
	room := make(chan struct{}, c.outstanding)
	pace := c.pace(pair)
	var under sync.WaitGroup
	defer under.Wait()
	for {
		if pace != nil && pace(ctx) != nil {
			return
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		start := time.Now()
		under.Add(1)
		err := from.Submit(ctx, c.message(to, start), func(err error) {
			if err == nil {
				c.acked.Add(1)
				c.note(&c.ack, time.Since(start))
			}
			<-room
			under.Done()
		})
		if err != nil {
			under.Done()
			return
		}
	}
}

// pace spreads messages evenly over time, nil for no pace.
func (c *chat) pace(pair int) func(context.Context) error {
	if c.rate == 0 {
		return nil
	}
	gap := time.Duration(float64(c.pairs) / c.rate * float64(time.Second))
	next := time.Now().Add(gap * time.Duration(pair) / time.Duration(c.pairs))
	return func(ctx context.Context) error {
		next = next.Add(gap)
		return wait(ctx, time.Until(next))
	}
}

const nsTime = "urn:palabre:bench"

func (c *chat) message(to xmpp.JID, at time.Time) *xmpp.Stanza {
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: to}
	if c.encrypted {
		st.Add(encryptedPayload(c.size))
		st.Add(xmpp.NewElement("urn:xmpp:eme:0", "encryption").Set("namespace", nsOMEMO).Set("name", "OMEMO"))
		st.Add(xmpp.NewElement(xmpp.NSHints, "store"))
		st.Add(xmpp.NewText(xmpp.NSClient, "body", "I sent you an OMEMO encrypted message"))
	} else {
		st.Add(xmpp.NewText(xmpp.NSClient, "body", strings.Repeat("palabre ", c.size/8+1)[:c.size]))
	}
	if c.ephemeral {
		st.Add(xmpp.NewElement(xmpp.NSHints, "no-store"))
	}
	return st.Add(xmpp.NewElement(nsTime, "sent").Set("at", strconv.FormatInt(at.UnixNano(), 10)))
}

const nsOMEMO = "eu.siacs.conversations.axolotl"

// encryptedPayload has the shape and size of an OMEMO message to three devices.
func encryptedPayload(size int) *xmpp.Element {
	header := xmpp.NewElement(nsOMEMO, "header").Set("sid", "1234567890")
	for _, rid := range []string{"1111111111", "2222222222", "3333333333"} {
		header.Add(xmpp.NewText(nsOMEMO, "key", strings.Repeat("k", 132)).Set("rid", rid))
	}
	header.Add(xmpp.NewText(nsOMEMO, "iv", strings.Repeat("i", 16)))
	return xmpp.NewElement(nsOMEMO, "encrypted", header, xmpp.NewText(nsOMEMO, "payload", strings.Repeat("p", max(size-600, 16))))
}

// arrived counts a message at its receiver.
func (c *chat) arrived(_ context.Context, st *xmpp.Stanza) {
	mark := st.Child(nsTime, "sent")
	if mark == nil {
		return
	}
	c.delivered.Add(1)
	if at, err := strconv.ParseInt(mark.Attr("at"), 10, 64); err == nil {
		c.note(&c.delivery, time.Since(time.Unix(0, at)))
	}
}

// note keeps a time while counting.
func (c *chat) note(times *[]time.Duration, took time.Duration) {
	if !c.counting.Load() {
		return
	}
	c.mu.Lock()
	*times = append(*times, took)
	c.mu.Unlock()
}
