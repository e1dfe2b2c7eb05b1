package register

import (
	"log/slog"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// TestInvitationsFromBeforeTheDesk were made before it was kept who makes an administrator: they count as another administrator's.
func TestInvitationsFromBeforeTheDesk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, step := range []struct {
			until string
			first int64
		}{{"0003", 1}, {"0004", 11}} { // what was made between the two, with a column that is not filled in
			if err := db.Migrate(t.Context(), "register", storetest.Migrations(t, migrations, func(name string) bool { return name < step.until })); err != nil {
				t.Fatal(err)
			}
			for i, admin := range []bool{true, false} {
				id := step.first + int64(i)
				if _, err := db.Exec(t.Context(), `insert into register_invite (id, token, inviter, inviter_name, befriend, account, name, admin, uses, expires)
					values ($1, $2, 0, '', false, true, '', $3, 1, $4)`, id, digest(newToken()), admin, time.Now().Add(time.Hour).UnixMicro()); err != nil {
					t.Fatal(err)
				}
			}
		}
		f, err := New(t.Context(), db, DefaultConfig(), nil, nil, nil, nil, "", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		all, err := f.Open(t.Context(), 10)
		if err != nil || len(all) != 4 {
			t.Fatalf("%+v (%v)", all, err)
		}
		for _, one := range all {
			if one.Desk != one.Admin {
				t.Errorf("%+v", one)
			}
		}
	})
}
