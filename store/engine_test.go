package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestFullDiskRefusesWritesAndRecovers(t *testing.T) {
	db := storetest.OpenConfig(t, storetest.File(t))
	makeNote(t, db)
	limit := func(pages int) {
		t.Helper()
		err := db.Tx(context.Background(), func(ctx context.Context) error {
			_, err := db.Query(ctx, fmt.Sprintf("pragma max_page_count = %d", pages)) // of the writing connection
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(60)
	large := func(id int) func(context.Context) error {
		return func(ctx context.Context) error { return db.Append(ctx, note, 1, id, strings.Repeat("x", 20_000)) }
	}
	kept := 0
	var err error
	for ; err == nil && kept < 100; kept++ {
		err = db.Tx(context.Background(), large(kept))
	}
	kept--
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("%v, want ErrFull", err)
	}
	results, _ := together(db, large(1000), large(1001))
	for _, err := range results {
		if !errors.Is(err, store.ErrFull) {
			t.Errorf("in a group: %v, want ErrFull", err)
		}
	}
	if n := count(t, db, "1 = 1"); n != kept || kept == 0 {
		t.Errorf("%d rows while full, %d were acknowledged", n, kept)
	}
	limit(100_000)
	if err := db.Tx(context.Background(), large(2000)); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	if n := count(t, db, "1 = 1"); n != kept+1 {
		t.Errorf("%d rows after room was made, want %d", n, kept+1)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	for name, cfg := range map[string]store.Config{"sqlite": storetest.File(t), "postgres": storetest.Config(t, "postgres")} {
		t.Run(name, func(t *testing.T) {
			db := storetest.OpenConfig(t, cfg)
			if _, err := store.Open(context.Background(), cfg, quiet); !errors.Is(err, store.ErrLocked) {
				t.Errorf("%v, want ErrLocked", err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			storetest.OpenConfig(t, cfg)
		})
	}
}

func TestBackupWhileWriting(t *testing.T) {
	db := storetest.OpenConfig(t, storetest.File(t))
	makeNote(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for c := range 10 {
		wg.Go(func() {
			for ctx.Err() == nil {
				id := db.Next()
				err := db.Tx(context.Background(), func(ctx context.Context) error {
					return errors.Join(db.Append(ctx, note, c, id, "a"), db.Append(ctx, note, c+100, id, "b"))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	path := filepath.Join(t.TempDir(), "copy #1?.db")
	err := db.Backup(context.Background(), path)
	cancel()
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(context.Background(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an existing file: %v", err)
	}
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + path
	copied := storetest.OpenConfig(t, cfg)
	if a, b := count(t, copied, "account < 100"), count(t, copied, "account >= 100"); a != b {
		t.Errorf("the copy has %d and %d halves", a, b)
	}
	if copied.Next() <= 0 {
		t.Error("no clock in the copy")
	}
}

func TestPostgresBackupNamesTheTool(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres)
	if err := db.Backup(context.Background(), "x"); err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("%v", err)
	}
}

// TestLostConnection ends the writer's session on the server, between groups and within one.
func TestLostConnection(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres)
	makeNote(t, db)
	killer := storetest.Open(t, storetest.Postgres)
	kill := func(ctx context.Context) error {
		var pid int
		if err := db.QueryRow(ctx, `select pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		_, err := killer.Query(context.Background(), `select pg_terminate_backend($1, 5000)`, pid)
		return err
	}
	if err := db.Tx(context.Background(), kill); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("loss before a lone commit, again and again: %v, want ErrUnavailable", err)
	}
	if err := db.Tx(context.Background(), appendNote(db, 1, 1)); err != nil {
		t.Errorf("after the loss: %v", err)
	}
	runs := 0
	results, _ := together(db, appendNote(db, 1, 2), func(ctx context.Context) error {
		if _, err := db.Exec(ctx, `insert into note (account, id) values (1, 3)`); err != nil {
			return err
		}
		if runs++; runs == 1 {
			return kill(ctx)
		}
		return nil
	}, func(ctx context.Context) error {
		_, err := db.Exec(ctx, `insert into note (account, id) values (1, 4)`)
		return err
	})
	if err := errors.Join(results...); err != nil {
		t.Errorf("loss within a group: %v", err)
	}
	if n := count(t, db, "id in (2, 3, 4)"); n != 3 || runs != 2 {
		t.Errorf("%d rows after %d runs", n, runs)
	}
}

// TestReadersOfLostConnections: connections that the server ended while nobody used them fail nobody's read.
func TestReadersOfLostConnections(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres)
	makeNote(t, db)
	var readers sync.WaitGroup
	for range 8 { // more than there are connections
		readers.Go(func() {
			if _, err := db.Query(context.Background(), `select pg_sleep(0.05)::text`); err != nil {
				t.Error(err)
			}
		})
	}
	readers.Wait()
	killer := storetest.Open(t, storetest.Postgres)
	err := killer.Tx(context.Background(), func(ctx context.Context) error {
		_, err := killer.Query(ctx, `select pg_terminate_backend(pid, 5000) from pg_stat_activity
			where query like '%pg_sleep(0.05)%' and pid <> pg_backend_pid()`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "1 = 1"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// TestLossDuringCommitIsNotAcknowledged: the session ends just before begin … commit is sent in one piece.
func TestLossDuringCommitIsNotAcknowledged(t *testing.T) {
	db := storetest.Open(t, storetest.Postgres)
	makeNote(t, db)
	killer := storetest.Open(t, storetest.Postgres)
	err := db.Tx(context.Background(), func(ctx context.Context) error {
		var pid int
		if err := db.QueryRow(ctx, `select pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		if _, err := killer.Query(context.Background(), `select pg_terminate_backend($1, 5000)`, pid); err != nil {
			return err
		}
		return db.Append(ctx, note, 1, 1, "lost")
	})
	if n := count(t, db, "1 = 1"); (err == nil) != (n == 1) {
		t.Errorf("told %v, and %d rows are there", err, n)
	}
	if err := db.Tx(context.Background(), appendNote(db, 1, 2)); err != nil {
		t.Errorf("the next transaction: %v", err)
	}
}

// TestStatementsOutliveAChangedTable: a prepared statement that no longer fits is prepared again.
func TestStatementsOutliveAChangedTable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeNote(t, db)
		read := func(ctx context.Context) error {
			if err := db.Append(ctx, note, 1, db.Next(), "x"); err != nil {
				return err
			}
			_, err := db.Query(ctx, `select * from note`)
			return err
		}
		for _, change := range []string{`alter table note add column more text`, `alter table note drop column more`} {
			if err := db.Tx(context.Background(), read); err != nil {
				t.Errorf("before %s: %v", change, err)
			}
			mustExec(t, db, change)
		}
		if err := db.Tx(context.Background(), read); err != nil {
			t.Error(err)
		}
	})
}

func TestMetrics(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		reg := prometheus.NewPedanticRegistry()
		for _, c := range db.Collectors() {
			reg.MustRegister(c)
		}
		makeNote(t, db)
		together(db, appendNote(db, 1, 1), appendNote(db, 1, 1))
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		want := 6 // failures has no kind yet
		if db.Engine() == "sqlite" {
			want++ // the length of its log
		}
		if len(families) != want {
			t.Errorf("%d metrics", len(families))
		}
		for _, f := range families {
			if !strings.HasPrefix(f.GetName(), "palabre_store_") {
				t.Errorf("name %s", f.GetName())
			}
			if f.GetName() == "palabre_store_reruns_total" && f.GetMetric()[0].GetCounter().GetValue() != 1 {
				t.Errorf("reruns %v", f)
			}
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for _, change := range []func(*store.Config){
		func(c *store.Config) { c.URL = "mysql://x" }, func(c *store.Config) { c.URL = "sqlite:" },
		func(c *store.Config) { c.MaxGroup = 0 }, func(c *store.Config) { c.CacheSizeBytes = 1 },
		func(c *store.Config) { c.URL = "sqlite:/nowhere/at/all.db" },
	} {
		cfg := storetest.File(t)
		change(&cfg)
		if db, err := store.Open(context.Background(), cfg, quiet); err == nil {
			t.Errorf("%+v was taken", cfg)
			db.Close()
		}
	}
}
