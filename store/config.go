package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Config says where the rows are kept and how much memory the store may use.
type Config struct {
	// URL names the database: `sqlite:/path/palabre.db` (created when missing), `sqlite::memory:` (private, gone after
	// Close, for tests) or `postgres://user:password@host:port/database`.
	URL string `toml:"url"`
	// CacheSizeBytes is the page cache of the SQLite writer (1 MiB–16 GiB). PostgreSQL has its own setting.
	CacheSizeBytes int64 `toml:"cache_size_bytes"`
	// MaxGroup is how many transactions share one commit at most (1–65536).
	MaxGroup int `toml:"max_group"`
	// MaxQueue is how many transactions wait for the writer at most (1–1048576); beyond that callers wait, until their
	// context ends (ErrBusy).
	MaxQueue int `toml:"max_queue"`
	// ReadConnections is how many reads run at the same time (1–256).
	ReadConnections int `toml:"read_connections"`
}

// DefaultConfig returns a configuration that suits a machine with 1 GB of memory. Its URL is a file in the working
// directory.
func DefaultConfig() Config {
	return Config{
		URL:             "sqlite:palabre.db",
		CacheSizeBytes:  64 << 20,
		MaxGroup:        1024,
		MaxQueue:        8192,
		ReadConnections: 4,
	}
}

// Validate returns an error that names every value that is out of its range.
func (c Config) Validate() error {
	var errs []error
	if !strings.HasPrefix(c.URL, "sqlite:") && !isPostgres(c.URL) {
		errs = append(errs, errors.New("url: want sqlite:/path, sqlite::memory: or postgres://…"))
	}
	if c.URL == "sqlite:" {
		errs = append(errs, errors.New("url: the path after sqlite: is missing"))
	}
	within := func(name string, v, low, high int64) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s: %d is not within %d–%d", name, v, low, high))
		}
	}
	within("cache size", c.CacheSizeBytes, 1<<20, 16<<30)
	within("max group", int64(c.MaxGroup), 1, 65536)
	within("max queue", int64(c.MaxQueue), 1, 1<<20)
	within("read connections", int64(c.ReadConnections), 1, 256)
	return errors.Join(errs...)
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

func openEngine(ctx context.Context, cfg Config, log *slog.Logger) (engine, error) {
	if isPostgres(cfg.URL) {
		return openPostgres(ctx, cfg, log)
	}
	return openSQLite(ctx, cfg, log)
}
