// Package store keeps the rows of every part in SQLite or PostgreSQL, and makes durability cheap: it gathers the
// transactions of many concurrent callers into one commit (group commit), so that one fsync serves hundreds of them.
//
// One writer lane (a goroutine with one connection) runs the queued functions one after another inside one database
// transaction, writes the rows they appended together, commits, and only then tells the callers, in the
// order in which they came. While one group waits for the disk the next one collects. Functions must therefore be
// repeatable: when one of a group fails, the group is rolled back and run again with a savepoint around each
// function, so that only the guilty one fails.
//
// The same SQL text runs on both engines: `$1` placeholders, `on conflict`, `returning`, columns of the types bigint,
// text, bytea, boolean and double precision. Left out on purpose: an object mapper, streaming results (a result is
// read whole, so that a slow reader never pins a snapshot), statements that hold several statements, triggers and
// foreign keys (appended rows are written late, see [DB.Append]).
package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// DB is an open database with its writer lane and its read pool. Its methods are safe for concurrent use.
type DB struct {
	cfg     Config
	log     *slog.Logger
	engine  engine
	lane    *lane
	clock   *clock
	metrics *metrics
	closed  atomic.Bool
	undone  atomic.Int64

	owner int64         // number of this process among the owners of the database
	lost  chan struct{} // closed when another process owns it
}

// engine is what differs between SQLite and PostgreSQL.
type engine interface {
	name() string
	writer(ctx context.Context) (writer, error)
	query(ctx context.Context, sql string, args []any) (*Rows, error)
	migrator(ctx context.Context) (*migrator, error)
	backup(ctx context.Context, path string) error
	close() error
}

// writer is the one connection that writes. It begins a transaction by itself at the first statement. Only the lane
// uses it. A writer whose broken method returns an error has lost its transaction, and perhaps its connection.
type writer interface {
	exec(sql string, args []any) (int64, error)
	query(sql string, args []any) (*Rows, error)
	insert(ins *Insert, rows [][]any) error
	savepoint() error
	release() error
	rollbackTo() error
	commit(mark int64) error // mark is the clock's high-water mark to save, 0 for none
	rollback() error
	idle()           // called after a group was told: time for housekeeping that would delay its callers
	broken() error   // the failure that made the writer useless for this transaction
	mayBeLost() bool // the answer to a commit can get lost on its way
	close() error
}

// Open opens the database that cfg names, creates it if it is a SQLite file that does not exist, and starts the writer
// lane. A SQLite file is locked for this process: a second Open returns ErrLocked. ctx bounds the opening only.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*DB, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("store configuration: %w", err)
	}
	e, err := openEngine(ctx, cfg, log)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db := &DB{cfg: cfg, log: log, engine: e, clock: newClock(), lost: make(chan struct{})}
	w, err := db.firstWriter(ctx)
	if err != nil {
		e.close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.lane = newLane(db, w)
	db.metrics = newMetrics(db.lane)
	db.clock.overdue = db.lane.wakeUp
	go db.lane.run()
	return db, nil
}

// firstWriter connects the writer and starts the clock above every value that was ever saved.
func (db *DB) firstWriter(ctx context.Context) (writer, error) {
	w, err := db.engine.writer(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.clock.load(w); err != nil {
		w.close()
		return nil, fmt.Errorf("load clock: %w", err)
	}
	if err := db.becomeOwner(w); err != nil {
		w.close()
		return nil, fmt.Errorf("own the database: %w", err)
	}
	return w, nil
}

// Close refuses new work with ErrClosed, finishes what is queued, and closes all connections. A second Close returns
// ErrClosed.
func (db *DB) Close() error {
	if !db.closed.CompareAndSwap(false, true) {
		return ErrClosed
	}
	db.lane.stop()
	if err := db.engine.close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// Engine returns "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name() }

// Backup writes a consistent copy of the database to path while serving goes on. path must not exist; it appears only
// when it is complete and on disk. PostgreSQL has its own tool: there Backup returns an error that names pg_dump.
func (db *DB) Backup(ctx context.Context, path string) error {
	if db.closed.Load() {
		return ErrClosed
	}
	if err := db.engine.backup(ctx, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

// Undone counts how often the writer has taken back what functions had done in a transaction. Who remembers outside of the database what their
// functions wrote looks whether it is still the same: else some of that may not be there. Only within a transaction does the number mean something.
func (db *DB) Undone() int64 { return db.undone.Load() }

// Collectors returns the metrics of this database (`palabre_store_…`), for a prometheus.Registerer.
func (db *DB) Collectors() []prometheus.Collector {
	all := db.metrics.all()
	if e, ok := db.engine.(*lite); ok {
		all = append(all, e.checker.gauge())
	}
	return all
}
