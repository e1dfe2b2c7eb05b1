package group

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// newTown is a community of romeo's with groups, of which juliet and the nurse are members. Nothing follows from anything before conclude is called.
func newTown(t *testing.T, db *store.DB, groups ...string) (*Groups, *coretest.World, *coretest.Device) {
	t.Helper()
	w := coretest.New(t, db)
	g, err := New(t.Context(), DefaultConfig(), db, Siblings{}, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	g.Attach(w.Server)
	w.Add("juliet")
	w.Add("nurse")
	romeo := w.Bind("romeo", "a")
	done(t, romeo, "groups.localhost", pubsub("<create node='town'/><configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"+nodeConfig+
		"</value></field><field var='pubsub#type'><value>"+nsSpace+"</value></field><field var='pubsub#title'><value>Town</value></field></x></configure>"))
	for _, name := range groups {
		room := name + "@groups.localhost"
		romeo.Say("<presence to='" + room + "/romeo'><x xmlns='" + nsMUC + "'/></presence>")
		done(t, romeo, room, "<query xmlns='"+nsOwner+"'><x xmlns='jabber:x:data' type='submit'/></query>")
		done(t, romeo, room, "<query xmlns='"+nsAdmin+"'><item jid='juliet@localhost' affiliation='member'/><item jid='nurse@localhost' affiliation='admin'/></query>")
		done(t, romeo, "groups.localhost", pubsub("<publish node='town'><item id='"+room+"'><conference xmlns='"+nsBookmark+"'/></item></publish>"))
	}
	return g, w, romeo
}

func pubsub(inner string) string { return "<pubsub xmlns='" + nsPubSub + "'>" + inner + "</pubsub>" }

var asked atomic.Int64

// done has somebody ask for something that must not be refused.
func done(t *testing.T, by *coretest.Device, to, payload string) {
	t.Helper()
	id := fmt.Sprint("id='done", asked.Add(1), "'")
	by.Say("<iq type='set' " + id + " to='" + to + "'>" + payload + "</iq>")
	if answer := by.Hears("<iq ", id); !strings.Contains(answer, "type='result'") {
		t.Fatal(payload, answer)
	}
}

// conclude does all that follows.
func conclude(t *testing.T, g *Groups) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = g.concludeNext(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// members are those of a group, in memory and in the database.
func members(t *testing.T, g *Groups, name string) string {
	t.Helper()
	r, err := g.rooms.get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := g.db.Query(t.Context(), "select jid, affiliation from group_member where room = $1 order by jid", r.id)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for rows.Next() {
		var text string
		var as affiliation
		if err := rows.Scan(&text, &as); err != nil {
			t.Fatal(err)
		}
		jid := xmpp.MustJID(text)
		if in := r.stands(jid).affiliation; in != as {
			t.Errorf("%s: %s is %s in memory and %s in the database", name, jid, in, as)
		}
		all = append(all, jid.Local()+" "+as.String())
	}
	if len(all) != len(r.members) {
		t.Errorf("%s: %d in memory, %d in the database", name, len(r.members), len(all))
	}
	return strings.Join(all, ", ")
}

// TestWhatFollowsSurvives has somebody leave a community, and the server end before they are out of its groups: the next one takes them out.
func TestWhatFollowsSurvives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, w, romeo := newTown(t, db, "a", "b")
		conclude(t, g)
		juliet := w.Bind("juliet", "a")
		done(t, juliet, "groups.localhost", pubsub("<unsubscribe node='town' jid='juliet@localhost'/>"))
		if was := members(t, g, "a"); was != "juliet member, nurse admin, romeo owner" {
			t.Fatal("the test sees nothing follow: ", was)
		}
		done(t, romeo, "b@groups.localhost", "<query xmlns='"+nsAdmin+"'><item jid='juliet@localhost' affiliation='none'/></query>")
		done(t, romeo, "b@groups.localhost", "<query xmlns='"+nsAdmin+"'><item jid='juliet@localhost' affiliation='member'/></query>")

		next, err := New(t.Context(), DefaultConfig(), db, Siblings{}, coretest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		next.Attach(coretest.New(t, db).Server)
		ctx, end := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { over <- next.Run(ctx) }()
		until(t, func() bool {
			some, err := next.consequences(t.Context())
			return err == nil && len(some) == 0
		})
		end()
		if err := <-over; err != nil {
			t.Error(err)
		}
		for name, want := range map[string]string{"town": "juliet member, nurse member, romeo owner", "a": "nurse admin, romeo owner", "b": "juliet member, nurse admin, romeo owner"} {
			if got := members(t, next, name); got != want {
				t.Errorf("%s has %s, not %s", name, got, want)
			}
		}
	})
}

// until waits for what happens beside the test.
func until(t *testing.T, is func() bool) {
	t.Helper()
	look, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("it is not so after a minute")
		}
	}
}

// TestCommunityOfAClosedAccount closes the accounts of a community one after the other: it is handed on, and at last taken away with its groups.
func TestCommunityOfAClosedAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, w, _ := newTown(t, db, "a")
		conclude(t, g)
		for _, want := range []struct{ closed, town, a string }{
			{"romeo", "juliet owner, nurse member", "juliet member, nurse owner"},
			{"juliet", "nurse owner", "nurse owner"},
			{"nurse", "", ""},
		} {
			account := w.Add(want.closed)
			for more := true; more; {
				var err error
				if more, err = g.RemovePiece(t.Context(), account); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Tx(t.Context(), func(ctx context.Context) error { return g.remove(ctx, account) }); err != nil {
				t.Fatal(err)
			}
			conclude(t, g)
			if want.town == "" {
				continue
			}
			if town, a := members(t, g, "town"), members(t, g, "a"); town != want.town || a != want.a {
				t.Errorf("without %s there are %s, and in the group %s", want.closed, town, a)
			}
		}
		for _, table := range []string{"group_room", "group_child", "group_consequence", "group_entry", "group_member"} {
			var n int
			if err := db.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d rows are left, %v", table, n, err)
			}
		}
		if _, err := g.rooms.get(t.Context(), "town"); !errors.Is(err, errNoRoom) {
			t.Error(err)
		}
	})
}

// TestManyComeIntoACommunity adds a group of more people than come in with one entry.
func TestManyComeIntoACommunity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, w, romeo := newTown(t, db)
		const people = 2*maxTogether + 30
		romeo.Say("<presence to='a@groups.localhost/romeo'><x xmlns='" + nsMUC + "'/></presence>")
		done(t, romeo, "a@groups.localhost", "<query xmlns='"+nsOwner+"'><x xmlns='jabber:x:data' type='submit'/></query>")
		for n := 0; n < people; {
			var items strings.Builder
			for range min(maxItems, people-n) {
				w.Add(fmt.Sprint("n", n))
				fmt.Fprintf(&items, "<item jid='n%d@localhost' affiliation='member'/>", n)
				n++
			}
			done(t, romeo, "a@groups.localhost", "<query xmlns='"+nsAdmin+"'>"+items.String()+"</query>")
		}
		done(t, romeo, "groups.localhost", pubsub("<publish node='town'><item id='a@groups.localhost'><conference xmlns='"+nsBookmark+"'/></item></publish>"))
		var before, after int
		count := func(n *int) {
			if err := db.QueryRow(t.Context(), "select count(*) from group_entry e join group_room r on r.id = e.room where r.name = 'town'").Scan(n); err != nil {
				t.Fatal(err)
			}
		}
		count(&before)
		conclude(t, g)
		if count(&after); after-before != 3 {
			t.Errorf("%d people came with %d entries", people, after-before)
		}
		if in, want := strings.Count(members(t, g, "town"), " member"), people; in != want {
			t.Errorf("%d are in the community, not %d", in, want)
		}
	})
}

// strangers are who is in a group of a community without being in it, and seen is how many are in such groups.
func strangers(t *testing.T, db *store.DB) (all []string, seen int) {
	t.Helper()
	rows, err := db.Query(t.Context(), `select r.name, m.jid, coalesce((select p.affiliation from group_member p where p.room = c.community and p.jid = m.jid), 0)
		from group_child c join group_room r on r.id = c.room join group_member m on m.room = c.room and m.affiliation >= 1`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name, jid string
		var as affiliation
		if err := rows.Scan(&name, &jid, &as); err != nil {
			t.Fatal(err)
		}
		if seen++; as < member {
			all = append(all, jid+" in "+name)
		}
	}
	return all, seen
}

// owns is something that the owner of a community asks for: people in and out, groups in and out.
func owns(random *rand.Rand, room string) (to, payload string) {
	who, as := []string{"juliet", "nurse"}[random.IntN(2)], []string{"member", "none", "member"}[random.IntN(3)]
	if room == "town" && random.IntN(4) == 0 {
		as = "outcast"
	}
	switch item := "<item id='" + room + "@groups.localhost'>"; random.IntN(6) {
	case 0:
		return "groups.localhost", pubsub("<retract node='town'>" + item + "</item></retract>")
	case 1, 2:
		return "groups.localhost", pubsub("<publish node='town'>" + item + "<conference xmlns='" + nsBookmark + "'><extensions><group xmlns='" + NS + "' join='open'/></extensions></conference></item></publish>")
	}
	return room + "@groups.localhost", "<query xmlns='" + nsAdmin + "'><item jid='" + who + "@localhost' affiliation='" + as + "'/></query>"
}

// TestWhoeverIsInAGroupIsInItsCommunity has people come and go, and their owner add and ban them, add groups and take them out, all at once. When all that follows
// is done, nobody is in a group of the community without being in it, and memory has what the database has.
func TestWhoeverIsInAGroupIsInItsCommunity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, w, _ := newTown(t, db, "a", "b", "c")
		ctx, end := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { over <- g.Run(ctx) }()
		rooms := []string{"town", "a", "b", "c"}
		devices := map[string]*coretest.Device{"romeo": w.Bind("romeo", "1"), "romeo again": w.Bind("romeo", "2"), "juliet": w.Bind("juliet", "1"), "nurse": w.Bind("nurse", "1")}
		seen := 0
		for round := range 7 {
			var all sync.WaitGroup
			for name, by := range devices {
				random := rand.New(rand.NewPCG(uint64(round), uint64(len(name))))
				all.Go(func() {
					for n := range 8 {
						room := rooms[random.IntN(len(rooms))]
						to, payload := room+"@groups.localhost", "<query xmlns='"+nsRegister+"'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"+registerForm+
							"</value></field><field var='muc#register_roomnick'><value>"+name+"</value></field></x></query>"
						switch {
						case strings.HasPrefix(name, "romeo"):
							to, payload = owns(random, room)
						case random.IntN(4) == 0:
							to, payload = "groups.localhost", pubsub("<unsubscribe node='town' jid='"+name+"@localhost'/>")
						}
						id := fmt.Sprintf("id='%d-%d'", round, n)
						by.Say("<iq type='set' " + id + " to='" + to + "'>" + payload + "</iq>")
						by.Hears("<iq ", id)
					}
				})
			}
			all.Wait()
			until(t, func() bool {
				some, err := g.consequences(t.Context())
				return err == nil && len(some) == 0
			})
			who, more := strangers(t, db)
			if seen += more; len(who) > 0 {
				t.Fatalf("round %d: not in the community: %v", round, who)
			}
		}
		end()
		if err := <-over; err != nil {
			t.Error(err)
		}
		for _, room := range rooms {
			members(t, g, room)
		}
		if seen < 20 {
			t.Errorf("only %d were in the groups", seen)
		}
	})
}
