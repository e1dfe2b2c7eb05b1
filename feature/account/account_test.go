package account

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

func open(t *testing.T, db *store.DB) (*Accounts, *core.Server) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Iterations = sasl.MinIterations
	accounts, err := New(t.Context(), db, cfg, "localhost", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server, err := core.New(core.DefaultConfig(), db, accounts, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	work, err := jobs.New(t.Context(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	accounts.UseJobs(work)
	accounts.Attach(server)
	return accounts, server
}

// work does the jobs that are due.
func (a *Accounts) work(t *testing.T) {
	t.Helper()
	if _, err := a.jobs.(*jobs.Jobs).Work(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// memory is an empty database for a test that does not depend on the engine.
func memory(t *testing.T) *store.DB {
	t.Helper()
	return storetest.Open(t, "sqlite")
}

func TestLifeOfAnAccount(t *testing.T) { storetest.Each(t, testLife) }

func testLife(t *testing.T, db *store.DB) {
	a, _ := open(t, db)
	ctx := t.Context()
	romeo, err := a.Create(ctx, "Romeo", "wherefore art", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Create(ctx, "tybalt", "short", false, nil); !errors.Is(err, ErrPassword) || !errors.Is(err, xmpp.NotAcceptable) {
		t.Errorf("short password: %v", err)
	}
	if romeo.JID != xmpp.MustJID("romeo@localhost") {
		t.Errorf("address %s", romeo.JID)
	}
	if _, err := a.Create(ctx, "romeo", "wherefore art", false, nil); !errors.Is(err, ErrTaken) {
		t.Errorf("twice: %v", err)
	}
	credentials, _, err := a.Credentials(ctx, "romeo")
	if err != nil || len(credentials) != 3 {
		t.Fatalf("credentials %v, %v", credentials, err)
	}
	for _, c := range credentials {
		if !c.Matches("wherefore art") || c.Matches("wherefore Art") {
			t.Errorf("%s does not tell the password from another", c.Hash)
		}
	}
	if err := a.Disable(ctx, romeo); err != nil {
		t.Fatal(err)
	}
	if _, disabled, err := a.Credentials(ctx, "romeo"); !disabled {
		t.Errorf("disabled: %v, %v", disabled, err)
	}
	if err := a.Enable(ctx, romeo); err != nil {
		t.Fatal(err)
	}
	if _, disabled, err := a.Credentials(ctx, "romeo"); disabled {
		t.Errorf("enabled again: %v, %v", disabled, err)
	}
	if err := a.Remove(ctx, romeo, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Account(ctx, romeo.JID); !errors.Is(err, core.ErrNoAccount) {
		t.Errorf("removed: %v", err)
	}
	if _, _, err := a.Credentials(ctx, "romeo"); !errors.Is(err, sasl.ErrUnknownUser) {
		t.Errorf("removed: %v", err)
	}
	if _, err := a.Create(ctx, "romeo", "wherefore art", false, nil); !errors.Is(err, ErrResting) {
		t.Errorf("name of a removed account: %v", err)
	}
}

func TestWithRunsInTheSameTransaction(t *testing.T) {
	a, _ := open(t, memory(t))
	refused := errors.New("invitation used up")
	_, err := a.Create(t.Context(), "romeo", "wherefore art", false, func(context.Context, *core.Account) error { return refused })
	if !errors.Is(err, refused) {
		t.Fatalf("create: %v", err)
	}
	if _, err := a.Lookup(t.Context(), "romeo"); !errors.Is(err, core.ErrNoAccount) {
		t.Errorf("there is an account: %v", err)
	}
}

func TestWithRunsWhereAnAccountChanges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a, _ := open(t, db)
		juliet, wrong, ran := create(t, a, "juliet"), errors.New("no"), 0
		with := func(err error) func(context.Context, *core.Account) error {
			return func(context.Context, *core.Account) error {
				if err == nil { // a transaction that fails may run anew
					ran++
				}
				return err
			}
		}
		is := func(admin bool, times int) {
			t.Helper()
			if got, err := a.IsAdmin(t.Context(), juliet); err != nil || got != admin || ran != times {
				t.Errorf("administrator %v (%v), and it ran %d times", got, err, ran)
			}
		}
		if err := a.SetAdmin(t.Context(), juliet, true, with(wrong)); !errors.Is(err, wrong) {
			t.Error(err)
		}
		is(false, 0)
		for range 2 { // she is one already the second time
			if err := a.SetAdmin(t.Context(), juliet, true, with(nil)); err != nil {
				t.Error(err)
			}
			is(true, 1)
		}
		nobody := &core.Account{ID: 7, JID: juliet.JID}
		if err := a.SetAdmin(t.Context(), nobody, true, with(nil)); !errors.Is(err, core.ErrNoAccount) {
			t.Error(err)
		}
		if err := a.SetPassword(t.Context(), nobody, "a new password", nil, with(nil)); !errors.Is(err, core.ErrNoAccount) {
			t.Error(err)
		}
		if err := a.SetPassword(t.Context(), juliet, "short", nil, with(nil)); !errors.Is(err, ErrPassword) {
			t.Error(err)
		}
		is(true, 1)
		old, _, err := a.Credentials(t.Context(), "juliet")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.SetPassword(t.Context(), juliet, "a new password", nil, with(wrong)); !errors.Is(err, wrong) {
			t.Error(err)
		}
		if now, _, err := a.Credentials(t.Context(), "juliet"); err != nil || !bytes.Equal(now[0].Salt, old[0].Salt) {
			t.Errorf("the password is another one (%v)", err)
		}
		if err := a.SetPassword(t.Context(), juliet, "a new password", nil, with(nil)); err != nil {
			t.Error(err)
		}
		is(true, 2)
	})
}

func TestNames(t *testing.T) {
	a, _ := open(t, memory(t))
	for wish, want := range map[string]error{
		"juliet": nil, "Ελένη": nil, "admin": ErrReserved, "": ErrName, "a b": ErrName, "a@b": ErrName, "a/b": ErrName,
		"a\u202eb": ErrName, string(make([]byte, 65)): ErrName,
	} {
		if err := a.Free(t.Context(), wish); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", wish, err, want)
		}
	}
}

func TestPrepareTakesWholeAddresses(t *testing.T) {
	a, _ := open(t, memory(t))
	for typed, want := range map[string]string{"Romeo": "romeo", "romeo@localhost": "romeo", "ROMEO@LOCALHOST": "romeo", "romeo@elsewhere": ""} {
		if got, err := a.Prepare(typed); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", typed, got, err)
		}
	}
}

func TestCacheForgetsWhatChangedMeanwhile(t *testing.T) {
	c := newCache(16)
	_, turn := c.get("romeo")
	c.drop("romeo")
	c.put("romeo", &entry{role: Admin}, turn)
	if found, _ := c.get("romeo"); found != nil {
		t.Error("remembers what was read before the change")
	}
	for i := range 100 {
		_, turn := c.get("x")
		c.put(string(rune('a'+i)), &entry{}, turn)
	}
	if len(c.entries) > 16 {
		t.Errorf("%d entries", len(c.entries))
	}
}

func TestSeenIsTheDay(t *testing.T) {
	a, server := open(t, memory(t))
	romeo, err := a.Create(t.Context(), "romeo", "wherefore art", false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Bind(t.Context(), romeo, xmpp.MustJID("romeo@localhost/balcony"), nil); err != nil {
		t.Fatal(err)
	}
	if err := a.db.Tx(t.Context(), func(context.Context) error { return nil }); err != nil { // comes after the note
		t.Fatal(err)
	}
	seen, err := a.Seen(t.Context(), romeo)
	if err != nil || !seen.Equal(time.Now().UTC().Truncate(24*time.Hour)) {
		t.Errorf("seen %v, %v", seen, err)
	}
	list, err := a.List(t.Context(), "", 10)
	if err != nil || len(list) != 1 || list[0].Name != "romeo" || !list[0].Seen.Equal(seen) || list[0].Role != Member {
		t.Errorf("listed as %v, %v", list, err)
	}
}
