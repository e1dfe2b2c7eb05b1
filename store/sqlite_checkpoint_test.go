package store

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestLogBeginsAnew writes several times the length of the log in large groups, alone and while others read without a pause: the log stays as long as it
// may be, and all is there afterwards.
func TestLogBeginsAnew(t *testing.T) {
	for _, readers := range []int{0, 6} {
		t.Run(fmt.Sprint(readers, " readers"), func(t *testing.T) { logBeginsAnew(t, readers) })
	}
}

func logBeginsAnew(t *testing.T, readers int) {
	cfg := DefaultConfig()
	path := filepath.Join(t.TempDir(), "a.db")
	cfg.URL = "sqlite:" + path
	db, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	const whole, groups, rows = 500, 300, 20
	k := db.engine.(*lite).checker
	err = db.Tx(t.Context(), func(ctx context.Context) error { // so that the lane is not looking
		k.whole, k.most, k.wanted = whole, 4*whole, whole
		_, err := db.Exec(ctx, "create table a (id integer primary key, text text)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reading, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			for reading.Err() == nil {
				if _, err := db.Query(reading, "select sum(id) from a where id < 500"); err != nil && reading.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range groups {
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			for j := range rows {
				if _, err := db.Exec(ctx, "insert into a (id, text) values ($1, $2)", i*rows+j, fmt.Sprintf("%03000d", i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	all.Wait()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if pages := info.Size() / 4096; pages > 8*whole || readers == 0 && pages > 3*whole {
		t.Errorf("the log has %d pages after writing %d", pages, groups*rows)
	}
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from a").Scan(&n); err != nil || n != groups*rows {
		t.Error(n, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestDiskDoesNotTakeThePages has what was moved not be written: the log is kept, whole, also when the database is closed.
func TestDiskDoesNotTakeThePages(t *testing.T) {
	cfg := DefaultConfig()
	path := filepath.Join(t.TempDir(), "a.db")
	cfg.URL = "sqlite:" + path
	db, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	k := db.engine.(*lite).checker
	err = db.Tx(t.Context(), func(ctx context.Context) error {
		k.sync = func() error { return syscall.EIO }
		_, err := db.Exec(ctx, "create table a (id integer primary key, text text)")
		return err
	})
	for i := 0; i < 3000 && err == nil; i++ {
		_, err = db.Exec(t.Context(), "insert into a (text) values (zeroblob(3800))")
	}
	if err != nil {
		t.Fatal(err)
	}
	if !k.broken.Load() {
		t.Error("the error of the disk was overlooked")
	}
	before, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat(path + "-wal"); err != nil || after.Size() != before.Size() || after.Size() < 3000*4096 {
		t.Errorf("the log was not kept whole: %v", err)
	}
}

// TestReaderHoldsTheLog has a connection keep its snapshot: the log is not begun anew under it, and pages are moved again when it has ended.
func TestReaderHoldsTheLog(t *testing.T) {
	cfg := DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	e, err := openSQLite(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w, err := e.connect("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.connect("")
	if err != nil {
		t.Fatal(err)
	}
	run := func(c *liteConn, sql string) {
		t.Helper()
		if _, err := c.exec(sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	k := e.checker
	rest := func() {
		for look := time.NewTicker(time.Millisecond); k.busy.Load(); {
			<-look.C
		}
	}
	fill := func(pages int) {
		t.Helper()
		for range pages {
			run(w, "insert into a (text) values (zeroblob(3800))")
			k.look(w)
			rest()
		}
	}
	run(w, "create table a (id integer primary key, text text)")
	fill(600)
	if pages, _, err := checkpoint(w, "noop"); err != nil || pages > 600 {
		t.Fatalf("%d pages, %v: nobody reads, and all is moved before the log has begun anew", pages, err)
	}
	run(r, "begin")
	if _, err := r.query(context.Background(), "select count(*) from a", nil); err != nil {
		t.Fatal(err)
	}
	k.wanted = 700
	fill(600)
	if k.moved >= k.passed {
		t.Fatalf("%d of %d pages are moved under a reader", k.moved, k.passed)
	}
	run(r, "commit")
	fill(1200)
	pages, _, err := checkpoint(w, "noop")
	if err != nil || pages > 1200 {
		t.Errorf("the log has %d pages, %v: it has not begun anew", pages, err)
	}
	for _, c := range []*liteConn{r, w} {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}
	if err := e.close(); err != nil {
		t.Error(err)
	}
}
