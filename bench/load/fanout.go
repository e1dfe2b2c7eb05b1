package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// fanout is the scenario: rooms with so many members, all of them there, and a few who write. A message is done when its last member has it.
type fanout struct {
	sizes            []int
	senders, size    int
	outstanding      int
	rate             float64
	service          string
	warmUp, duration time.Duration
	devices          []*occupant
	measured         atomic.Pointer[crowd] // who counts what arrives
}

// fanoutPart is what was found at one size and one way to write.
type fanoutPart struct {
	PerSecond      float64 `json:"per_second"` // deliveries
	Messages       float64 `json:"messages"`
	CPUPerDelivery float64 `json:"server_cpu_us_per_delivery"`
	OwnCPU         float64 `json:"load_cpu_us_per_delivery"`
	LastP50        float64 `json:"last_p50_ms"`
	LastP99        float64 `json:"last_p99_ms"`
	OthersCPU      float64 `json:"others_cpu_percent"` // of one processor, by all other processes of the machine meanwhile
}

// fanoutResult is by size: at the fixed rate, and as fast as it goes.
type fanoutResult struct {
	Sizes  map[string]map[string]*fanoutPart `json:"members"`
	Memory float64                           `json:"server_mib"`
	Others float64                           `json:"others_cpu_percent"` // the mean of all parts
}

func runFanout(ctx context.Context, t target, args []string) (any, error) {
	f := &fanout{}
	flags := flag.NewFlagSet("fanout", flag.ContinueOnError)
	sizes := flags.String("members", "50,500,1024", "sizes of the rooms")
	flags.IntVar(&f.senders, "senders", 4, "members who write")
	flags.IntVar(&f.outstanding, "outstanding", 4, "messages of each sender that have not reached their last member, when it goes as fast as it can")
	flags.IntVar(&f.size, "size", 200, "bytes of text")
	flags.Float64Var(&f.rate, "rate", 5000, "deliveries per second in all, at the fixed rate")
	flags.StringVar(&f.service, "service", "", "address of the room service; empty means groups. before the domain")
	flags.DurationVar(&f.warmUp, "warm-up", time.Second, "time before counting")
	flags.DurationVar(&f.duration, "duration", 5*time.Second, "time of counting, for each part")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if f.service == "" {
		f.service = "groups." + t.domain
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < f.senders || f.senders < 1 {
			return nil, fmt.Errorf("a room of %q members with %d who write", text, f.senders)
		}
		f.sizes = append(f.sizes, n)
	}
	return f.run(ctx, t)
}

func (f *fanout) run(ctx context.Context, t target) (any, error) {
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	clients, err := f.occupants(t)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	if err := connectAll(ctx, clients, 16); err != nil {
		return nil, err
	}
	result := &fanoutResult{Sizes: map[string]map[string]*fanoutPart{}}
	parts := 0
	for _, n := range f.sizes {
		room, err := f.fill(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("room of %d: %w", n, err)
		}
		paced, err := f.part(ctx, t, room, n, f.rate/float64(n))
		if err != nil {
			return nil, fmt.Errorf("room of %d, fixed rate: %w", n, err)
		}
		full, err := f.part(ctx, t, room, n, 0)
		if err != nil {
			return nil, fmt.Errorf("room of %d, as fast as it goes: %w", n, err)
		}
		result.Sizes[strconv.Itoa(n)] = map[string]*fanoutPart{"paced": paced, "full": full}
		result.Others += paced.OthersCPU + full.OthersCPU
		parts += 2
	}
	result.Others /= float64(parts)
	now, err := usageOf(t.pids)
	result.Memory = float64(now.memory) / (1 << 20)
	return result, err
}

// part lets the senders write for a while, and waits until everybody has everything.
func (f *fanout) part(ctx context.Context, t target, room xmpp.JID, members int, rate float64) (*fanoutPart, error) {
	c := &crowd{members: int32(members), done: make([]int32, maxMessages), at: make([]time.Time, maxMessages), release: make([]func(), maxMessages)}
	f.measured.Store(c)
	defer f.measured.Store(nil)
	sending, stop := context.WithCancel(ctx)
	defer stop()
	errs := make(chan error, f.senders)
	for i := range f.senders {
		go func() { errs <- f.send(sending, c, room, i, rate) }()
	}
	part, err := f.measure(ctx, t, c)
	stop()
	for range f.senders {
		err = errors.Join(err, <-errs)
	}
	if err != nil {
		return nil, err
	}
	if err := c.drain(ctx); err != nil {
		return nil, err
	}
	return part, nil
}

func (f *fanout) measure(ctx context.Context, t target, c *crowd) (*fanoutPart, error) {
	if err := wait(ctx, f.warmUp); err != nil {
		return nil, err
	}
	cost, err := startCost(t)
	if err != nil {
		return nil, err
	}
	busy, err := busyTime()
	if err != nil {
		return nil, err
	}
	start, before := time.Now(), c.count(true)
	if err := wait(ctx, f.duration); err != nil {
		return nil, err
	}
	took, delivered := time.Since(start), float64(c.count(false)-before)
	server, own, err := cost.since()
	if err != nil {
		return nil, err
	}
	all, err := busyTime()
	if err != nil {
		return nil, err
	}
	if delivered == 0 {
		return nil, fmt.Errorf("nothing arrived in %s", took)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &fanoutPart{PerSecond: delivered / took.Seconds(), Messages: float64(len(c.last)), CPUPerDelivery: micros(server) / delivered,
		OwnCPU: micros(own) / delivered, LastP50: quantile(c.last, 0.5), LastP99: quantile(c.last, 0.99),
		OthersCPU: 100 * max(0, (all-busy-server-own).Seconds()) / took.Seconds()}, nil
}

// send writes to the room until ctx ends; rate is in messages per second of all senders, 0 writes when an earlier message has reached all.
func (f *fanout) send(ctx context.Context, c *crowd, room xmpp.JID, sender int, rate float64) error {
	tokens := f.outstanding
	var pace func(context.Context) error
	if rate > 0 {
		tokens = maxMessages / f.senders
		pace = (&chat{pairs: f.senders, rate: rate}).pace(sender)
	}
	free := make(chan struct{}, tokens)
	for {
		if pace != nil && pace(ctx) != nil {
			return nil
		}
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		number, ok := c.begin(func() { <-free })
		if !ok {
			return fmt.Errorf("more than %d messages: measure for a shorter time", maxMessages)
		}
		if err := f.devices[sender].client.Send(context.WithoutCancel(ctx), f.letter(room, number)); err != nil {
			return err
		}
	}
}

func (f *fanout) letter(room xmpp.JID, number int) *xmpp.Stanza {
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", To: room}
	st.Add(xmpp.NewText(xmpp.NSClient, "body", strings.Repeat("palabre ", f.size/8+1)[:f.size]))
	return st.Add(xmpp.NewElement(nsTime, "sent").Set("number", strconv.Itoa(number)))
}

// arrived counts a message at one member.
func (f *fanout) arrived(_ context.Context, st *xmpp.Stanza) {
	if st.Type != "groupchat" {
		return
	}
	mark := st.Child(nsTime, "sent")
	if mark == nil {
		return
	}
	number, err := strconv.Atoi(mark.Attr("number"))
	if c := f.measured.Load(); c != nil && err == nil {
		c.arrived(number)
	}
}

// maxMessages is the most messages of one part.
const maxMessages = 1 << 17

// crowd counts at how many members each message has arrived.
type crowd struct {
	members   int32
	delivered atomic.Int64

	mu       sync.Mutex // guards what follows
	next     int
	done     []int32
	at       []time.Time
	release  []func()
	whole    int // messages that all members have
	twice    int // deliveries beyond all members
	counting bool
	last     []time.Duration // from sending to the last member, while counting
}

// begin gives a message its number; release is called when all members have it.
func (c *crowd) begin(release func()) (number int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == maxMessages {
		return 0, false
	}
	number = c.next
	c.next++
	c.at[number], c.release[number] = time.Now(), release
	return number, true
}

// arrived notes a delivery.
func (c *crowd) arrived(number int) {
	c.delivered.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if number < 0 || number >= c.next || c.done[number] == c.members {
		c.twice++
		return
	}
	c.done[number]++
	if c.done[number] < c.members {
		return
	}
	c.whole++
	if c.counting {
		c.last = append(c.last, time.Since(c.at[number]))
	}
	c.release[number]()
	c.release[number] = nil
}

// count turns the noting of times on or off, and returns how many deliveries there were.
func (c *crowd) count(on bool) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counting = on
	return c.delivered.Load()
}

// drain waits until all members have all messages, and fails if some do not come, or come twice.
func (c *crowd) drain(ctx context.Context) error {
	for range 300 {
		c.mu.Lock()
		missing, twice := c.next-c.whole, c.twice
		c.mu.Unlock()
		if twice > 0 {
			return fmt.Errorf("%d deliveries more than there are members", twice)
		}
		if missing == 0 {
			return nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d of %d messages did not reach every member in 30 seconds", c.next-c.whole, c.next)
}

// occupants are devices of as many accounts as the largest room has members.
func (f *fanout) occupants(t target) ([]*client.Client, error) {
	most := 0
	for _, n := range f.sizes {
		most = max(most, n)
	}
	clients := make([]*client.Client, most)
	for i := range most {
		o := &occupant{account: t.account(i)}
		cfg := t.config(i)
		cfg.OnMessage, cfg.OnPresence = f.arrived, o.present
		var err error
		if o.client, err = client.New(cfg); err != nil {
			return nil, err
		}
		clients[i] = o.client
		f.devices = append(f.devices, o)
	}
	return clients, nil
}
