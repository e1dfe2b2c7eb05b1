package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

const (
	senders     = 4
	outstanding = 32 // messages of a sender that wait for their acknowledgement
)

var (
	receivers = []string{"online", "hibernating", "offline"}
	accounts  = append([]string{"s0", "s1", "s2", "s3"}, receivers...)
)

func TestKill(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killOften(t, "", *kills) })
	t.Run("postgres", func(t *testing.T) { killOften(t, database(t), *kills/2) })
}

// database makes an empty one on the PostgreSQL server that the tests are given.
func database(t *testing.T) string {
	t.Helper()
	server := os.Getenv("PALABRE_TEST_POSTGRES")
	if server == "" {
		t.Fatal("PALABRE_TEST_POSTGRES is not set; run this by test/with-postgres")
	}
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	name := fmt.Sprintf("drill_%d", time.Now().UnixNano())
	if _, err := conn.Exec(t.Context(), "create database "+name); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(server, "/postgres?", "/"+name+"?", 1)
}

func killOften(t *testing.T, database string, kills int) {
	server := newServer(t, database)
	drill(t, server, kills, func() {
		server.kill()
		server.start()
	})
}

// drill sends at full speed while the server fails so often, then looks at every device and archive. Fail returns when the server is
// back.
func drill(t *testing.T, server *palabre, times int, fail func()) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(times))
	defer cancel()
	d := newRun(t, server)
	d.begin(ctx)
	for i := range times {
		if err := d.progress(ctx, 1+rand.Int64N(1500)); err != nil {
			t.Fatalf("before failure %d: %v; %s", i, err, d.state())
		}
		fail()
	}
	d.finish(ctx)
	if n := len(d.refused); n > 0 {
		t.Errorf("%d messages were refused", n)
	}
	t.Logf("%d failures; %d messages acknowledged to their senders, each found once and in order", times, d.acked.value())
}

// newRun makes the accounts and starts the server.
func newRun(t *testing.T, server *palabre) *run {
	d := &run{t: t, server: server, files: map[string]string{}, refused: map[string]bool{}}
	for _, name := range accounts {
		d.server.add(name)
	}
	d.server.add("--admin", "changer")
	server.start()
	return d
}

// run is one drill under way.
type run struct {
	t      *testing.T
	server *palabre
	acked  counter

	sending  context.CancelFunc
	work     sync.WaitGroup
	applying sync.WaitGroup
	clients  [senders]*client.Client
	sent     [senders]int // how many messages each sender has sent to each receiver

	devices []*device
	changed []*change

	mu        sync.Mutex        // guards what follows
	newcomers int               // accounts that were asked for
	files     map[string]string // addresses of uploads that were answered with 201
	refused   map[string]bool   // bodies of messages that their senders were told are not kept
}

// counter counts up and can be waited for.
type counter struct {
	mu    sync.Mutex // guards what follows
	n     int64
	moved chan struct{}
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}

func (c *counter) value() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// reach waits until the counter is at n.
func (c *counter) reach(ctx context.Context, n int64) error {
	for {
		c.mu.Lock()
		if c.n >= n {
			c.mu.Unlock()
			return nil
		}
		if c.moved == nil {
			c.moved = make(chan struct{})
		}
		moved := c.moved
		c.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("at %d of %d: %w", c.value(), n, ctx.Err())
		}
	}
}

// device notes the letters that reach it.
type device struct {
	name    string
	senders []int  // whose messages belong here
	to      string // only those to this receiver; "" for all
	got     counter
	mu      sync.Mutex // guards letters
	letters []string
	inbox   *client.Inbox
}

func (d *device) note(st *xmpp.Stanza) {
	if st.Body() == "" {
		return
	}
	d.mu.Lock()
	d.letters = append(d.letters, st.Body())
	d.mu.Unlock()
	d.got.add()
}

// watch brings up a device that reads the archive, and follows an account.
func (d *run) watch(ctx context.Context, account, name string, senders []int, to string, cut bool) {
	dev := &device{name: account + "/" + name, senders: senders, to: to}
	cfg := d.server.config(account)
	cfg.Carbons = true
	var c *client.Client
	got := 0
	dev.inbox = client.NewInbox(client.Mark{}, time.Unix(1, 0), func(_ context.Context, letter client.Letter) error {
		dev.note(letter.Message)
		if got++; cut && got%200 == 0 {
			go c.Drop()
		}
		return nil
	})
	dev.inbox.Join(&cfg)
	c, err := client.New(cfg)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(c.Kill)
	d.work.Go(func() {
		if err := dev.inbox.Run(ctx, c, nil); err != nil && ctx.Err() == nil && !errors.Is(err, client.ErrClosed) {
			d.t.Errorf("%s: inbox: %v", dev.name, err)
		}
	})
	if err := c.Connect(ctx); err != nil {
		d.t.Fatalf("%s: %v", dev.name, err)
	}
	if err := c.SetPresence(ctx, client.Presence{}); err != nil {
		d.t.Fatalf("%s: %v", dev.name, err)
	}
	d.devices = append(d.devices, dev)
}

// begin brings all devices up and lets the senders send.
func (d *run) begin(ctx context.Context) {
	everyone := []int{0, 1, 2, 3}
	d.watch(ctx, "online", "phone", everyone, "online", false)
	d.watch(ctx, "online", "laptop", everyone, "online", false)
	d.watch(ctx, "hibernating", "phone", everyone, "hibernating", true)
	d.watch(ctx, "s0", "laptop", []int{0}, "", false)
	sending, cancel := context.WithCancel(ctx)
	d.sending = cancel
	for i := range senders {
		cfg := d.server.config(fmt.Sprintf("s%d", i))
		cfg.OnMessage = d.bounce
		d.clients[i] = d.server.connect(ctx, cfg)
	}
	for i := range senders {
		d.work.Go(func() { d.send(sending, ctx, i) })
	}
	d.changed = d.changes(d.server.connect(ctx, d.server.config("changer")))
	for _, ch := range d.changed {
		d.applying.Go(func() { d.apply(sending, ctx, ch) })
	}
}

// letter is the body, and the id, of a message.
func letter(sender int, to string, n int) string { return fmt.Sprintf("%d %s %d", sender, to, n) }

// bounce notes a message that the server has refused.
func (d *run) bounce(_ context.Context, st *xmpp.Stanza) {
	if !st.IsError() {
		return
	}
	if err := xmpp.ErrorOf(st); err.Type != "wait" {
		d.t.Errorf("%s was refused for good: %v", st.ID, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused[st.ID] = true
}

// send sends numbered messages to each receiver in turn until sending ends, then waits until all are acknowledged.
func (d *run) send(sending, ctx context.Context, sender int) {
	room := make(chan struct{}, outstanding)
	for n := 0; sending.Err() == nil; n++ {
		for _, to := range receivers {
			room <- struct{}{}
			body := letter(sender, to, n)
			st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", ID: body, To: xmpp.MustJID(to + "@localhost")}
			st.Add(xmpp.NewText(xmpp.NSClient, "body", body))
			err := d.clients[sender].Submit(ctx, st, func(err error) {
				if err == nil {
					d.acked.add()
				} else if ctx.Err() == nil {
					d.t.Errorf("s%d: %s %d: %v", sender, to, n, err)
				}
				<-room
			})
			if err != nil {
				d.t.Errorf("s%d: submit: %v", sender, err)
				return
			}
		}
		d.sent[sender] = n + 1
	}
	if err := d.clients[sender].Flush(ctx); err != nil {
		d.t.Errorf("s%d: flush: %v; %s", sender, err, d.state())
	}
}

// progress waits until so many more messages are acknowledged.
func (d *run) progress(ctx context.Context, more int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.acked.reach(ctx, d.acked.value()+more)
}

func (d *run) state() string {
	text := fmt.Sprintf("%d acknowledged", d.acked.value())
	for _, dev := range d.devices {
		text += fmt.Sprintf("; %s has %d", dev.name, dev.got.value())
	}
	return text
}

// finish ends the sending and compares what everybody has with what was sent.
func (d *run) finish(ctx context.Context) {
	d.sending()
	ctx, cancel := context.WithTimeout(ctx, enough(0))
	defer cancel()
	total := 0
	for i := range senders {
		if err := d.clients[i].Flush(ctx); err != nil {
			d.t.Fatalf("s%d: flush: %v; %s", i, err, d.state())
		}
		if err := d.clients[i].Ping(ctx, xmpp.JID{}); err != nil { // refusals come before the answer
			d.t.Fatalf("s%d: ping: %v", i, err)
		}
	}
	for _, n := range d.sent {
		total += n
	}
	if err := d.acked.reach(ctx, int64(total*len(receivers))); err != nil { // the client flushes, and then tells
		d.t.Errorf("acknowledged: %v", err)
	}
	d.applying.Wait()
	d.meetOffline(ctx)
	for _, ch := range d.changed {
		d.check(ctx, ch)
	}
	for _, dev := range d.devices {
		if err := dev.got.reach(ctx, int64(d.expected(dev))); err != nil {
			d.t.Errorf("%s: %v", dev.name, err)
		}
		dev.mu.Lock()
		d.compare(dev.name, dev.letters, dev.senders, dev.to)
		dev.mu.Unlock()
	}
	for i := range senders {
		d.compare(fmt.Sprintf("archive of s%d", i), d.archive(ctx, d.clients[i]), []int{i}, "")
	}
	for _, name := range receivers {
		c := d.server.connect(ctx, d.server.config(name))
		d.compare("archive of "+name, d.archive(ctx, c), []int{0, 1, 2, 3}, name)
	}
	d.server.stop()
}

func (d *run) expected(dev *device) int {
	n := 0
	for _, sender := range dev.senders {
		for _, to := range receivers {
			if dev.to == "" || dev.to == to {
				n += d.kept(sender, to)
			}
		}
	}
	return n
}

// kept is how many of a sender's messages to a receiver were not refused.
func (d *run) kept(sender int, to string) (kept int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range d.sent[sender] {
		if !d.refused[letter(sender, to, n)] {
			kept++
		}
	}
	return kept
}

// due is the number of the first message from n on that was not refused.
func (d *run) due(sender int, to string, n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.refused[letter(sender, to, n)] {
		n++
	}
	return n
}

// meetOffline brings up, for the first time, an app that does not read the archive: the server has to send it everything.
func (d *run) meetOffline(ctx context.Context) {
	dev := &device{name: "offline/old", senders: []int{0, 1, 2, 3}, to: "offline"}
	cfg := d.server.config("offline")
	cfg.OnMessage = func(_ context.Context, st *xmpp.Stanza) { dev.note(st) }
	d.server.connect(ctx, cfg)
	d.devices = append(d.devices, dev)
}

// archive reads the bodies of a whole archive.
func (d *run) archive(ctx context.Context, c *client.Client) (bodies []string) {
	d.t.Helper()
	after := ""
	for {
		page, err := c.Archive(ctx, client.ArchiveQuery{After: after, Max: client.MaxPage})
		if err != nil {
			d.t.Fatalf("archive of %s: %v", c.Account(), err)
		}
		for _, entry := range page.Entries {
			bodies = append(bodies, entry.Message.Body())
		}
		if page.Complete {
			return bodies
		}
		after = page.Last
	}
}

// compare checks that a list holds each sender's messages once, and in the order in which they were sent; of those that were refused, none.
func (d *run) compare(where string, list []string, from []int, only string) {
	d.t.Helper()
	next := map[string]int{}
	wrong := 0
	for _, body := range list {
		var sender, n int
		var to string
		if _, err := fmt.Sscanf(body, "%d %s %d", &sender, &to, &n); err != nil {
			d.t.Fatalf("%s: %q: %v", where, body, err)
		}
		key := fmt.Sprintf("%d %s", sender, to)
		if due := d.due(sender, to, next[key]); n != due && wrong < 10 {
			d.t.Errorf("%s: %q where %d was due", where, body, due)
			wrong++
		}
		next[key] = n + 1
	}
	for _, sender := range from {
		for _, to := range receivers {
			want := d.sent[sender]
			if only != "" && only != to {
				want = 0
			}
			if got := next[fmt.Sprintf("%d %s", sender, to)]; want > 0 && d.due(sender, to, got) != want || got > want {
				d.t.Errorf("%s: up to %d of %d from s%d to %s", where, got, want, sender, to)
			}
		}
	}
}
