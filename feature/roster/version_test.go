package roster

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

var verOf = regexp.MustCompile(`ver='(\d+)'`)

func set(jid, rest string) string {
	return `<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='` + jid + `' ` + rest + `/></query></iq>`
}

func since(ver string) string {
	return `<iq type='get' id='g'><query xmlns='jabber:iq:roster' ver='` + ver + `'/></iq>`
}

func TestVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo := w.Bind("romeo", "orchard")
		romeo.Say(since(""))
		first := romeo.Heard()
		expect(t, first, `<query xmlns='jabber:iq:roster' ver='0'/>`)
		romeo.Say(set("a@far.example", "name='A'"))
		push := romeo.Heard()[0]
		ver := verOf.FindStringSubmatch(push)[1]

		phone := w.Bind("romeo", "phone")
		phone.Say(since(ver))
		expect(t, phone.Heard(), `<iq type='result' from='romeo@localhost' to='romeo@localhost/phone' id='g'/>`)

		romeo.Say(set("b@far.example", ""))
		romeo.Say(set("a@far.example", "subscription='remove'"))
		expect(t, phone.Heard(), `b@far.example`, `a@far.example' subscription='remove'`)
		laptop := w.Bind("romeo", "laptop")
		laptop.Say(since(ver))
		got := laptop.Heard()
		expect(t, got, `<iq type='result'`, `jid='b@far.example' subscription='none'`, `jid='a@far.example' subscription='remove'`)
		laptop.Say(since(verOf.FindStringSubmatch(got[2])[1]))
		expect(t, laptop.Heard(), `id='g'/>`)

		for _, unknown := range []string{"x", "99999999999999999", "-5"} {
			laptop.Say(since(unknown))
			expect(t, laptop.Heard(), `<item jid='b@far.example' subscription='none'/></query>`)
		}
		laptop.Say(`<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>`)
		expect(t, laptop.Heard(), `<query xmlns='jabber:iq:roster'><item jid='b@far.example'`)
	})
}

// TestChangesAreForgottenInTheEnd removes more contacts than are remembered: old versions then get the whole roster.
func TestChangesAreForgottenInTheEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo := w.Bind("romeo", "orchard")
		romeo.Say(since(""))
		romeo.Say(set("old@far.example", ""))
		heard := romeo.Heard()
		old := verOf.FindStringSubmatch(heard[1])[1]
		for i := range maxRemoved + 1 {
			jid := fmt.Sprintf("c%d@far.example", i)
			romeo.Say(set(jid, ""))
			romeo.Say(set(jid, "subscription='remove'"))
		}
		n, err := w.count(t.Context(), romeo.Account.ID, gone)
		if err != nil || n < maxRemoved/3 || n > maxRemoved {
			t.Fatal(n, err)
		}
		romeo.Heard()
		romeo.Say(since(old))
		expect(t, romeo.Heard(), `<item jid='old@far.example' subscription='none'/></query>`)
	})
}

func TestRosterOutlivesTheServer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo := w.online("romeo", "orchard")
		romeo.Say(set("juliet@far.example", "name='J'"))
		romeo.Say(`<presence type='subscribe' to='juliet@far.example'/>`)
		if err := w.Arrives(`<presence type='subscribe' from='nurse@far.example' to='romeo@localhost' id='r'><status>please</status></presence>`); err != nil {
			t.Fatal(err)
		}
		w = newTown(t, db)
		romeo = w.Bind("romeo", "orchard")
		romeo.Say(`<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>`)
		expect(t, romeo.Heard(), `<item jid='juliet@far.example' subscription='none' ask='subscribe' name='J'/></query>`)
		romeo.Say(`<presence/>`)
		romeo.Hears(`type='subscribe'`, `from='nurse@far.example'`, `id='r'`, `<status>please</status>`)
	})
}

func TestLimits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		w.cfg.MaxItems, w.cfg.MaxRequests = 2, 1
		romeo := w.online("romeo", "orchard")
		romeo.Say(set("a@far.example", ""))
		romeo.Say(set("b@far.example", ""))
		romeo.Say(set("a@far.example", "name='again'"))
		romeo.Heard()
		romeo.Say(set("c@far.example", ""))
		expect(t, romeo.Heard(), "policy-violation")
		romeo.Say(`<presence type='subscribe' to='c@far.example' id='p'/>`)
		expect(t, romeo.Heard(), `type='error' … id='p' … policy-violation`)
		expect(t, w.far.Got())

		ask := func(from string) error {
			return w.Arrives(`<presence type='subscribe' from='` + from + `@far.example' to='romeo@localhost'/>`)
		}
		if err := ask("x"); err != nil {
			t.Fatal(err)
		}
		if err := ask("y"); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Fatal(err)
		}
	})
}

func TestLargeRequestKeepsItsHead(t *testing.T) {
	w := lite(t)
	w.Add(t.Context(), w.World.Add("romeo"), xmpp.MustJID("a@b"), "")
	if err := w.Arrives(`<presence type='subscribe' from='nurse@far.example' to='romeo@localhost' id='r'><status>` +
		strings.Repeat("x", maxRequestBytes) + `</status></presence>`); err != nil {
		t.Fatal(err)
	}
	romeo := w.Bind("romeo", "orchard")
	romeo.Say(`<presence/>`)
	got := romeo.Hears(`type='subscribe'`, `from='nurse@far.example'`, `id='r'`)
	if strings.Contains(got, "xxx") {
		t.Fatal(got)
	}
}

func TestMovesWithTheAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
		friends(romeo, juliet)
		romeo.Say(`<iq type='set' id='a'><query xmlns='jabber:iq:roster'><item jid='paris@far.example' name='P'><group>G</group></item></query></iq>`)
		romeo.Say(`<presence type='subscribe' to='paris@far.example'/>`)
		romeo.Say(`<presence type='subscribed' to='rosaline@far.example'/>`)
		if err := w.Arrives(`<presence type='subscribe' from='nurse@far.example' to='romeo@localhost' id='r'><status>s</status></presence>`); err != nil {
			t.Fatal(err)
		}
		parts, err := w.Export(t.Context(), romeo.Account)
		if err != nil || len(parts) != 2 {
			t.Fatal(parts, err)
		}
		for _, want := range []string{`<item jid='juliet@localhost' subscription='both'/>`,
			`<item jid='paris@far.example' subscription='none' ask='subscribe' name='P'><group>G</group></item>`,
			`<item jid='rosaline@far.example' subscription='none' approved='true'/>`} {
			if !strings.Contains(parts[0].String(), want) {
				t.Errorf("%s has no %s", parts[0], want)
			}
		}
		moved := w.World.Add("montague")
		for _, part := range parts {
			if err := w.Import(t.Context(), moved, part); err != nil {
				t.Fatal(err)
			}
		}
		again, err := w.Export(t.Context(), moved)
		if err != nil || len(again) != 2 || again[0].String() != parts[0].String() ||
			strings.ReplaceAll(again[1].String(), "montague", "romeo") != parts[1].String() {
			t.Fatal(again, err)
		}
	})
}

func TestRemovedAccountTakesLeave(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
		friends(romeo, juliet)
		juliet.Say(`<presence type='subscribe' to='nurse@far.example'/>`)
		w.far.Got()
		juliet.Leave()
		w.Forget(juliet.Account)
		if err := db.Tx(t.Context(), func(ctx context.Context) error { return w.Removed(ctx, juliet.Account) }); err != nil {
			t.Fatal(err)
		}
		running, end := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(running) }()
		romeo.Hears(`type='unsubscribe' from='juliet@localhost'`)
		romeo.Hears(`type='unsubscribed' from='juliet@localhost'`)
		romeo.Hears(`<item jid='juliet@localhost' subscription='none'/>`)
		end()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if err := w.bidFarewell(t.Context()); err != nil { // what the end of Run may have left
			t.Fatal(err)
		}
		told := slices.Compact(w.far.Got()) // what Run had told and not yet crossed out is told again
		expect(t, told, `type='unsubscribe' from='juliet@localhost' to='nurse@far.example'`)
		for _, table := range []string{"roster_item", "roster_version", "roster_farewell"} {
			where := ` where account = $1`
			args := []any{juliet.Account.ID}
			if table == "roster_farewell" {
				where, args = "", nil
			}
			var n int
			if err := db.QueryRow(t.Context(), `select count(*) from `+table+where, args...).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows left (%v)", table, n, err)
			}
		}
	})
}

func TestFailedImportTellsNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		part, err := xmpp.Parse(`<query xmlns='jabber:iq:roster'><item jid='nurse@far.example' subscription='both'/></query>`, xmpp.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		for _, used := range []bool{false, true} {
			account := w.World.Add("juliet")
			if err := w.Import(t.Context(), account, part); err != nil {
				t.Fatal(err)
			}
			if used {
				w.online("juliet", "balcony").Leave()
			}
			w.far.Got()
			if err := db.Tx(t.Context(), func(ctx context.Context) error { return w.Removed(ctx, account) }); err != nil {
				t.Fatal(err)
			}
			if err := w.bidFarewell(t.Context()); err != nil {
				t.Fatal(err)
			}
			if told := len(w.far.Got()); used != (told == 2) {
				t.Fatalf("used: %v, told %d times", used, told)
			}
		}
	})
}

func TestStaleSubscriptionIsCorrected(t *testing.T) {
	w := lite(t)
	romeo, juliet := w.online("romeo", "orchard"), w.online("juliet", "balcony")
	friends(romeo, juliet)
	// Juliet's side forgets, as after a restored backup.
	if _, err := w.db.Exec(t.Context(), `delete from roster_item where account = $1`, juliet.Account.ID); err != nil {
		t.Fatal(err)
	}
	w.contacts.Forget(juliet.Account.ID)
	phone := w.online("romeo", "phone")
	romeo.Hears(`type='unsubscribed' from='juliet@localhost'`)
	romeo.Hears(`<item jid='juliet@localhost' subscription='from'/>`)
	phone.Leave()
}
