package store_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// TestWhoLostTheDatabaseDoesNotGoOn: a server whose connection breaks comes back after another one has written and left. What it remembers is
// out of date, so it must not write, and says so.
func TestWhoLostTheDatabaseDoesNotGoOn(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.Config(t, storetest.Postgres)
	db := storetest.OpenConfig(t, cfg)
	makeNote(t, db)
	killer := storetest.Open(t, storetest.Postgres)
	endSession(t, db, killer)

	other, err := store.Open(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Tx(ctx, appendNote(other, 1, 1)); err != nil {
		t.Error(err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}

	for range 2 {
		if err := db.Tx(ctx, appendNote(db, 1, 2)); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("wrote after another server: %v", err)
		}
	}
	if err := db.Watch(ctx); !errors.Is(err, store.ErrLocked) {
		t.Errorf("watch: %v", err)
	}
	if n := count(t, storetest.OpenConfig(t, cfg), "1 = 1"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// TestOwnerComesBack: nobody else owned it meanwhile.
func TestOwnerComesBack(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	db := storetest.Open(t, storetest.Postgres)
	makeNote(t, db)
	endSession(t, db, storetest.Open(t, storetest.Postgres))
	if err := db.Tx(ctx, appendNote(db, 1, 1)); err != nil {
		t.Error(err)
	}
	stop()
	if err := db.Watch(ctx); err != nil {
		t.Errorf("watch: %v", err)
	}
}

// endSession ends the session of db's writer, as a network or a restart would.
func endSession(t *testing.T, db, killer *store.DB) {
	t.Helper()
	var pid int
	err := db.Tx(context.Background(), func(ctx context.Context) error {
		return db.QueryRow(ctx, `select pg_backend_pid()`).Scan(&pid)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := killer.Query(context.Background(), `select pg_terminate_backend($1, 5000)`, pid); err != nil {
		t.Fatal(err)
	}
}
