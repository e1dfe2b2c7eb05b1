package register

import (
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// until are the migrations whose names come before one.
func until(t *testing.T, end string) fstest.MapFS {
	t.Helper()
	picked := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		if name < "migrations/"+end {
			picked[name] = &fstest.MapFile{Data: text}
		}
	}
	return picked
}

// TestInvitationsFromBeforeTheDesk were made before it was kept who makes an administrator: they count as another administrator's.
func TestInvitationsFromBeforeTheDesk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, step := range []struct {
			until string
			first int64
		}{{"0003", 1}, {"0004", 11}} { // what was made between the two, with a column that is not filled in
			if err := db.Migrate(t.Context(), "register", until(t, step.until)); err != nil {
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
