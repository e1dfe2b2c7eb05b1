package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

var note = store.NewInsert("note", "account", "id", "body")

// open makes the table that most tests here write to.
func makeNote(t testing.TB, db *store.DB) {
	t.Helper()
	mustExec(t, db, `create table note (account bigint not null, id bigint not null, body text, primary key (account, id))`)
}

func mustExec(t testing.TB, db *store.DB, sql string, args ...any) int64 {
	t.Helper()
	n, err := db.Exec(context.Background(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func count(t testing.TB, db *store.DB, where string) int {
	t.Helper()
	var n int
	if err := db.QueryRow(context.Background(), `select count(*) from note where `+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestManyCallersShareCommits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		const callers, each = 50, 20
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for range each {
					err := db.Tx(context.Background(), func(ctx context.Context) error {
						return db.Append(ctx, note, c, db.Next(), fmt.Sprintf("from %d", c))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, db, "1 = 1"); n != callers*each {
			t.Errorf("%d rows, want %d", n, callers*each)
		}
	})
}

func TestConflictIsTheCallersOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		mustExec(t, db, `insert into note (account, id, body) values ($1, $2, $3)`, 1, 1, "first")
		err := db.Tx(context.Background(), func(ctx context.Context) error {
			return db.Append(ctx, note, 1, 1, "again")
		})
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("append: %v, want ErrConflict", err)
		}
		if _, err := db.Exec(context.Background(), `insert into note (account, id) values (1, 1)`); !errors.Is(err, store.ErrConflict) {
			t.Errorf("exec: %v, want ErrConflict", err)
		}
	})
}
