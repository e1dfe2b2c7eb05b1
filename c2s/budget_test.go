package c2s_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

type noRoster struct{}

func (noRoster) Has(context.Context, *core.Account, xmpp.JID) (bool, error) { return false, nil }

// available lets sessions take messages for the bare address.
type available struct{}

func (available) Attach(s *core.Server) {
	s.HandlePresence(func(_ context.Context, t *core.Transit) error {
		t.Via.SetPresence(t.Stanza, 0)
		return nil
	})
}

// When too much waits for all sessions together, the one for which most waits is told so and ends; the others go on, nobody who sends waits,
// and what was kept for it is there when it comes back, once and in order.
func TestAllQueuesAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWatcher()
		s := palabretest.StartOn(t, db, with(w), with(available{}), palabretest.With(func(s *palabretest.Server) (any, error) {
			return archive.New(s.Context, archive.DefaultConfig(), s.DB, noRoster{}, s.Log)
		}), palabretest.Door(func(cfg *c2s.Config) { cfg.MaxQueueBytes, cfg.MaxQueueTotal = 1<<16, 1<<16 }))
		romeo, juliet, nurse := s.Login(t, "romeo"), s.Login(t, "juliet"), s.Login(t, "nurse")
		for _, p := range []*palabretest.Person{juliet, nurse} { // neither acknowledges what it gets
			manage(p)
			p.Send("<presence/>")
			p.Silent()
		}
		say := func(to string, n, size int) {
			romeo.Send(fmt.Sprintf("<message type='chat' to='%s@localhost' id='%d'><body>%s</body></message>", to, n, strings.Repeat("x", size)))
			romeo.Silent()
		}
		say("nurse", 0, 20_000)
		for i := range 3 {
			say("juliet", i, 20_000)
		}
		w.hears(t, "juliet@localhost/home ends")
		end := juliet.Receive()
		for !end.Is(xmpp.NSStream, "error") {
			end = juliet.Receive()
		}
		if end.Child(xmpp.NSStreams, "resource-constraint") == nil {
			t.Errorf("got %s", end)
		}
		say("juliet", 3, 1)
		say("nurse", 1, 1)
		for i := range 2 {
			e := nurse.Receive()
			for e.Is(sm, "r") {
				e = nurse.Receive()
			}
			if e.Attr("id") != fmt.Sprint(i) {
				t.Errorf("got %s", e)
			}
		}
		nurse.Close()
		w.hears(t, "nurse@localhost/home ends")
		juliet = s.Login(t, "juliet")
		juliet.Send("<presence/>")
		for i := range 4 {
			if e := juliet.Expect(xmpp.NSClient, "message"); e.Attr("id") != fmt.Sprint(i) {
				t.Errorf("got %s", e)
			}
		}
		juliet.Silent()
		if len(romeo.Until()) != 0 {
			t.Error("the sender was told of what is kept")
		}
	})
}

// An app without stream management takes a message and goes at once: its sender is told nothing, whether the message is kept or not, and what
// the app had does not come again.
func TestGoesAtOnce(t *testing.T) {
	w := newWatcher()
	s := palabretest.Start(t, storetest.SQLite, with(w), with(available{}), palabretest.With(func(s *palabretest.Server) (any, error) {
		return archive.New(s.Context, archive.DefaultConfig(), s.DB, noRoster{}, s.Log)
	}))
	romeo := s.Login(t, "romeo")
	for i := range 50 {
		juliet := s.Login(t, "juliet")
		juliet.Send("<presence/>")
		juliet.Silent()
		text := message("juliet@localhost/home", fmt.Sprint(i))
		if i%2 == 0 {
			text = strings.Replace(text, "</message>", "<no-store xmlns='urn:xmpp:hints'/></message>", 1)
		}
		romeo.Send(text)
		if e := juliet.Expect(xmpp.NSClient, "message"); e.Attr("id") != fmt.Sprint(i) {
			t.Fatalf("got %s", e)
		}
		juliet.Close()
		w.until(t, "ends", func() bool { return strings.Count(strings.Join(w.events, "\n"), "juliet@localhost/home ends") == i+1 })
	}
	romeo.Silent()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lost) > 0 {
		t.Errorf("%q are said to be lost", w.lost)
	}
}

// faulty is a feature with a mistake in every place where the door lets features in.
type faulty struct{}

func (faulty) Attach(s *core.Server) {
	s.HandleIQ(core.AtServer, "urn:test", "panic", func(context.Context, *core.Request) (*xmpp.Element, error) { panic("on purpose") })
	s.Tell(core.Received, func(_ context.Context, t *core.Transit) {
		if t.Stanza.ID == "panic" {
			panic("on purpose")
		}
	})
	s.OnBind(func(_ context.Context, session *core.Session) {
		if session.JID.Resource() == "panic" {
			panic("on purpose")
		}
	})
	s.OnUnbind(func(_ context.Context, session *core.Session) {
		if session.JID.Local() == "mercutio" {
			panic("on purpose")
		}
	})
}

// A mistake of a feature ends the session that it meets, and no other; nothing is left of that session.
func TestPanicEndsOneSession(t *testing.T) {
	w := newWatcher()
	s := palabretest.Start(t, storetest.SQLite, with(faulty{}), with(w))
	romeo, juliet, mercutio := s.Login(t, "romeo"), s.Login(t, "juliet"), s.Login(t, "mercutio")
	ended := func(p *palabretest.Person) {
		t.Helper()
		if e := p.Receive(); e.Child(xmpp.NSStreams, "internal-server-error") == nil {
			t.Errorf("got %s", e)
		}
		p.Closed()
	}
	romeo.Send("<iq type='get' id='1' to='localhost'><panic xmlns='urn:test'/></iq>")
	ended(romeo)
	w.hears(t, "romeo@localhost/home ends")
	romeo = s.Person(t, "romeo/panic")
	romeo.Authenticate(palabretest.Auth{Mechanism: "PLAIN"})
	romeo.Open()
	romeo.Send("<iq type='set' id='bind'><bind xmlns='" + xmpp.NSBind + "'><resource>panic</resource></bind></iq>")
	ended(romeo)
	mercutio.Drop() // and the end itself fails
	romeo = s.Login(t, "romeo")
	romeo.Send("<message to='juliet@localhost/home' id='panic'><body>hello</body></message>")
	if e := juliet.Expect(xmpp.NSClient, "message"); e.Attr("id") != "panic" {
		t.Errorf("got %s", e)
	}
	romeo.Send(message("juliet@localhost/home", "2"))
	if e := juliet.Expect(xmpp.NSClient, "message"); e.Attr("id") != "2" {
		t.Errorf("got %s", e)
	}
	if e := romeo.Expect(xmpp.NSClient, "message"); e.Attr("id") != "panic" || e.Attr("type") != "error" {
		t.Errorf("got %s", e)
	}
	romeo.Silent()
	for s.Core.CountSessions() != 2 { // that mercutio's has ended cannot be heard
		romeo.Silent()
	}
}
