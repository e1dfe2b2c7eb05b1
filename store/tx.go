package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// tx is one function's share of the transaction of its group. Only the goroutine of the function uses it.
type tx struct {
	lane   *lane
	over   atomic.Bool // the function has returned: the context must not be used any more
	failed error       // the first statement that failed; the function fails with it even if it goes on
	wrote  bool        // sent a statement that may have written
}

type txKey struct{}

// txFrom returns the transaction that ctx carries, if it is one of db.
func (db *DB) txFrom(ctx context.Context) *tx {
	if t, ok := ctx.Value(txKey{}).(*tx); ok && t.lane.db == db {
		return t
	}
	return nil
}

// task is one function on its way through the lane.
type task struct {
	ctx   context.Context
	fn    func(context.Context) error
	done  func(error)
	since time.Time
	slot  chan struct{} // where the lane gives back the room k takes in the queue
	state atomic.Int32
	err   error
}

// A task is waiting until the lane takes it or its caller gives up, whoever is first.
const (
	waiting int32 = iota
	taken
	abandoned
)

// Tx runs fn in a transaction and returns after the commit is on disk, or with the error that kept it from being kept:
// the error of fn, ErrConflict, ErrFull, ErrBusy, ErrClosed, ErrUnavailable, ErrUnknown, or the error of ctx if that
// ended before fn began. fn must be repeatable, must use the context it is given and its own goroutine for all calls to db, and must
// not call db with another context (that would wait for itself). A statement that fails makes fn fail, even if fn
// ignores it. A panic in fn is returned as an error. If ctx carries a transaction of this database already, fn runs as
// a part of it, and an error of fn fails the whole.
func (db *DB) Tx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := db.txFrom(ctx); t != nil {
		return t.join(ctx, fn)
	}
	result := make(chan error, 1)
	t := &task{ctx: ctx, fn: fn, done: func(err error) { result <- err }}
	db.lane.submit(t)
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	if t.state.CompareAndSwap(waiting, abandoned) {
		return ctx.Err()
	}
	return <-result
}

// Submit is Tx without waiting: it returns as soon as fn is queued. done is called exactly once, with nil after the
// commit is on disk or with the error that Tx would return; calls come one at a time, in the order of submission over
// all callers. done runs on the writer lane: it must be quick and must not call db. When the queue is full, Submit waits
// for room until ctx ends; done then gets ErrBusy. Inside a transaction Submit is refused.
func (db *DB) Submit(ctx context.Context, fn func(ctx context.Context) error, done func(error)) {
	if db.txFrom(ctx) != nil {
		done(errors.New("store: Submit inside a transaction"))
		return
	}
	db.lane.submit(&task{ctx: ctx, fn: fn, done: done})
}

func (t *tx) join(ctx context.Context, fn func(context.Context) error) error {
	if t.over.Load() {
		return ErrNoTx
	}
	err := fn(ctx)
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// call runs the function of a task in t and turns a panic into an error.
func (t *tx) call(k *task) (err error) {
	defer t.over.Store(true)
	defer func() {
		if p := recover(); p != nil {
			t.lane.db.metrics.failed("panic")
			err = fmt.Errorf("panic in transaction: %v\n%s", p, debug.Stack())
		}
	}()
	err = k.fn(context.WithValue(k.ctx, txKey{}, t))
	if err == nil {
		err = t.failed
	}
	return err
}

// Query runs a statement that returns rows. Inside a transaction it runs there and sees what was written so far;
// outside it reads a snapshot that never blocks the writer and cannot write. The result is read whole: at most MaxRows
// rows and MaxResultBytes bytes, else ErrTooLarge.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (*Rows, error) {
	plain, err := plainArgs(args)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	if t := db.txFrom(ctx); t != nil {
		return t.query(sql, plain)
	}
	if db.closed.Load() {
		return nil, ErrClosed
	}
	rows, err := db.engine.query(ctx, sql, plain)
	return rows, classify(err)
}

// QueryRow is Query for at most one row; an error is returned by Row.Scan.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) *Row {
	rows, err := db.Query(ctx, sql, args...)
	return &Row{rows: rows, err: err}
}

// Exec runs a statement and returns how many rows it changed. Outside a transaction it makes its own.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (rowsAffected int64, err error) {
	plain, err := plainArgs(args)
	if err != nil {
		return 0, fmt.Errorf("exec: %w", err)
	}
	if t := db.txFrom(ctx); t != nil {
		return t.exec(sql, plain)
	}
	err = db.Tx(ctx, func(ctx context.Context) error {
		rowsAffected, err = db.txFrom(ctx).exec(sql, plain)
		return err
	})
	return rowsAffected, err
}

// Append adds a row to the transaction in ctx (else ErrNoTx). Rows are written together, with those of the whole group:
// before the commit, or earlier when a Query or Exec names the table in its text. A statement that reaches the table
// by another way (view, trigger, foreign key) may miss them. A refused row (ErrConflict) fails the function later, so
// Append itself only returns errors about its arguments. args must not change afterwards.
func (db *DB) Append(ctx context.Context, ins *Insert, args ...any) error {
	t := db.txFrom(ctx)
	if t == nil || t.over.Load() {
		return ErrNoTx
	}
	if len(args) != len(ins.columns) {
		return t.fail(fmt.Errorf("append to %s: %d values for %d columns", ins.table, len(args), len(ins.columns)))
	}
	for i, a := range args {
		p, err := plainArg(a)
		if err != nil {
			return t.fail(fmt.Errorf("append to %s: column %s: %w", ins.table, ins.columns[i], err))
		}
		args[i] = p
	}
	t.lane.pending.add(ins, args)
	return nil
}

func (t *tx) query(sql string, args []any) (*Rows, error) {
	if err := t.prepare(sql); err != nil {
		return nil, err
	}
	rows, err := t.lane.w.query(sql, args)
	return rows, t.fail(err)
}

func (t *tx) exec(sql string, args []any) (int64, error) {
	if err := t.prepare(sql); err != nil {
		return 0, err
	}
	n, err := t.lane.w.exec(sql, args)
	return n, t.fail(err)
}

// prepare makes sure that the statement may run and sees the appended rows that it might ask for.
func (t *tx) prepare(sql string) error {
	if t.over.Load() {
		return ErrNoTx
	}
	if t.failed != nil {
		return fmt.Errorf("an earlier statement failed: %w", t.failed)
	}
	if !isRead(sql) {
		t.wrote = true
	}
	if !t.lane.pending.touches(sql) {
		return nil
	}
	if len(t.lane.pending.recent) > 0 {
		t.wrote = true
	}
	return t.fail(t.lane.pending.flush(t.lane.w))
}

// fail remembers the first error of a statement: on PostgreSQL it has aborted the transaction, so on SQLite it counts
// as much.
func (t *tx) fail(err error) error {
	err = classify(err)
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// isRead recognises statements that surely write nothing. Unsure means no.
func isRead(sql string) bool {
	sql = strings.TrimLeft(sql, " \t\n")
	return len(sql) > 7 && strings.EqualFold(sql[:6], "select")
}
