package c2s

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// bench is one session of a@localhost/b on a connection to a pipe, without a login.
type bench struct {
	door    *Door
	server  *core.Server
	session *session
	client  net.Conn
	acked   []string
	lost    []string
}

func newBench(t *testing.T) (*bench, *connection) {
	t.Helper()
	server := testServer(t)
	cfg := DefaultConfig()
	b := &bench{server: server, door: &Door{cfg: cfg, server: server, resumable: map[string]*session{}, limits: newLimits(cfg), life: t.Context(),
		log: quiet}}
	server.OnAcked(func(_ *core.Session, deliveries []core.Delivery) { b.acked = append(b.acked, names(deliveries)...) })
	server.OnLost(func(_ context.Context, _ *core.Session, deliveries []core.Delivery) {
		b.lost = append(b.lost, names(deliveries)...)
	})
	b.session = &session{door: b.door}
	begun, err := server.Bind(t.Context(), &core.Account{ID: 1, JID: xmpp.MustJID("a@localhost")}, xmpp.MustJID("a@localhost/b"), b.session)
	if err != nil {
		t.Fatal(err)
	}
	b.session.core = begun
	b.door.bound.Set(begun, b.session)
	c := b.connect()
	if err := b.session.attach(c); err != nil {
		t.Fatal(err)
	}
	return b, c
}

// connect makes a connection; what is written to it waits until client is read.
func (b *bench) connect() *connection {
	near, far := net.Pipe()
	b.client = far
	return &connection{door: b.door, stream: transport.NewServer(near, transport.Config{MaxSize: 1 << 16, WriteTimeout: time.Minute}),
		read: make(chan struct{}), halt: make(chan struct{}), login: &login{header: xmpp.Header{Lang: serverLang}},
		account: &core.Account{ID: 1, JID: xmpp.MustJID("a@localhost")}}
}

func names(deliveries []core.Delivery) (out []string) {
	for _, d := range deliveries {
		out = append(out, d.Stanza.ID)
	}
	return out
}

func (b *bench) send(id string, kept int64) {
	b.session.Send(core.Delivery{Stanza: &xmpp.Stanza{Kind: xmpp.Message, ID: id}, Bytes: []byte("<message id='" + id + "'/>"), Kept: kept})
}

func (b *bench) became(t *testing.T, acked, lost string) {
	t.Helper()
	if a, l := strings.Join(b.acked, " "), strings.Join(b.lost, " "); a != acked || l != lost {
		t.Errorf("acknowledged %q and lost %q, not %q and %q", a, l, acked, lost)
	}
	if n := b.door.queued.Load(); b.session.ended && n != 0 {
		t.Errorf("%d bytes are counted for nobody", n)
	}
}

// A session that another ends while something is written to it: what nobody has kept is not reported as lost when it could be written, for
// the client has it; what was kept is, for it comes again.
func TestEndedWhileWriting(t *testing.T) {
	for name, received := range map[string]bool{"received": true, "broken": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := newBench(t)
				b.send("kept", 7)
				b.send("passing", 0)
				synctest.Wait() // both are being written: the pipe takes nothing
				b.send("waits", 0)
				b.session.finish()
				b.became(t, "", "kept waits")
				if received {
					if _, err := io.ReadFull(b.client, make([]byte, len("<message id='kept'/><message id='passing'/>"))); err != nil {
						t.Fatal(err)
					}
				} else if err := b.client.Close(); err != nil {
					t.Fatal(err)
				}
				b.door.work.Wait()
				if received {
					b.became(t, "passing", "kept waits")
				} else {
					b.became(t, "", "kept waits passing")
				}
			})
		})
	}
}

// A stream that ends in order while something is written to it: first that is settled, so that nothing comes again that the client has.
func TestLeavesWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := newBench(t)
		b.send("1", 7)
		synctest.Wait()
		b.send("2", 8)
		left := make(chan struct{})
		go func() {
			defer close(left)
			c.leave(errClosed)
		}()
		synctest.Wait()
		b.became(t, "", "")
		if _, err := io.ReadFull(b.client, make([]byte, len("<message id='1'/>"))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.became(t, "1", "2")
		if err := b.client.Close(); err != nil {
			t.Fatal(err)
		}
		<-left
	})
}

// A session that is woken while the features are still being told that it sleeps is awake in the end, and they hear of it first.
func TestWokenWhileFallingAsleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, first := newBench(t)
		s := b.session
		s.managed.on, s.managed.id, s.managed.last = true, "id", time.Minute
		b.door.resumable["id"] = s
		b.server.OnLost(func(context.Context, *core.Session, []core.Delivery) { time.Sleep(time.Second) })
		told := false
		b.server.OnDormant(func(context.Context, *core.Session) { time.Sleep(time.Second); told = true })
		s.mu.Lock()
		s.loose = []core.Delivery{{Stanza: &xmpp.Stanza{Kind: xmpp.Message, ID: "early"}, Bytes: []byte("x"), Kept: 1}}
		s.size, first.failed = 1, true
		s.mu.Unlock()
		go s.sleep(first)
		synctest.Wait() // in OnLost
		second := b.connect()
		if !s.takeOver(second) {
			t.Fatal("the session cannot be woken")
		}
		if !told {
			t.Error("awake before the features have heard that it sleeps")
		}
		if err := s.goOn(second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if s.core.Dormant() {
			t.Error("a session that was woken counts as asleep")
		}
		if s.ended {
			t.Error("its alarm went off")
		}
		s.finish()
		second.abort()
		b.door.work.Wait()
	})
}

// What was put in the queue before stream management was turned on is not counted (XEP-0198 §3).
func TestEnableBehindOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := newBench(t)
		b.send("1", 0)
		synctest.Wait()
		b.send("2", 0)
		b.session.enableNow(xmpp.NewElement(nsSM, "enable"))
		b.send("3", 0)
		if _, err := io.ReadFull(b.client, make([]byte, len("<message id='1'/><message id='2'/><enabled xmlns='urn:xmpp:sm:3'/><message id='3'/><r xmlns='urn:xmpp:sm:3'/>"))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.became(t, "1 2", "")
		if err := b.session.acknowledge("1"); err != nil {
			t.Error(err)
		}
		b.became(t, "1 2 3", "")
		b.session.finish()
		c.abort()
		b.door.work.Wait()
	})
}

// The age of a queue's oldest is seen from one look to the next.
func TestOldestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := newBench(t)
		s := b.session
		s.managed.on = true
		look := func() time.Duration {
			time.Sleep(10 * time.Second)
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.oldest(time.Now())
		}
		if age := look(); age != 0 {
			t.Errorf("nothing is %v old", age)
		}
		go io.Copy(io.Discard, b.client)
		b.send("1", 0)
		b.send("2", 0)
		for i, want := range []time.Duration{0, 10 * time.Second, 20 * time.Second} {
			if age := look(); age != want {
				t.Errorf("look %d: %v old, not %v", i, age, want)
			}
		}
		if err := s.acknowledge("1"); err != nil {
			t.Fatal(err)
		}
		if age := look(); age != 0 {
			t.Errorf("the second is %v old when it is first seen to be the oldest", age)
		}
		if age := look(); age != 10*time.Second {
			t.Errorf("the second is %v old", age)
		}
		s.finish()
		c.abort()
		b.door.work.Wait()
	})
}

// A silent client is asked, and sleeps when it does not answer.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, c := newBench(t)
		s := b.session
		s.managed.on, s.managed.id, s.managed.last = true, "id", time.Hour
		b.door.resumable["id"] = s
		says := func(text string) {
			if _, err := io.WriteString(b.client, text); err != nil {
				t.Error(err)
			}
		}
		go says("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
		if event, err := c.stream.Next(); err != nil || event.Kind != transport.Open {
			t.Fatalf("%+v, %v", event, err)
		}
		asleep := false
		b.server.OnDormant(func(context.Context, *core.Session) { asleep = true })
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.leave(c.serve())
		}()
		var silent time.Time
		for n := range 2 {
			silent = time.Now()
			text := make([]byte, len("<r xmlns='urn:xmpp:sm:3'/>"))
			if _, err := io.ReadFull(b.client, text); err != nil || string(text) != "<r xmlns='urn:xmpp:sm:3'/>" || time.Since(silent) != b.door.cfg.IdleTimeout {
				t.Fatalf("after %v came %s, %v", time.Since(silent), text, err)
			}
			if n == 0 {
				says("<a xmlns='urn:xmpp:sm:3' h='0'/>")
			}
		}
		<-ended
		if took := time.Since(silent); !asleep || took != b.door.cfg.IdleTimeout+b.door.cfg.AnswerTimeout {
			t.Errorf("without an answer it sleeps: %v, after %v", asleep, took)
		}
		s.finish()
		b.door.work.Wait()
	})
}

// A feature that panics when it hears of an acknowledgement ends that connection alone.
func TestPanicWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBench(t)
		b.server.OnAcked(func(*core.Session, []core.Delivery) { panic("on purpose") })
		b.send("1", 0)
		text, err := io.ReadAll(b.client)
		if string(text) != "<message id='1'/>" || err != nil {
			t.Errorf("got %q, %v", text, err)
		}
		b.door.work.Wait()
		b.session.finish()
	})
}

// TestLostInGroup puts what was said in a group into the queue of a session that has ended: whoever tells it to many does not wait for what the loss brings about.
func TestLostInGroup(t *testing.T) {
	b, _ := newBench(t)
	told, looked := make(chan string), make(chan struct{})
	b.server.OnLost(func(_ context.Context, _ *core.Session, lost []core.Delivery) {
		<-looked
		told <- lost[0].Stanza.ID
	})
	b.session.finish()
	b.session.Send(core.Delivery{Stanza: &xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", ID: "said"}, Bytes: []byte("<message/>")})
	close(looked)
	if id := <-told; id != "said" {
		t.Errorf("%q was lost", id)
	}
	b.door.work.Wait()
}
