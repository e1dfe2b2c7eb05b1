package c2s_test

import (
	"strings"
	"testing"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// What waits for a session without a connection has narrower limits; beyond them the session ends and what it had not is lost, in order.
func TestDormantSessionsAreBounded(t *testing.T) {
	for name, limit := range map[string]func(*c2s.Config){
		"stanzas": func(cfg *c2s.Config) { cfg.MaxDormant = 3 },
		"bytes":   func(cfg *c2s.Config) { cfg.MaxDormantBytes = 36_000 },
		"total":   func(cfg *c2s.Config) { cfg.MaxDormantTotal = 1 << 16 }, // mercutio takes half of it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatcher()
			s := palabretest.Start(t, storetest.SQLite, with(w), palabretest.Door(limit))
			romeo, juliet, mercutio := s.Login(t, "romeo"), s.Login(t, "juliet"), s.Login(t, "mercutio")
			say := func(to, id string) {
				romeo.Send("<message type='chat' to='" + to + "@localhost/home' id='" + id + "'><body>" + strings.Repeat("x", 10_000) + "</body></message>")
				romeo.Silent()
			}
			manage(juliet)
			mercutio.Send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
			mercutio.Expect(sm, "enabled")
			mercutio.Drop()
			w.hears(t, "mercutio@localhost/home sleeps")
			say("mercutio", "m1")
			say("mercutio", "m2")
			if name == "total" {
				say("mercutio", "m3")
			}
			say("juliet", "1")
			juliet.Expect(xmpp.NSClient, "message")
			juliet.Drop()
			w.hears(t, "juliet@localhost/home sleeps")
			say("juliet", "2")
			say("juliet", "3")
			romeo.Send("<message type='chat' to='juliet@localhost/home' id='4'><body>" + strings.Repeat("x", 10_000) + "</body></message>")
			w.hears(t, "juliet@localhost/home ends")
			w.until(t, "lost", func() bool { return strings.Join(w.lost, " ") == "1 2 3 4" })
			if s.Core.Session(xmpp.MustJID("mercutio@localhost/home")) == nil {
				t.Error("a session within the limits ended as well")
			}
			romeo.Until()
			say("mercutio", "last") // there is room again
		})
	}
}
