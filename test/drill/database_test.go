package drill

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var outages = flag.Int("outages", 4, "how often PostgreSQL alone fails, in each of its ways in turn")

// outage is a way in which PostgreSQL fails and comes back.
type outage struct {
	name string
	fail func(*cluster)
}

// outagesOf are the ways. A server that is away for longer than Palabre lets a message wait for it makes it refuse.
var outagesOf = []outage{
	{"killed", func(c *cluster) { c.kill(); c.start() }},
	{"restarted", func(c *cluster) { c.stop(); c.start() }},
	{"paused", func(c *cluster) { c.pause(time.Second + rand.N(3*time.Second)) }},
	{"killed and away", func(c *cluster) { c.kill(); <-time.After(12 * time.Second); c.start() }},
	{"paused for long", func(c *cluster) { c.pause(45 * time.Second) }}, // no answer for longer than Palabre waits for one
	{"away for long", func(c *cluster) { c.stop(); <-time.After(30 * time.Second); c.start() }},
}

// TestDatabaseFails has PostgreSQL fail while the server stays up and is sent messages at full speed. The server must go on by itself when
// PostgreSQL is back. A message that was acknowledged and not refused is there once and in order, on every device and in both archives; one
// that was refused is nowhere.
func TestDatabaseFails(t *testing.T) {
	ways := outagesOf[:4]
	if *outages > 2*len(outagesOf) {
		ways = outagesOf
	}
	ctx, cancel := context.WithTimeout(t.Context(), enough(*outages))
	defer cancel()
	base := newCluster(t)
	d := newRun(t, newServer(t, base.url()))
	d.begin(ctx)
	for i := range *outages {
		way := ways[i%len(ways)]
		if err := d.arrive(ctx, 1+rand.Int64N(1500)); err != nil {
			t.Fatalf("before PostgreSQL is %s (%d): %v; %s", way.name, i, err, d.state())
		}
		began := time.Now()
		way.fail(base)
		back := time.Now()
		d.server.alive()
		if err := d.arrive(ctx, 1); err != nil {
			t.Fatalf("after PostgreSQL was %s (%d): %v; %s", way.name, i, err, d.state())
		}
		t.Logf("PostgreSQL was %s for %v; the first message came %v after it was back", way.name, back.Sub(began).Round(time.Millisecond), time.Since(back).Round(time.Millisecond))
	}
	if err := d.arrive(ctx, 500); err != nil {
		t.Fatalf("at the end: %v; %s", err, d.state())
	}
	d.finish(ctx)
	t.Logf("PostgreSQL failed %d times; of %d messages %d were refused; the others were each found once and in order", *outages, d.acked.value(), len(d.refused))
}

// arrive waits until so many more messages are at a device.
func (d *run) arrive(ctx context.Context, more int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	phone := &d.devices[0].got
	return phone.reach(ctx, phone.value()+more)
}

// alive fails the test if the server has ended.
func (p *palabre) alive() {
	p.t.Helper()
	select {
	case err := <-p.gone:
		p.gone <- err
		p.t.Fatalf("the server has ended: %v", err)
	default:
	}
}
