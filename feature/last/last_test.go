package last

import (
	"context"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// friends are who may see everybody's presence, by bare address.
type friends []string

func (f friends) Subscribed(_ context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	for _, friend := range append(f, account.JID.String()) {
		if contact.Bare().String() == friend {
			return true, nil
		}
	}
	return false, nil
}

type town struct {
	*coretest.World
	*Feature
	db *store.DB
}

func newTown(t *testing.T, db *store.DB) *town {
	t.Helper()
	f, err := New(t.Context(), db, friends{"juliet@localhost"}, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &town{coretest.New(t, db, f), f, db}
	w.HandlePresence(func(_ context.Context, t *core.Transit) error {
		if t.Stanza.Type == "" {
			t.Via.SetPresence(t.Stanza, 0)
		} else {
			t.Via.SetPresence(nil, 0)
		}
		return nil
	})
	return w
}

func (w *town) asks(t *testing.T, d *coretest.Device, to, want string) {
	t.Helper()
	if _, err := w.db.Exec(t.Context(), `update last_seen set at = at - 5000000000`); err != nil { // also waits for what was submitted
		t.Fatal(err)
	}
	d.Heard()
	d.Say(`<iq type='get' id='x' to='` + to + `'><query xmlns='jabber:iq:last'/></iq>`)
	if got := strings.Join(d.Heard(), "\n"); !strings.Contains(got, want) {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestFriendsSeeWhen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db)
		romeo, phone := w.Bind("romeo", "orchard"), w.Bind("romeo", "phone")
		juliet, tybalt := w.Bind("juliet", "balcony"), w.Bind("tybalt", "street")
		w.asks(t, juliet, "romeo@localhost", "item-not-found")
		romeo.Say(`<presence/>`)
		phone.Say(`<presence/>`)
		w.asks(t, juliet, "romeo@localhost", `seconds='0'`)
		w.asks(t, tybalt, "romeo@localhost", "forbidden")
		w.asks(t, tybalt, "romeo@localhost/phone", "forbidden")
		if heard := phone.Heard(); len(heard) != 0 {
			t.Fatal(heard)
		}
		juliet.Say(`<iq type='get' id='y' to='romeo@localhost/phone'><query xmlns='jabber:iq:last'/></iq>`)
		phone.Hears(`id='y'`)

		romeo.Say(`<presence type='unavailable'><status>first</status></presence>`)
		w.asks(t, juliet, "romeo@localhost", `seconds='0'`)
		phone.Say(`<presence type='unavailable'><status>Heading Home</status></presence>`)
		phone.Leave()
		w.asks(t, juliet, "romeo@localhost", `seconds='500`)

		if err := w.Hide(t.Context(), romeo.Account, true); err != nil {
			t.Fatal(err)
		}
		w.asks(t, juliet, "romeo@localhost", "forbidden")
		w.asks(t, romeo, "romeo@localhost", "Heading Home")

		romeo.Say(`<presence/>`)
		romeo.Leave() // without a word; the choice stays
		w.asks(t, juliet, "romeo@localhost", "forbidden")
		if err := w.Hide(t.Context(), romeo.Account, false); err != nil {
			t.Fatal(err)
		}
		w.asks(t, juliet, "romeo@localhost", `seconds='1000`)
	})
}

func TestChoiceByCommand(t *testing.T) {
	w := newTown(t, storetest.Open(t, storetest.SQLite))
	romeo := w.Add("romeo")
	r := &core.Request{Transit: &core.Transit{Sender: romeo}}
	form, _, err := w.choose(t.Context(), r, nil)
	if err != nil || form.Get("shown") != "1" {
		t.Fatal(form, err)
	}
	for _, c := range []struct {
		answer string
		hidden bool
	}{{"0", true}, {"true", false}} {
		if _, note, err := w.choose(t.Context(), r, []*xmpp.Form{xmpp.NewForm("submit", Node).Add("shown", "", "", c.answer)}); err != nil || note == "" {
			t.Fatal(note, err)
		}
		if hidden, err := w.Hidden(t.Context(), romeo); err != nil || hidden != c.hidden {
			t.Fatal(c.answer, hidden, err)
		}
	}
	if _, _, err := w.choose(t.Context(), r, []*xmpp.Form{xmpp.NewForm("submit", Node)}); err == nil {
		t.Fatal("no answer was taken for one")
	}
}
