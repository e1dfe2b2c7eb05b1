// Package storetest opens databases for tests: every test that keeps something runs on both engines.
//
// SQLite is opened in memory, or as a file where the test needs one. PostgreSQL is the server that the environment
// variable PALABRE_TEST_POSTGRES names (see test/with-postgres, which starts one for a whole run); without it the first
// test of a process starts a private one that ends with the process. Each test has a schema of its own there.
package storetest

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"palabre.dev/palabre/store"
)

// The engines that Open and Config know.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Each runs a test twice, as the subtests sqlite and postgres, each with an empty database that is closed afterwards.
func Each(t *testing.T, run func(t *testing.T, db *store.DB)) {
	t.Helper()
	for _, engine := range []string{SQLite, Postgres} {
		t.Run(engine, func(t *testing.T) { run(t, Open(t, engine)) })
	}
}

// Open returns an empty database on the engine that is closed when the test ends. SQLite is in memory.
func Open(t testing.TB, engine string) *store.DB {
	t.Helper()
	return OpenConfig(t, Config(t, engine))
}

// File returns the configuration of a SQLite database that is a file in the test's own folder, for drills that close,
// kill and open again.
func File(t testing.TB) store.Config {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(t.TempDir(), "palabre.db")
	return cfg
}

// Config returns the configuration of an empty database on the engine. A PostgreSQL schema is dropped when the test
// ends, so it can be opened several times; SQLite in memory is a new database with each opening.
func Config(t testing.TB, engine string) store.Config {
	t.Helper()
	cfg := store.DefaultConfig()
	switch engine {
	case SQLite:
		cfg.URL = "sqlite::memory:"
	case Postgres:
		cfg.URL = schema(t)
	default:
		t.Fatalf("storetest: unknown engine %q", engine)
	}
	return cfg
}

// OpenConfig opens cfg, logs to the test, and closes the database when the test ends (unless the test did).
func OpenConfig(t testing.TB, cfg store.Config) *store.DB {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := store.Open(context.Background(), cfg, log)
	if err != nil {
		t.Fatalf("storetest: open %s: %v", cfg.URL, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil && err != store.ErrClosed {
			t.Errorf("storetest: close: %v", err)
		}
	})
	return db
}
