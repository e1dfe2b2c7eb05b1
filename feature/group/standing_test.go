package group

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/core/rate"
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
	case <-time.After(time.Minute):
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

// TestDeclineTellsNothing has strangers decline what nobody has invited them to: they do not find out by it who is in the group.
func TestDeclineTellsNothing(t *testing.T) {
	decline := func(d *coretest.Device, id, to string) string {
		d.Say("<message id='" + id + "' to='" + yard + "'><x xmlns='" + nsUser + "'><decline to='" + to + "@localhost'/></x></message>")
		return strings.Join(d.Heard(), "")
	}
	w, romeo, juliet := newCourt(t)
	nurse := w.Bind("nurse", "a")
	if is, isNot := decline(nurse, "d", "juliet"), decline(nurse, "d", "abram"); is != isNot || is == "" {
		t.Errorf("of a private group a stranger hears %s, or %s", is, isNot)
	}
	if heard := juliet.Heard(); slices.ContainsFunc(heard, func(text string) bool { return strings.Contains(text, "<decline") }) {
		t.Errorf("juliet heard %q", heard)
	}
	romeo.Say("<iq type='set' id='o' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_membersonly'><value>0</value></field></x></query></iq>")
	if is, isNot := decline(nurse, "d", "juliet"), decline(nurse, "d", "abram"); is != isNot || is != "" {
		t.Errorf("of an open group a stranger hears %s, or %s", is, isNot)
	}
}

// TestLargeSubject says a subject in a message that is large for other reasons, and gives a long one for taking a message away.
func TestLargeSubject(t *testing.T) {
	_, romeo, _ := newCourt(t)
	romeo.Say("<message type='groupchat' id='large' to='" + yard + "'><subject>b</subject><x xmlns='urn:x'>" + strings.Repeat("x", maxSubjectBytes) + "</x></message>")
	romeo.Hears("type='error'", "id='large'", "not-acceptable")
	romeo.Say("<message type='groupchat' id='small' to='" + yard + "'><subject>b</subject></message>")
	_, id, _ := strings.Cut(romeo.Hears("<subject>b", "after='"), "stanza-id")
	_, id, _ = strings.Cut(id, "id='")
	id, _, _ = strings.Cut(id, "'")
	romeo.Say("<iq type='set' id='long' to='" + yard + "'><moderate xmlns='" + nsModerate + "' id='" + id + "'><retract xmlns='" + nsRetract + "'/><reason>" + strings.Repeat("x", maxReason+1) + "</reason></moderate></iq>")
	romeo.Hears("type='error'", "id='long'", "not-acceptable")
}

func TestLookalikes(t *testing.T) {
	for _, like := range []string{"Ju\u04cfiet", "Juliet\u2800", "JULIET", "ju|iet", "J\u057dliet", "Juli\u0435t"} {
		if likeness(like) != likeness("Juliet") {
			t.Errorf("%q is taken for somebody else than Juliet", like)
		}
	}
	for _, other := range []string{"Juliette", "Julie", "Mercutio"} {
		if likeness(other) == likeness("Juliet") {
			t.Errorf("%q is taken for Juliet", other)
		}
	}
}

// TestMistakeInWhatFollows has what follows from changes panic once: it is done all the same, and the process goes on.
func TestMistakeInWhatFollows(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	g, _ := newYard(t, db, nil)
	r, err := g.rooms.get(t.Context(), "yard")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	g.now = func() time.Time {
		if asked.Add(1) == 1 {
			panic("on purpose")
		}
		return time.Now()
	}
	if err := db.Tx(t.Context(), func(ctx context.Context) error {
		return g.follows(ctx, departs, r.id, xmpp.MustJID("nobody@localhost"), xmpp.MustJID("romeo@localhost"))
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer run.Wait()
	defer cancel()
	for n := 1; n > 0; {
		if err := db.QueryRow(t.Context(), "select count(*) from group_consequence").Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() < 2 {
		t.Error("nothing went wrong")
	}
}

// TestManyStrangers invites more people than one may who does not know them.
func TestManyStrangers(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	w := coretest.New(t, db)
	g, err := New(t.Context(), DefaultConfig(), db, Siblings{Contacts: nobodys{}}, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	g.Attach(w.Server)
	g.strangers = rate.New[xmpp.JID](2, time.Hour)
	romeo := w.Bind("romeo", "a")
	romeo.Say("<presence to='" + yard + "/romeo'><x xmlns='" + nsMUC + "'/></presence>")
	romeo.Say("<iq type='set' id='c' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	for i, name := range []string{"juliet", "juliet", "nurse", "abram", "benvolio"} {
		w.Add(name)
		if done := stand(romeo, "add-"+strconv.Itoa(i), name, "member"); done != (i < 3) {
			t.Errorf("%s: %v", name, done)
		}
	}
}

// nobodys are contacts that nobody has.
type nobodys struct{}

func (nobodys) Listed(context.Context, *core.Account, xmpp.JID) (bool, error) { return false, nil }

// TestAskingAgain has somebody ask to be let in again and again: administrators hear of it once.
func TestAskingAgain(t *testing.T) {
	w, romeo, _ := newCourt(t)
	w.HandlePresence(func(_ context.Context, tr *core.Transit) error { tr.Via.SetPresence(tr.Stanza, 0); return nil })
	romeo.Say("<presence/>")
	romeo.Say("<iq type='set' id='o' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'><field var='" + NS + "#approve'><value>1</value></field></x></query></iq>")
	nurse, heard := w.Bind("nurse", "a"), 0
	for range 3 {
		nurse.Say("<iq type='set' id='r' to='" + yard + "'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + registerForm +
			"</value></field><field var='muc#register_roomnick'><value>Angelica</value></field></x></query></iq>")
		nurse.Hears("<iq ", "type='result'")
	}
	for _, text := range romeo.Heard() {
		if strings.Contains(text, "muc#register_allow") {
			heard++
		}
	}
	if heard != 1 {
		t.Errorf("romeo heard of it %d times", heard)
	}
}

// TestLostTheRoom has an app that is in no room say how it is there: it is told that it is not, and does not come in.
func TestLostTheRoom(t *testing.T) {
	romeo, juliet := newSquare(t)
	juliet.Say("<presence type='unavailable' to='" + yard + "/juliet'/>")
	juliet.Heard()
	romeo.Heard()
	juliet.Say("<presence to='" + yard + "/juliet'><show>away</show></presence>")
	juliet.Hears("type='unavailable'", "from='"+yard+"/juliet'", "'110'", "'307'", "'333'")
	romeo.Silent("juliet")
}
