package group

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// TestBannedStaysBanned has somebody who was banned say that they are nothing worse than nobody.
func TestBannedStaysBanned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, all := newYard(t, db, map[string]string{"juliet": "member"})
		if !stand(all["romeo"], "ban", "juliet", "outcast") {
			t.Fatal("could not ban")
		}
		if stand(all["juliet"], "back", "juliet", "none") {
			t.Error("juliet was let do it")
		}
		if memory, stored := inYard(t, g, "juliet"); memory != outcast || stored != outcast {
			t.Errorf("juliet is %s in memory and %s in the database", memory, stored)
		}
	})
}

// TestCrowdedMemory loads more groups than are kept in memory: who asks for one that was loaded a moment ago gets the same one, since two of the same
// group would each go on with the log by itself.
func TestCrowdedMemory(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	g, _ := newYard(t, db, nil)
	g.rooms.limit = 0
	g.rooms.drop("yard", g.rooms.all["yard"])
	for range 20 {
		first, err := g.rooms.get(t.Context(), "yard")
		if err != nil {
			t.Fatal(err)
		}
		second, err := g.rooms.get(t.Context(), "yard")
		if err != nil {
			t.Fatal(err)
		}
		if first != second {
			t.Fatal("the group is there twice")
		}
	}
}

// TestForgetWhileChanging looks for groups to forget while somebody becomes a member of one: neither waits for the other.
func TestForgetWhileChanging(t *testing.T) {
	g, _ := newYard(t, storetest.Open(t, storetest.SQLite), nil)
	g.rooms.limit = 0
	r, err := g.rooms.get(t.Context(), "yard")
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		for range 5000 {
			g.rooms.shrink()
		}
	})
	both.Go(func() {
		for range 5000 {
			r.mu.Lock()
			g.rooms.attendingSessions(xmpp.MustJID("juliet@localhost"))
			r.mu.Unlock()
		}
	})
	done := make(chan struct{})
	go func() { both.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("they wait for each other")
	}
}

// TestEndedWhileComing ends a session while it comes into a group, as another one does that takes its address: nobody is left behind in the group.
func TestEndedWhileComing(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	g, all := newYard(t, db, map[string]string{"juliet": "member"})
	r, err := g.rooms.get(t.Context(), "yard")
	if err != nil {
		t.Fatal(err)
	}
	juliet := all["juliet"]
	juliet.Leave()
	juliet.Say("<presence to='" + yard + "/juliet'><x xmlns='" + nsMUC + "'/></presence>")
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.attending) != 1 || len(r.occupants) != 1 {
		t.Errorf("%d attend and %d are there", len(r.attending), len(r.occupants))
	}
}

// newSquare is a group of romeo's that is open to all, with juliet there.
func newSquare(t *testing.T) (romeo, juliet *coretest.Device) {
	db := storetest.Open(t, storetest.SQLite)
	w := coretest.New(t, db)
	cfg := DefaultConfig()
	cfg.OpenByDefault = true
	g, err := New(t.Context(), cfg, db, Siblings{}, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	g.Attach(w.Server)
	romeo, juliet = w.Bind("romeo", "a"), w.Bind("juliet", "a")
	romeo.Say("<presence to='" + yard + "/romeo'><x xmlns='" + nsMUC + "'/></presence>")
	romeo.Say("<iq type='set' id='c' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	juliet.Say("<presence to='" + yard + "/juliet'><x xmlns='" + nsMUC + "'/></presence>")
	romeo.Heard()
	juliet.Heard()
	return romeo, juliet
}

// TestErrorFromApp has an app send an error: it has left, and what it sent is passed on to nobody.
func TestErrorFromApp(t *testing.T) {
	romeo, juliet := newSquare(t)
	juliet.Say("<message type='error' id='e' to='" + yard + "'><body>secret</body><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
	heard := romeo.Hears("<presence", "/juliet'")
	if !strings.Contains(heard, "type='unavailable'") || strings.Contains(heard, "secret") {
		t.Errorf("romeo heard %s", heard)
	}
}

// TestLastMemberLeaves has the only member of an open group leave it while a visitor is there: the visitor is told that it is no more.
func TestLastMemberLeaves(t *testing.T) {
	romeo, juliet := newSquare(t)
	if !stand(romeo, "go", "romeo", "none") {
		t.Fatal("romeo could not leave")
	}
	heard := juliet.Heard()
	if !slices.ContainsFunc(heard, func(text string) bool {
		return strings.Contains(text, "<destroy") && strings.Contains(text, "unavailable")
	}) {
		t.Errorf("juliet heard %q", heard)
	}
}
