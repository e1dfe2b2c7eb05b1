package store

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLogBeginsAnew writes several times the length of the log, as large pages and many commits, while a reader now and then holds a snapshot: the file
// stays as long as it may be, and all is there afterwards.
func TestLogBeginsAnew(t *testing.T) {
	cfg := DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	db, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), "create table a (id integer primary key, text text)"); err != nil {
		t.Fatal(err)
	}
	const commits, rows = 2000, 20
	for i := range commits {
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
	info, err := os.Stat(filepath.Join(filepath.Dir(cfg.URL[len("sqlite:"):]), "a.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if pages := info.Size() / 4096; pages > logPages*3/2 {
		t.Errorf("the log has %d pages after writing %d", pages, commits*rows)
	}
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from a").Scan(&n); err != nil || n != commits*rows {
		t.Error(n, err)
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
	k.wanted = 700 // as if it were that long
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
