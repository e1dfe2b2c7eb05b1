package c2s_test

import (
	"context"
	"sync/atomic"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// slow is a feature that takes its time over messages, and tells when a session has ended.
type slow struct {
	began, release, ended chan struct{}
	handled               atomic.Bool
}

func (f *slow) Attach(s *core.Server) {
	s.Check(core.Sent, func(_ context.Context, t *core.Transit) error {
		if t.Stanza.Kind == xmpp.Message {
			close(f.began)
			<-f.release
			f.handled.Store(true)
		}
		return nil
	})
	s.OnUnbind(func(_ context.Context, session *core.Session) {
		if session.Account.JID.Local() == "romeo" && !f.handled.Load() {
			close(f.ended)
		}
	})
}

const sameClient = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/><bind xmlns='urn:xmpp:bind:0'/>"

func plain(inline string) palabretest.Auth {
	return palabretest.Auth{Mechanism: "PLAIN", SASL2: true, Inline: inline}
}

// A client that begins anew looks into its archive for what it does not know the fate of, and sends again what it does not find. So its new session
// must not begin before all that the old one sent is handled: it would be there twice.
func TestNewSessionWaitsForTheOldOne(t *testing.T) {
	f := &slow{began: make(chan struct{}), release: make(chan struct{}), ended: make(chan struct{})}
	s := palabretest.Start(t, storetest.SQLite, with(f))
	first, second, juliet := s.Person(t, "romeo"), s.Person(t, "romeo"), s.Person(t, "juliet")
	juliet.Login()
	first.Authenticate(plain(sameClient))
	first.Expect(xmpp.NSStream, "features")
	first.Send(message("juliet@localhost", "m1"))
	<-f.began
	second.Connect()
	done := make(chan bool)
	go func() {
		second.Authenticate(plain(sameClient))
		done <- f.handled.Load()
	}()
	<-f.ended
	for range 3 { // time in which the new session could begin
		juliet.Send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
		juliet.Expect(xmpp.NSClient, "iq")
	}
	close(f.release)
	if !<-done {
		t.Error("the new session began before the old one's message was handled")
	}
}

// Of two connections of one client, the later one counts, whichever of them comes to the end of its login first: the other was given up.
func TestLateLoginOfAnEarlierConnection(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	earlier, later := s.Person(t, "romeo"), s.Person(t, "romeo")
	earlier.Connect()
	later.Connect()
	later.Authenticate(plain(sameClient))
	later.Expect(xmpp.NSStream, "features")
	if e := earlier.Authenticate(plain(sameClient)); !e.Is(xmpp.NSStream, "error") || e.Child(xmpp.NSStreams, "conflict") == nil {
		t.Errorf("the earlier connection got %s", e)
	}
	later.Send("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
	later.Expect(xmpp.NSClient, "iq")
}
