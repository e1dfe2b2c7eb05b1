package register

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// TestALinkSetsOnePassword: who had it before it was used, or before another one was made, sets none any more.
func TestALinkSetsOnePassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f, err := New(t.Context(), db, DefaultConfig(), nil, nil, nil, nil, "https://localhost", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		full := errors.New("the log is full")
		told, lost := 0, full
		f.Linked = func(context.Context, xmpp.JID, *core.Account) error { return lost }
		f.Taken = func(context.Context, xmpp.JID, *core.Account) error {
			if lost == nil { // a transaction that fails may run anew
				told++
			}
			return lost
		}
		by, juliet := &core.Account{ID: 1}, &core.Account{ID: 2, JID: xmpp.MustJID("juliet@localhost")}
		linked := func() string {
			t.Helper()
			link, err := f.PasswordLink(t.Context(), by, juliet)
			if err != nil {
				t.Fatal(err)
			}
			return link.Web[len("https://localhost/password/"):]
		}
		use := func(token string, account *core.Account, want error, times int) {
			t.Helper()
			err := db.Tx(t.Context(), func(ctx context.Context) error { return f.useLink(ctx, token, account) })
			if !errors.Is(err, want) || told != times {
				t.Errorf("%v, told %d times", err, told)
			}
		}
		if link, err := f.PasswordLink(t.Context(), by, juliet); !errors.Is(err, full) || link.Web != "" {
			t.Errorf("%+v, %v", link, err)
		}
		lost = nil
		old, token := linked(), linked()
		use(old, juliet, ErrInvite, 0)
		use(token, by, ErrInvite, 0)
		lost = full
		use(token, juliet, full, 0)
		lost = nil
		use(token, juliet, nil, 1)
		use(token, juliet, ErrInvite, 1)
	})
}
