package c2s_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// keeper makes every message wait for a commit, as an archive does.
type keeper struct{}

func (keeper) Attach(s *core.Server) {
	s.Keep(core.Sent, func(t *core.Transit) core.Write {
		if t.Stanza.Kind != xmpp.Message {
			return nil
		}
		return func(context.Context) error { return nil }
	})
}

// device is a client that manages its stream as XEP-0198 wants it, and checks that it sees each message once and in order.
type device struct {
	*palabretest.Person
	t        *testing.T
	server   *palabretest.Server
	id       string
	received uint32   // stanzas, since <enabled/>
	acked    uint32   // of ours
	unacked  []string // sent since then
	numbers  int      // of the messages we have sent
	seen     []int    // numbers of those we got
}

func (d *device) send(text string) {
	d.unacked = append(d.unacked, text)
	d.Send(text)
}

// take handles one element, and reports whether it is the answer to a request with this id.
func (d *device) take(e *xmpp.Element, id string) bool {
	d.t.Helper()
	switch {
	case e.Is(sm, "r"):
		return false
	case e.Is(sm, "a"):
		d.trim(e)
		return false
	}
	d.received++
	if e.Local == "message" {
		n, err := strconv.Atoi(e.Attr("id"))
		if err != nil || n != len(d.seen) {
			d.t.Fatalf("%s got %s, expected number %d", d.Name, e, len(d.seen))
		}
		d.seen = append(d.seen, n)
	}
	return e.Local == "iq" && e.Attr("id") == id
}

func (d *device) trim(e *xmpp.Element) {
	d.t.Helper()
	h, err := strconv.ParseUint(e.Attr("h"), 10, 32)
	n := uint32(h) - d.acked
	if err != nil || int(n) > len(d.unacked) {
		d.t.Fatalf("%s: h is %s, after %d and %d sent", d.Name, e.Attr("h"), d.acked, len(d.unacked))
	}
	d.unacked, d.acked = d.unacked[n:], uint32(h)
}

// sync reads all that the server has had for it.
func (d *device) sync() {
	id := fmt.Sprint("sync", d.numbers, len(d.seen), d.received)
	d.send("<iq type='get' id='" + id + "' to='localhost'><x xmlns='y'/></iq>")
	for !d.take(d.Receive(), id) {
	}
}

func (d *device) ack() {
	d.Send(fmt.Sprintf("<a xmlns='%s' h='%d'/><r xmlns='%s'/>", sm, d.received, sm))
}

func (d *device) write(to string, n int) {
	for range n {
		d.send(fmt.Sprintf("<message to='%s' id='%d'><body>hello</body></message>", to, d.numbers))
		d.numbers++
	}
}

// back resumes on a new connection; the old one may be gone, or not.
func (d *device) back() {
	d.Person = resume(d.t, d.server, d.Name, d.id, int(d.received))
	e := d.Receive()
	if !e.Is(sm, "resumed") {
		d.t.Fatalf("%s: not resumed: %s", d.Name, e)
	}
	d.trim(e)
	for _, text := range d.unacked {
		d.Send(text)
	}
}

// Two devices talk while their connections break at any moment, or are replaced; each message arrives once and in order.
func TestResumptionModel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := palabretest.StartOn(t, db, with(keeper{}), palabretest.Door(func(cfg *c2s.Config) { cfg.StanzaRate, cfg.ByteRate = 0, 0 }))
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		var both [2]*device
		for i, name := range []string{"romeo", "juliet"} {
			both[i] = &device{Person: s.Login(t, name), t: t, server: s}
			both[i].id = manage(both[i].Person)
		}
		for range 300 {
			i := random.IntN(2)
			d, other := both[i], both[1-i]
			switch random.IntN(8) {
			case 0, 1, 2, 3:
				d.write(other.Name+"@localhost/home", 1+random.IntN(10))
			case 4:
				d.sync()
			case 5:
				d.ack()
			case 6:
				d.Drop()
				d.back()
			case 7:
				d.back()
			}
		}
		for range 2 { // once to have all sent handled, once to read it
			both[0].sync()
			both[1].sync()
		}
		for i, d := range both {
			if other := both[1-i]; len(d.seen) != other.numbers {
				t.Errorf("%s has seen %d of %d", d.Name, len(d.seen), other.numbers)
			}
		}
		t.Logf("%d and %d messages", both[0].numbers, both[1].numbers)
	})
}
