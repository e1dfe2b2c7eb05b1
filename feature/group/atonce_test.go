package group

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

const yard = "yard@groups.localhost"

// newYard is a group of romeo's with these affiliations for others, who are all online.
func newYard(t *testing.T, db *store.DB, others map[string]string) (*Groups, map[string]*coretest.Device) {
	w := coretest.New(t, db)
	g, err := New(t.Context(), DefaultConfig(), db, Siblings{}, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	g.Attach(w.Server)
	all := map[string]*coretest.Device{"romeo": w.Bind("romeo", "a")}
	all["romeo"].Say("<presence to='" + yard + "/romeo'><x xmlns='" + nsMUC + "'/></presence>")
	all["romeo"].Say("<iq type='set' id='c' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	for name, as := range others {
		all[name] = w.Bind(name, "a")
		if !stand(all["romeo"], "add-"+name, name, as) {
			t.Fatal("could not add " + name)
		}
		all[name].Say("<presence to='" + yard + "/" + name + "'><x xmlns='" + nsMUC + "'/></presence>")
	}
	return g, all
}

// stand has somebody change how another one stands with the yard, and reports whether that was done.
func stand(by *coretest.Device, id, who, as string) bool {
	by.Say("<iq type='set' id='" + id + "' to='" + yard + "'><query xmlns='" + nsAdmin + "'><item jid='" + who + "@localhost' affiliation='" + as + "'/></query></iq>")
	return strings.Contains(by.Hears("<iq ", "id='"+id+"'"), "type='result'")
}

// inYard is how somebody stands with the yard in memory and in the database.
func inYard(t *testing.T, g *Groups, name string) (memory, stored affiliation) {
	t.Helper()
	r, err := g.rooms.get(t.Context(), "yard")
	if err != nil {
		t.Fatal(err)
	}
	jid := xmpp.MustJID(name + "@localhost")
	s, err := g.readStanding(t.Context(), r, jid)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stands(jid).affiliation, s.affiliation
}

// TestDemoteEachOther has two owners make each other plain members at the same moment, again and again: one of them does it, the other one is
// refused, and memory holds what the database does.
func TestDemoteEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, all := newYard(t, db, map[string]string{"juliet": "owner"})
		for round := range 50 {
			var done [2]bool
			var both sync.WaitGroup
			for i, names := range [2][2]string{{"romeo", "juliet"}, {"juliet", "romeo"}} {
				both.Go(func() { done[i] = stand(all[names[0]], fmt.Sprintf("r%d", round), names[1], "member") })
			}
			both.Wait()
			if done[0] == done[1] {
				t.Fatalf("round %d: %v were done", round, done)
			}
			winner, loser := "romeo", "juliet"
			if done[1] {
				winner, loser = loser, winner
			}
			for name, want := range map[string]affiliation{winner: owner, loser: member} {
				if memory, stored := inYard(t, g, name); memory != want || stored != want {
					t.Fatalf("round %d: %s is %s in memory and %s in the database, not %s", round, name, memory, stored, want)
				}
			}
			if !stand(all[winner], fmt.Sprintf("b%d", round), loser, "owner") {
				t.Fatal("could not make them an owner again")
			}
		}
	})
}

// TestRemovedWhileSending takes a member out while they write: what was not refused is in the log, and nothing of theirs comes after the removal.
func TestRemovedWhileSending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const messages = 40
		g, all := newYard(t, db, map[string]string{"juliet": "member"})
		all["juliet"].Heard()
		var both sync.WaitGroup
		both.Go(func() {
			for i := range messages {
				all["juliet"].Say(fmt.Sprintf("<message type='groupchat' to='%s' id='m%d'><body>%d</body></message>", yard, i, i))
			}
		})
		both.Go(func() { stand(all["romeo"], "out", "juliet", "none") })
		both.Wait()
		refused := 0
		for _, text := range all["juliet"].Heard() {
			if strings.Contains(text, "<message") && strings.Contains(text, "type='error'") {
				refused++
			}
		}
		r, err := g.rooms.get(t.Context(), "yard")
		if err != nil {
			t.Fatal(err)
		}
		var kept, late int
		if err := db.QueryRow(t.Context(), "select count(*), coalesce(sum(case when id > $1 then 1 else 0 end), 0) from group_entry where room = $2 and kind = $3 and author = 'juliet@localhost'",
			r.version, r.id, int64(saidEntry)).Scan(&kept, &late); err != nil {
			t.Fatal(err)
		}
		if kept+refused != messages || late != 0 {
			t.Errorf("%d kept and %d refused of %d; %d after the removal", kept, refused, messages, late)
		}
	})
}

// TestFullGroup has ten people come by one link for three into a group that has room for two more.
func TestFullGroup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cfg := DefaultConfig()
		cfg.MaxMembers = 3
		g, err := New(t.Context(), cfg, db, Siblings{}, coretest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		g.Attach(w.Server)
		romeo := w.Bind("romeo", "a")
		romeo.Say("<presence to='" + yard + "/romeo'><x xmlns='" + nsMUC + "'/></presence>")
		romeo.Say("<iq type='set' id='c' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
		romeo.Say("<iq type='set' id='l' to='" + yard + "'><link xmlns='" + NS + "' uses='3'/></iq>")
		_, token, _ := strings.Cut(romeo.Hears("<iq ", "id='l'", "token='"), "token='")
		token, _, _ = strings.Cut(token, "'")
		var all sync.WaitGroup
		var in [10]bool
		for i := range in {
			d := w.Bind(fmt.Sprintf("p%d", i), "a")
			all.Go(func() {
				d.Say("<iq type='set' id='j' to='" + yard + "'><join xmlns='" + NS + "' token='" + token + "'/></iq>")
				in[i] = strings.Contains(d.Hears("<iq ", "id='j'"), "type='result'")
			})
		}
		all.Wait()
		n := 0
		for _, ok := range in {
			if ok {
				n++
			}
		}
		var stored int
		if err := db.QueryRow(t.Context(), "select count(*) from group_member").Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if n != 2 || stored != 3 {
			t.Errorf("%d came in, %d are members", n, stored)
		}
	})
}
