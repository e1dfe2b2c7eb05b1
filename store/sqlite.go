package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"
)

// inMemory is the path that asks for a private database that is gone after Close.
const inMemory = ":memory:"

// readerCacheKiB is small because every commit empties a reader's cache; the file is in the system's cache anyway.
const readerCacheKiB = 2048

// lite is the SQLite engine: write-ahead log, one writing connection, a few reading ones, and one that checkpoints.
type lite struct {
	path    string
	memory  string // folder to remove at close, when in memory
	cfg     Config
	log     *slog.Logger
	lock    *os.File
	data    *os.File // the database, to have it synced; to close it drops SQLite's own locks, so it is closed last
	readers chan *liteConn
	reading int                           // connections that go through readers
	resting atomic.Pointer[chan struct{}] // closed when new reads may begin, nil if they may
	checker *checker
}

// openSQLite locks the file, creates it if it is missing, and opens the reading connections.
func openSQLite(ctx context.Context, cfg Config, log *slog.Logger) (*lite, error) {
	e := &lite{path: strings.TrimPrefix(cfg.URL, "sqlite:"), cfg: cfg, log: log}
	if e.path == inMemory {
		if err := e.makeMemory(); err != nil {
			return nil, err
		}
	}
	if err := e.open(); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *lite) open() error {
	path, err := filepath.Abs(e.path)
	if err != nil {
		return err
	}
	e.path = path
	if e.lock, err = lockFile(path + ".lock"); err != nil {
		return err
	}
	if err := e.create(); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	e.readers = make(chan *liteConn, e.cfg.ReadConnections)
	for range e.cfg.ReadConnections {
		c, err := e.connect(fmt.Sprintf("pragma query_only=on; pragma cache_size=-%d", readerCacheKiB))
		if err != nil {
			return err
		}
		e.readers <- c
		e.reading++
	}
	if e.data, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return err
	}
	e.checker, err = newChecker(e)
	return err
}

// syncData has what was written to the database file on disk, unless it is only in memory anyway.
func (e *lite) syncData() error {
	if e.memory != "" {
		return nil
	}
	return syncFile(e.data)
}

// create makes sure that the file is in WAL mode and that its name is on disk.
func (e *lite) create() error {
	c, err := e.connect("pragma journal_mode=wal")
	if err != nil {
		return err
	}
	rows, err := c.query(context.Background(), "pragma journal_mode", nil)
	if err != nil {
		return errors.Join(err, c.close())
	}
	var mode string
	if err := (&Row{rows: rows}).Scan(&mode); err != nil || mode != "wal" {
		return errors.Join(fmt.Errorf("no write-ahead log here, journal mode is %q", mode), err, c.close())
	}
	if err := c.close(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(e.path))
}

// lockFile takes an exclusive lock that the system drops when the process ends, however it ends. It is a file of its
// own because closing a descriptor of the database would drop SQLite's own locks.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		err = fmt.Errorf("lock %s: %w", path, err)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("%w (%s)", ErrLocked, path)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// busyTimeout is how long a connection waits for another one, in milliseconds.
const busyTimeout = "10000"

func (e *lite) dsn() string {
	return "file:" + (&url.URL{Path: e.path}).EscapedPath() + "?_mutex=no&_stmt_cache_size=1&_busy_timeout=" + busyTimeout
}

// connect opens a connection and runs pragmas on it. synchronous=full is the promise: a commit returns after fsync.
// Foreign keys stay off because appended rows are written late and table by table.
func (e *lite) connect(pragmas string) (*liteConn, error) {
	open, err := (&sqlite3.SQLiteDriver{}).Open(e.dsn())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.path, classify(err))
	}
	c := &liteConn{conn: open.(*sqlite3.SQLiteConn), statements: map[string]*liteStmt{}}
	durable := "full"
	if e.memory != "" {
		durable = "off"
	}
	pragmas = "pragma synchronous=" + durable + "; pragma foreign_keys=off; pragma wal_autocheckpoint=0; " +
		fmt.Sprintf("pragma journal_size_limit=%d; pragma temp_store=memory; pragma trusted_schema=off; ", 2*logPages*4096) + pragmas
	if _, err := c.conn.Exec(pragmas, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", e.path, classify(err)), c.close())
	}
	return c, nil
}

func (e *lite) name() string { return "sqlite" }

func (e *lite) query(ctx context.Context, sql string, args []any) (*Rows, error) {
	if again := e.resting.Load(); again != nil {
		select {
		case <-*again:
		case <-ctx.Done():
		}
	}
	select {
	case c, ok := <-e.readers:
		if !ok {
			return nil, ErrClosed
		}
		defer func() { e.readers <- c }()
		return c.query(ctx, sql, args)
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: no read connection is free: %w", ErrBusy, context.Cause(ctx))
	}
}

// readsPause is how long at most the end of reads is waited for.
const readsPause = 100 * time.Millisecond

// whileNobodyReads calls fn with all reading connections at rest. It reports false, and does not call it, if a read takes long. A backup reads on a
// connection of its own, and is not waited for.
func (e *lite) whileNobodyReads(fn func()) bool {
	late := time.NewTimer(readsPause)
	defer late.Stop()
	again := make(chan struct{})
	e.resting.Store(&again)
	var taken []*liteConn
	defer func() {
		e.resting.Store(nil)
		close(again)
		for _, c := range taken {
			e.readers <- c
		}
	}()
	for len(taken) < e.reading {
		select {
		case c := <-e.readers:
			taken = append(taken, c)
		case <-late.C:
			return false
		}
	}
	fn()
	return true
}

// close waits for the reads under way. The last connection to close moves the log into the database file.
func (e *lite) close() error {
	var errs []error
	if e.checker != nil {
		errs = append(errs, e.checker.close())
	}
	for range e.reading {
		if c := <-e.readers; e.checker == nil || !e.checker.broken.Load() { // see checker.fail
			errs = append(errs, c.close())
		}
	}
	if e.readers != nil {
		close(e.readers)
	}
	if e.data != nil {
		errs = append(errs, e.data.Close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	if e.memory != "" {
		errs = append(errs, os.RemoveAll(e.memory))
	}
	return errors.Join(errs...)
}
