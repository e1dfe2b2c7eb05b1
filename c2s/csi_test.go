package c2s

import (
	"fmt"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// inactive is a session without a connection whose client has said that it is inactive.
func inactive(t *testing.T, cfg Config) *session {
	t.Helper()
	server := testServer(t)
	s := &session{door: &Door{cfg: cfg, server: server, resumable: map[string]*session{}}}
	begun, err := server.Bind(t.Context(), &core.Account{ID: 1, JID: xmpp.MustJID("a@localhost")}, xmpp.MustJID("a@localhost/b"), s)
	if err != nil {
		t.Fatal(err)
	}
	s.core = begun
	s.setInactive(true)
	return s
}

func presenceFrom(resource, status string) *xmpp.Stanza {
	st := &xmpp.Stanza{Kind: xmpp.Presence, From: xmpp.MustJID("c@localhost/" + resource)}
	return st.Add(xmpp.NewText(xmpp.NSClient, "status", status))
}

// A presence that takes the place of an earlier one takes its place in the count of bytes, too.
func TestReplacedIsNotCounted(t *testing.T) {
	s := inactive(t, DefaultConfig())
	for range maxHeld - 1 {
		s.core.Send(presenceFrom("x", strings.Repeat("y", 1000)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size > 2000 || s.count() != 1 {
		t.Errorf("%d bytes, %d deliveries", s.size, s.count())
	}
}

// What is held back for an inactive client counts like everything else that waits for it.
func TestHeldIsBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxQueueBytes = 1 << 16
	s := inactive(t, cfg)
	for i := range 2 * 64 {
		s.core.Send(presenceFrom(fmt.Sprint(i), strings.Repeat("y", 1000)))
	}
	s.door.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		t.Errorf("%d bytes wait, and the session goes on", s.size)
	}
}
