// Package ledger keeps who has how much: accounts in one unit each, and a journal of transfers between them, double entry, in whole minor units. A record is
// never changed and never deleted; what was wrong is reversed by another record. Each record has the hash of the one before it in its own, so that whoever
// changes the past is found out (Verify). Everything that is asked for has an id that the caller chose: asked again with the same content it gets the same
// answer, and nothing happens twice. Many callers share one commit. Left out: who may ask for what, limits, fees, networks outside, and words for people:
// those are for payments/pay and payments/rail.
package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxBatch is how many requests share one transaction at most (1–4096).
	MaxBatch int `toml:"max_batch"`
	// MaxCached is of how many accounts the balance is kept in memory (1,000–10,000,000), about 200 bytes each.
	MaxCached int `toml:"max_cached"`
	// Units are units of the operator's own, beside the currencies of ISO 4217.
	Units []Unit `toml:"units"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config { return Config{MaxBatch: 1024, MaxCached: 100_000} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxBatch < 1 || c.MaxBatch > 4096 {
		return errors.New("max_batch must be from 1 to 4096")
	}
	if c.MaxCached < 1000 || c.MaxCached > 10_000_000 {
		return errors.New("max_cached must be from 1000 to 10000000")
	}
	for _, unit := range c.Units {
		if err := unit.validate(); err != nil {
			return err
		}
	}
	return nil
}

// maxWaiting is how many requests wait for their batch at most; beyond that callers wait until their context ends.
const maxWaiting = 8192

// Ledger is the one book of a database. Its methods are safe for concurrent use.
type Ledger struct {
	cfg   Config
	db    *store.DB
	log   *slog.Logger
	units map[string]Unit
	now   func() time.Time
	next  func() int64 // numbers of records

	waiting  chan *request
	stop     chan struct{}
	finished chan struct{} // closed when nothing is answered any more
	over     sync.WaitGroup

	metrics *metrics

	known   memory // of the goroutine that posts alone
	expired int64  // holds that end until then have ended; of Run alone
}

// New makes the ledger and its tables, and begins to take requests. It fails if a unit that was used has another exponent now.
func New(ctx context.Context, cfg Config, db *store.DB, log *slog.Logger) (*Ledger, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err := db.Migrate(ctx, "ledger", migrations); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{cfg: cfg, db: db, log: log.With("part", "ledger"), units: map[string]Unit{}, now: time.Now, next: db.Next,
		waiting: make(chan *request, maxWaiting), stop: make(chan struct{}), finished: make(chan struct{}), metrics: newMetrics()}
	for _, unit := range append(currencies(), cfg.Units...) {
		l.units[unit.Code] = unit
	}
	if err := l.checkUnits(ctx); err != nil {
		return nil, err
	}
	l.known.clear()
	l.over.Go(l.post)
	return l, nil
}

// Close takes no requests any more and ends when those that were taken are answered.
func (l *Ledger) Close() {
	close(l.stop)
	l.over.Wait()
}

// Run ends holds of which the time is over, until ctx ends.
func (l *Ledger) Run(ctx context.Context) error {
	tick := time.NewTicker(expirePause)
	defer tick.Stop()
	for {
		if err := l.expire(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("holds whose time is over could not be ended; they are tried again", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
