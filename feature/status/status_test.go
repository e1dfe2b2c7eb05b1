package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// shelf stands for the nodes of accounts: it notes what is forgotten.
type shelf struct{ forgotten []string }

func (*shelf) OnPublish(string, func(context.Context, *core.Account, string, *xmpp.Element) error) {}
func (*shelf) OnRetract(string, func(context.Context, *core.Account, string) error)                {}
func (*shelf) OnShow(string, func(xmpp.JID, *xmpp.Element) *xmpp.Element)                          {}
func (*shelf) MakeFleeting(string, time.Duration)                                                  {}

func (s *shelf) Forget(_ context.Context, account *core.Account, node, id string) error {
	s.forgotten = append(s.forgotten, account.JID.Local()+" "+node+" "+id)
	return nil
}

func (*shelf) MayRead(context.Context, *core.Account, string, xmpp.JID) (bool, error) {
	return true, nil
}

func (*shelf) Subscriptions(context.Context, *core.Account) ([]xmpp.JID, error) { return nil, nil }

// open makes the feature on a shelf, with a clock that stands still.
func open(t *testing.T, db *store.DB, cfg Config) (*Feature, *shelf, *core.Account) {
	t.Helper()
	s := &shelf{}
	f, err := New(t.Context(), cfg, db, s, s, s, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	f.now = func() time.Time { return now }
	return f, s, coretest.New(t, db, f).Add("romeo")
}

func entry() *xmpp.Element { return xmpp.NewElement(nsAtom, "entry") }

func tell(t *testing.T, f *Feature, account *core.Account, id string) error {
	t.Helper()
	return f.db.Tx(t.Context(), func(ctx context.Context) error { return f.tell(ctx, account, id, entry()) })
}

// TestEachIsRemovedWhenItsTimeIsOver lets a day pass, and two seconds of the next one.
func TestEachIsRemovedWhenItsTimeIsOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f, s, romeo := open(t, db, DefaultConfig())
		if next, err := f.sweep(t.Context()); err != nil || next != lookAfter {
			t.Error(next, err)
		}
		for n, id := range []string{"one", "two", "three"} {
			if err := tell(t, f, romeo, id); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(t.Context(), "update status_item set expires = $1 where name = $2", f.now().Add(Lifetime+time.Duration(n)*time.Second).UnixMicro(), id); err != nil {
				t.Fatal(err)
			}
		}
		start := f.now()
		for _, at := range []struct {
			passed, next time.Duration
			forgotten    int
		}{
			{0, lookAfter, 0}, {Lifetime - 30*time.Minute, 30 * time.Minute, 0}, {Lifetime - time.Microsecond, time.Microsecond, 0},
			{Lifetime, time.Second, 1}, {Lifetime + 2*time.Second, lookAfter, 3},
		} {
			f.now = func() time.Time { return start.Truncate(time.Microsecond).Add(at.passed) }
			if next, err := f.sweep(t.Context()); err != nil || next != at.next || len(s.forgotten) != at.forgotten {
				t.Errorf("after %s %v are gone, and the next one is in %s (%v)", at.passed, s.forgotten, next, err)
			}
		}
		if want := []string{"romeo " + Node + " one", "romeo " + Node + " two", "romeo " + Node + " three"}; !slices.Equal(s.forgotten, want) {
			t.Error(s.forgotten)
		}
	})
}

// TestFigures looks at what is kept, and at what should be gone.
func TestFigures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f, _, romeo := open(t, db, DefaultConfig())
		over := f.now().Truncate(time.Microsecond)
		f.now = func() time.Time { return over }
		registry := prometheus.NewRegistry()
		registry.MustRegister(f.Collectors()...)
		for _, want := range []float64{0, 1} {
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, family := range families {
				got := family.GetMetric()[0].GetGauge().GetValue()
				if kept := family.GetName() == "palabre_status_kept"; kept && got != want || !kept && got != want*60 {
					t.Errorf("%s is %v", family.GetName(), got)
				}
			}
			if err := tell(t, f, romeo, "one"); err != nil && want == 0 {
				t.Fatal(err)
			}
			if _, err := db.Exec(t.Context(), "update status_item set expires = $1", over.Add(-time.Minute).UnixMicro()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestSomethingElseByTheSameName keeps one that was told anew by a name that had been free again.
func TestSomethingElseByTheSameName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f, s, romeo := open(t, db, DefaultConfig())
		if err := tell(t, f, romeo, "one"); err != nil {
			t.Fatal(err)
		}
		if err := tell(t, f, romeo, "one"); !errors.Is(err, xmpp.Conflict) {
			t.Error("it was told twice: ", err)
		}
		if _, err := db.Exec(t.Context(), "update status_item set expires = 1"); err != nil {
			t.Fatal(err)
		}
		if err := tell(t, f, romeo, "one"); err != nil {
			t.Fatal(err)
		}
		if err := f.end(t.Context(), expired{account: romeo.ID, author: romeo.JID.String(), name: "one"}); err != nil || len(s.forgotten) > 0 {
			t.Error(s.forgotten, err)
		}
	})
}

// TestSoManyInADay counts those as well that were taken back.
func TestSoManyInADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := DefaultConfig()
		cfg.MaxPerDay = 3
		f, _, romeo := open(t, db, cfg)
		for n := range 4 {
			err := tell(t, f, romeo, fmt.Sprint(n))
			if n < 3 && err != nil || n == 3 && !errors.Is(err, xmpp.ResourceConstraint) {
				t.Error(n, err)
			}
			if err := f.takeBack(t.Context(), romeo, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec(t.Context(), "update status_item set expires = 1 where name = '0'"); err != nil {
			t.Fatal(err)
		}
		if err := tell(t, f, romeo, "4"); err != nil {
			t.Error(err)
		}
		if err := f.remove(t.Context(), romeo); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(t.Context(), "select count(*) from status_item").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d are left of a removed account, %v", n, err)
		}
	})
}

func TestSettings(t *testing.T) {
	for _, cfg := range []Config{{}, {MaxPerDay: 1001, MaxBytes: 1, MaxAudience: 1}, {MaxPerDay: 1, MaxAudience: 1}, {MaxPerDay: 1, MaxBytes: 1}} {
		if cfg.Validate() == nil {
			t.Errorf("%+v can work?", cfg)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

// FuzzShow wants a reader to see their own keys and never those of others, whatever was published.
func FuzzShow(f *testing.F) {
	f.Add("<encrypted xmlns='urn:xmpp:pte:0' by='romeo@localhost'><encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='juliet@localhost'><key rid='1'>a</key></keys>" +
		"<keys jid='nurse@localhost'><key rid='1'>b</key></keys></header><payload>c</payload></encrypted></encrypted>")
	f.Add("<entry xmlns='http://www.w3.org/2005/Atom'/>")
	f.Add("<encrypted xmlns='urn:xmpp:pte:0'><encrypted xmlns='urn:xmpp:omemo:2'><header><keys jid='JULIET@localhost'/>text</header></encrypted></encrypted>")
	juliet := xmpp.MustJID("juliet@localhost")
	feature := &Feature{cfg: DefaultConfig()}
	f.Fuzz(func(t *testing.T, text string) {
		payload, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
		if err != nil {
			return
		}
		before := payload.String()
		audience, err := feature.check(payload)
		if err != nil {
			return
		}
		seen := show(juliet, payload)
		if payload.String() != before {
			t.Error("the payload was changed")
		}
		if (seen != nil) != isFor(audience, juliet) {
			t.Errorf("for %q, and she sees %s", audience, seen)
		}
		if seen == nil || audience == "" {
			return
		}
		for e := range header(seen).Children() {
			if jid, err := xmpp.ParseJID(e.Attr("jid")); err != nil || jid != juliet || !e.Is(nsOMEMO, "keys") {
				t.Errorf("she sees %s", e)
			}
		}
		for e := range seen.Children() {
			if e.Is(nsOMEMO, "encrypted") && e != seen.Child(nsOMEMO, "encrypted") {
				t.Errorf("there is more in it: %s", seen)
			}
		}
	})
}
