package device

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// world is a server whose door says what the test wants.
type world struct {
	*Feature
	server *core.Server
	apps   map[*core.Session]App
	tokens []App
	ended  []string // conditions
}

func (w *world) Account(_ context.Context, bare xmpp.JID) (*core.Account, error) {
	return &core.Account{ID: 1, JID: bare}, nil
}
func (w *world) Send(core.Delivery)             {}
func (w *world) End(condition, _ string)        { w.ended = append(w.ended, condition) }
func (w *world) Of(s *core.Session) (App, bool) { return w.apps[s], true }
func (w *world) Returning(context.Context, *core.Account) ([]App, error) {
	return w.tokens, nil
}
func (w *world) Forget(_ context.Context, _ *core.Account, id string) error {
	if id == "" {
		return errors.New("all")
	}
	w.tokens = nil
	return nil
}

var romeo = &core.Account{ID: 1, JID: xmpp.MustJID("romeo@localhost")}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := &world{apps: map[*core.Session]App{}}
		var err error
		log := slog.New(slog.DiscardHandler)
		if w.Feature, err = New(t.Context(), DefaultConfig(), db, w, log); err != nil {
			t.Fatal(err)
		}
		if w.server, err = core.New(core.DefaultConfig(), db, w, log); err != nil {
			t.Fatal(err)
		}
		w.Attach(w.server)
		run(t, w)
	})
}

// begin lets an app have a session.
func (w *world) begin(t *testing.T, app App, resource string) *core.Session {
	t.Helper()
	jid, err := romeo.JID.WithResource(resource)
	if err != nil {
		t.Fatal(err)
	}
	session, err := w.server.Bind(t.Context(), romeo, jid, w)
	if err != nil {
		t.Fatal(err)
	}
	w.apps[session] = app
	w.Begun(session)
	w.settle(t)
	return session
}

// settle waits for what was submitted.
func (w *world) settle(t *testing.T) {
	t.Helper()
	if err := w.db.Tx(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) list(t *testing.T) []Access {
	t.Helper()
	all, err := w.List(t.Context(), romeo)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnAppIsKnownAfterItsSession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		session := w.begin(t, App{ID: "a", Software: "Palabre", Name: "phone"}, "one")
		w.begin(t, App{}, "old")
		if all := w.list(t); len(all) != 2 || all[0].Name != "phone" || len(all[0].Sessions) != 1 || all[1].ID != "" || !all[1].Password {
			t.Fatalf("%+v", all)
		}
		w.server.Unbind(t.Context(), session)
		w.settle(t)
		if all := w.list(t); len(all) != 2 || all[1].ID != "a" || len(all[1].Sessions) != 0 || !all[1].Password {
			t.Errorf("after its session: %+v", all)
		}
		if err := w.db.Tx(t.Context(), func(ctx context.Context) error { return w.NewPassword(ctx, romeo) }); err != nil {
			t.Fatal(err)
		}
		if all := w.list(t); len(all) != 1 || all[0].ID != "" {
			t.Errorf("an app whose password was changed has access: %+v", all)
		}
		w.tokens = []App{{ID: "a"}}
		if all := w.list(t); len(all) != 2 || !all[1].Token || all[1].Name != "phone" || all[1].Password {
			t.Errorf("with a token: %+v", all)
		}
	})
}

func TestASignedOutAppIsNotListed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.tokens = []App{{ID: "a"}}
		session := w.begin(t, App{ID: "a", Name: "phone"}, "one")
		if err := w.SignOut(t.Context(), romeo); err != nil {
			t.Fatal(err)
		}
		if len(w.ended) != 1 || w.ended[0] != "not-authorized" {
			t.Errorf("ended with %v", w.ended)
		}
		w.server.Unbind(t.Context(), session) // as the door does then
		w.settle(t)
		if all := w.list(t); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

func TestAppsAreBoundedAndForgotten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		now := time.Now()
		for i := range maxApps + 20 {
			n := note{"s", strconv.Itoa(i), true, now.Add(time.Duration(i) * time.Second)}
			if err := w.db.Tx(t.Context(), func(ctx context.Context) error { return w.write(ctx, key{1, "app" + strconv.Itoa(i)}, n) }); err != nil {
				t.Fatal(err)
			}
		}
		if all := w.list(t); len(all) != maxApps || all[0].Name != strconv.Itoa(maxApps+19) {
			t.Errorf("%d apps, first %+v", len(all), all[0])
		}
		late := note{"s", "late", true, now.Add(2 * w.cfg.Life)}
		if err := w.db.Tx(t.Context(), func(ctx context.Context) error { return w.write(ctx, key{1, "late"}, late) }); err != nil {
			t.Fatal(err)
		}
		if all := w.list(t); len(all) != 1 || all[0].Name != "late" {
			t.Errorf("after their time: %d", len(all))
		}
	})
}
