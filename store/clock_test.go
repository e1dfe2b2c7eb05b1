package store

import (
	"context"
	"log/slog"
	"sync"
	"testing"
)

func openClock(t *testing.T, url string, now func() int64) *DB {
	t.Helper()
	cfg := DefaultConfig()
	cfg.URL = url
	db, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db.clock.now = now
	return db
}

// TestNextGrowsAcrossRestartsAndClocksSetBack restarts with a clock that is an hour behind, then a day, then right.
func TestNextGrowsAcrossRestartsAndClocksSetBack(t *testing.T) {
	url := "sqlite:" + t.TempDir() + "/palabre.db"
	const hour = int64(3600e6)
	last := int64(0)
	for _, now := range []int64{100 * hour, 99 * hour, 75 * hour, 101 * hour} {
		db := openClock(t, url, func() int64 { return now })
		for range 1000 {
			v := db.Next()
			if v <= last {
				t.Fatalf("%d after %d", v, last)
			}
			last = v
		}
		if err := db.Tx(context.Background(), func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last != 101*hour+999 {
		t.Errorf("with the clock right again Next is %d, not the time", last)
	}
}

// TestStartJumpsOverUnsavedValues: a crash loses at most markGap beyond the mark.
func TestStartJumpsOverUnsavedValues(t *testing.T) {
	c := newClock()
	c.now = func() int64 { return 500 }
	if unsaved := c.start(1_000_000_000); unsaved != c.mark.Load() || unsaved <= 1_000_000_000 {
		t.Errorf("%d is to be saved, %d is taken for saved", unsaved, c.mark.Load())
	}
	if v := c.next(); v <= 1_000_000_000+markGap {
		t.Errorf("%d may have been given out before", v)
	}
}

// TestNextAloneIsSaved: values are saved although nobody commits.
func TestNextAloneIsSaved(t *testing.T) {
	db := openClock(t, "sqlite::memory:", func() int64 { return 1000 })
	defer db.Close()
	db.Next()
	v := db.clock.last.Add(10 * markGap)
	db.Next()
	ctx := context.Background()
	if err := db.Tx(ctx, func(context.Context) error { return nil }); err != nil { // one round of the lane
		t.Fatal(err)
	}
	var high int64
	if err := db.QueryRow(ctx, clockRead).Scan(&high); err != nil || high <= v {
		t.Errorf("saved %d, want above %d, %v", high, v, err)
	}
}

func TestNextIsUniqueAmongManyCallers(t *testing.T) {
	c := newClock()
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			last := int64(0)
			for range 2000 {
				v := c.next()
				mu.Lock()
				if v <= last || seen[v] {
					t.Errorf("%d again", v)
				}
				seen[v] = true
				mu.Unlock()
				last = v
			}
		})
	}
	wg.Wait()
}

// TestSettled looks at an id before its transaction is kept, and after that.
func TestSettled(t *testing.T) {
	db := openClock(t, "sqlite::memory:", newClock().now)
	defer db.Close()
	var id int64
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		id = db.Next()
		if db.Settled(t.Context()) >= id || db.Settled(ctx) < id {
			t.Errorf("%d is settled up to %d, inside up to %d", id, db.Settled(t.Context()), db.Settled(ctx))
		}
		_, err := db.Exec(ctx, "create table a (id integer primary key)")
		return err
	})
	if err != nil || db.Settled(t.Context()) < id {
		t.Errorf("%d is not settled, only up to %d; %v", id, db.Settled(t.Context()), err)
	}
}
