package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

var errRefused = errors.New("refused by the function")

// together submits all functions while the lane is held up by another one, so that they form one group, and returns
// what each was told and the order in which they were told.
func together(db *store.DB, functions ...func(ctx context.Context) error) (results []error, order []int) {
	held, release := make(chan struct{}), make(chan struct{})
	db.Submit(context.Background(), func(context.Context) error { close(held); <-release; return nil }, func(error) {})
	<-held
	results = make([]error, len(functions))
	var wg sync.WaitGroup
	for i, fn := range functions {
		wg.Add(1)
		db.Submit(context.Background(), fn, func(err error) {
			results[i] = err
			order = append(order, i) // done is called one at a time
			wg.Done()
		})
	}
	close(release)
	wg.Wait()
	return results, order
}

func appendNote(db *store.DB, account, id int) func(context.Context) error {
	return func(ctx context.Context) error { return db.Append(ctx, note, account, id, "text") }
}

// TestOneFailureLeavesTheGroup has every way to fail in the middle of a group: only the guilty may fail.
func TestOneFailureLeavesTheGroup(t *testing.T) {
	insert := func(db *store.DB, ctx context.Context, id int) error {
		_, err := db.Exec(ctx, `insert into note (account, id, body) values (9, $1, 'x')`, id)
		return err
	}
	ways := map[string]struct {
		fn   func(db *store.DB, ctx context.Context) error
		want error
	}{
		"before writing":     {func(*store.DB, context.Context) error { return errRefused }, errRefused},
		"after append":       {func(db *store.DB, ctx context.Context) error { appendNote(db, 9, 1)(ctx); return errRefused }, errRefused},
		"after exec":         {func(db *store.DB, ctx context.Context) error { insert(db, ctx, 1); return errRefused }, errRefused},
		"appended conflict":  {func(db *store.DB, ctx context.Context) error { return appendNote(db, 1, 0)(ctx) }, store.ErrConflict},
		"executed conflict":  {func(db *store.DB, ctx context.Context) error { insert(db, ctx, 1); return insert(db, ctx, 1) }, store.ErrConflict},
		"swallowed conflict": {func(db *store.DB, ctx context.Context) error { insert(db, ctx, 1); insert(db, ctx, 1); return nil }, store.ErrConflict},
		"wrong SQL":          {func(db *store.DB, ctx context.Context) error { _, err := db.Exec(ctx, `nonsense`); return err }, nil},
		"wrong read":         {func(db *store.DB, ctx context.Context) error { _, err := db.Query(ctx, `select nonsense`); return err }, nil},
		"wrong type":         {func(db *store.DB, ctx context.Context) error { return db.Append(ctx, note, 9, 1, struct{}{}) }, nil},
		"wrong count":        {func(db *store.DB, ctx context.Context) error { db.Append(ctx, note, 9); return nil }, nil},
		"panic":              {func(db *store.DB, ctx context.Context) error { insert(db, ctx, 1); panic("oh") }, nil},
		"part that fails": {func(db *store.DB, ctx context.Context) error {
			db.Tx(ctx, func(ctx context.Context) error { return errRefused })
			return insert(db, ctx, 1)
		}, errRefused},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		for name, way := range ways {
			mustExec(t, db, `delete from note`)
			fail := func(ctx context.Context) error { return way.fn(db, ctx) }
			results, order := together(db, appendNote(db, 1, 0), appendNote(db, 1, 1), fail, appendNote(db, 1, 2), appendNote(db, 1, 3))
			for i, err := range results {
				if (err != nil) != (i == 2) {
					t.Errorf("%s: function %d was told %v", name, i, err)
				}
			}
			if way.want != nil && !errors.Is(results[2], way.want) {
				t.Errorf("%s: %v, want %v", name, results[2], way.want)
			}
			if !slices.IsSorted(order) {
				t.Errorf("%s: told in the order %v", name, order)
			}
			if mine, others := count(t, db, "account = 9"), count(t, db, "account = 1"); mine != 0 || others != 4 {
				t.Errorf("%s: kept %d of the failed and %d of 4 others", name, mine, others)
			}
		}
	})
}

// TestAnErrorIsJudgedInTheFinalOrder: B fails because of A's row, and A fails when the group runs again. Then B must not
// be told of a conflict with a row that nobody has.
func TestAnErrorIsJudgedInTheFinalOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		runs := 0
		first := func(ctx context.Context) error {
			if runs++; runs > 1 {
				return errRefused
			}
			return appendNote(db, 1, 1)(ctx)
		}
		results, _ := together(db, first, appendNote(db, 1, 1))
		if !errors.Is(results[0], errRefused) || results[1] != nil {
			t.Errorf("told %v", results)
		}
	})
}

func TestDoneIsCalledInOrderOfSubmission(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		const callers, each = 20, 50
		last := make([]int, callers)
		var wg sync.WaitGroup
		wg.Add(callers * each)
		for c := range callers {
			go func() {
				for i := range each {
					fn := appendNote(db, c, i)
					if i%7 == 3 {
						fn = appendNote(db, c, i-1) // conflict
					}
					db.Submit(context.Background(), fn, func(err error) {
						if last[c] != i || (err != nil) != (i%7 == 3) {
							t.Errorf("caller %d was told %v of %d when %d was due", c, err, i, last[c])
						}
						last[c]++
						wg.Done()
					})
				}
			}()
		}
		wg.Wait()
	})
}

func TestStatementsSeeAppendedRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		results, _ := together(db, appendNote(db, 1, 1), func(ctx context.Context) error {
			if err := appendNote(db, 1, 2)(ctx); err != nil {
				return err
			}
			var n int
			if err := db.QueryRow(ctx, `select count(*) from note`).Scan(&n); err != nil || n != 2 {
				return fmt.Errorf("saw %d rows, %w", n, err)
			}
			changed, err := db.Exec(ctx, `update note set body = 'new' where account = $1`, 1)
			if err != nil || changed != 2 {
				return fmt.Errorf("changed %d rows, %w", changed, err)
			}
			return nil
		})
		if err := errors.Join(results...); err != nil {
			t.Error(err)
		}
	})
}

func TestReadsOutsideNeitherWaitNorWrite(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		err := db.Tx(context.Background(), func(ctx context.Context) error {
			if _, err := db.Exec(ctx, `insert into note (account, id) values (1, 1)`); err != nil {
				return err
			}
			if n := count(t, db, "1 = 1"); n != 0 {
				return fmt.Errorf("saw %d uncommitted rows", n)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if n := count(t, db, "1 = 1"); n != 1 {
			t.Errorf("%d rows after the commit", n)
		}
		if _, err := db.Query(context.Background(), `insert into note (account, id) values (2, 2) returning id`); err == nil {
			t.Error("a read outside a transaction has written")
		}
	})
}

func TestCancelledBeforeItBegan(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		held, release := make(chan struct{}), make(chan struct{})
		db.Submit(context.Background(), func(context.Context) error { close(held); <-release; return nil }, func(error) {})
		<-held
		ctx, cancel := context.WithCancel(context.Background())
		ran := func(context.Context) error { t.Error("a cancelled function ran"); return nil }
		told := make(chan error, 1)
		db.Submit(ctx, ran, func(err error) { told <- err })
		cancel()
		if err := db.Tx(ctx, ran); !errors.Is(err, context.Canceled) {
			t.Errorf("Tx: %v", err)
		}
		close(release)
		if err := <-told; !errors.Is(err, context.Canceled) {
			t.Errorf("Submit: %v", err)
		}
	})
}

func TestFullQueueIsBusyAndKeepsTheOrder(t *testing.T) {
	cfg := storetest.Config(t, storetest.SQLite)
	cfg.MaxQueue = 1
	db := storetest.OpenConfig(t, cfg)
	held, release := make(chan struct{}), make(chan struct{})
	db.Submit(context.Background(), func(context.Context) error { close(held); <-release; return nil }, func(error) {})
	<-held
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var told []error
	end := make(chan struct{})
	nothing := func(context.Context) error { return nil }
	db.Submit(context.Background(), nothing, func(err error) { told = append(told, err) })
	db.Submit(ctx, nothing, func(err error) { told = append(told, err); close(end) })
	close(release)
	<-end
	if len(told) != 2 || told[0] != nil || !errors.Is(told[1], store.ErrBusy) {
		t.Errorf("told %v", told)
	}
}

func TestCloseFinishesWhatIsQueued(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		var told []error
		for i := range 100 {
			db.Submit(context.Background(), appendNote(db, 1, i), func(err error) { told = append(told, err) })
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(told...); err != nil || len(told) != 100 {
			t.Errorf("%d were told, %v", len(told), err)
		}
		if err := db.Tx(context.Background(), appendNote(db, 2, 1)); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Tx after Close: %v", err)
		}
		if _, err := db.Query(context.Background(), `select 1`); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Query after Close: %v", err)
		}
	})
}

func TestContextOfATransactionEndsWithIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		var kept context.Context
		if err := db.Tx(context.Background(), func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
			t.Fatal(err)
		}
		_, execErr := db.Exec(kept, `delete from note`)
		for _, err := range []error{execErr, appendNote(db, 1, 1)(kept), db.Tx(kept, func(context.Context) error { return nil }),
			appendNote(db, 1, 1)(context.Background())} {
			if !errors.Is(err, store.ErrNoTx) {
				t.Errorf("%v, want ErrNoTx", err)
			}
		}
	})
}

// TestFunctionThatEndsItsGoroutine stands for testing.FailNow inside a function: nobody may hang.
func TestFunctionThatEndsItsGoroutine(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	err := db.Tx(context.Background(), func(context.Context) error { runtime.Goexit(); return nil })
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("the function: %v", err)
	}
	err = db.Tx(context.Background(), func(context.Context) error { return nil })
	if !errors.Is(err, store.ErrClosed) {
		t.Errorf("the next: %v", err)
	}
}

// TestDoneThatEndsItsGoroutine: those behind it are told the truth, once.
func TestDoneThatEndsItsGoroutine(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	makeNote(t, db)
	held, release := make(chan struct{}), make(chan struct{})
	db.Submit(context.Background(), func(context.Context) error { close(held); <-release; return nil }, func(error) {})
	<-held
	calls := 0
	behind := make(chan error, 2)
	db.Submit(context.Background(), appendNote(db, 1, 1), func(error) { calls++; runtime.Goexit() })
	db.Submit(context.Background(), appendNote(db, 1, 2), func(err error) { behind <- err })
	close(release)
	err := <-behind
	if n := count(t, db, "id = 2"); err != nil || n != 1 || calls != 1 {
		t.Errorf("told %v of %d rows after %d calls", err, n, calls)
	}
}

func TestOnConflict(t *testing.T) {
	ignore := note.OnConflict("do nothing")
	latest := note.OnConflict("(account, id) do update set body = excluded.body")
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		err := db.Tx(context.Background(), func(ctx context.Context) error {
			return errors.Join(db.Append(ctx, ignore, 1, 1, "a"), db.Append(ctx, ignore, 1, 1, "b"),
				db.Append(ctx, latest, 2, 2, "c"), db.Append(ctx, latest, 2, 2, "d"))
		})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query(context.Background(), `select body from note order by account`)
		if err != nil {
			t.Fatal(err)
		}
		var bodies []string
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, s)
		}
		if got := strings.Join(bodies, " "); got != "a d" {
			t.Errorf("kept %q", got)
		}
	})
}
