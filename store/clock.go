package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// clock gives out strictly increasing microseconds. What it gave out last is saved with every commit; a restart goes on
// above that.
type clock struct {
	last    atomic.Int64
	mark    atomic.Int64 // highest value known to be on disk
	now     func() int64
	overdue func() // asks the lane to save the mark although nobody commits
}

// markGap is how far, in microseconds, values may run ahead of the saved mark before the mark is saved by itself, and
// how far a restart that finds the clock set back jumps above the mark: more than could have been given out unsaved.
const (
	markGap  = 1_000_000
	markJump = 5 * markGap
)

const (
	clockTable = `create table if not exists store_clock (id bigint primary key, high bigint not null)`
	clockRow   = `insert into store_clock (id, high) values (1, 0) on conflict do nothing`
	clockRead  = `select high from store_clock where id = 1`
	clockSave  = `update store_clock set high = $1 where id = 1 and high < $1`
)

func newClock() *clock {
	return &clock{now: func() int64 { return time.Now().UnixMicro() }, overdue: func() {}}
}

// load makes the table if it is missing and reads the mark.
func (c *clock) load(w writer) error {
	rows, err := w.query(clockRead, nil)
	if err != nil {
		if rows, err = c.create(w); err != nil {
			return err
		}
	}
	var high int64
	if err := (&Row{rows: rows}).Scan(&high); err != nil {
		return err
	}
	return w.commit(c.start(high))
}

func (c *clock) create(w writer) (*Rows, error) {
	if err := w.rollback(); err != nil {
		return nil, err
	}
	if _, err := w.exec(clockTable, nil); err != nil {
		return nil, fmt.Errorf("create table: %w", err)
	}
	if _, err := w.exec(clockRow, nil); err != nil {
		return nil, fmt.Errorf("first row: %w", err)
	}
	rows, err := w.query(clockRead, nil)
	return rows, errors.Join(err, w.commit(0))
}

// start goes on above a mark. It returns the mark that must be saved before it is used, 0 if it is.
func (c *clock) start(high int64) (unsaved int64) {
	if high > c.now() {
		high += markJump
		unsaved = high
	}
	c.mark.Store(high)
	c.last.Store(high)
	return unsaved
}

// Next returns the present time in microseconds since 1970 (UTC), or one more than the value before if the clock has
// not moved on. Values grow strictly for the life of the database, across restarts and clocks that are set back, so
// they serve as ids that are in the order of time. Only one process at a time may take ids from a database.
func (db *DB) Next() int64 { return db.clock.next() }

// Settled is an id up to which nothing changes any more: whatever a transaction function drew by Next up to it has been kept, and can be read, or never
// will be. It is past every transaction whose caller was told that it was kept. Inside a transaction, which sees what those before it have
// written, it is past all ids.
func (db *DB) Settled(ctx context.Context) int64 {
	if db.txFrom(ctx) != nil {
		return math.MaxInt64
	}
	return db.clock.mark.Load()
}

func (c *clock) next() int64 {
	for {
		last := c.last.Load()
		v := max(c.now(), last+1)
		if !c.last.CompareAndSwap(last, v) {
			continue
		}
		if v > c.mark.Load()+markGap {
			c.overdue()
		}
		return v
	}
}

// unsaved says that the mark lags behind by more than markGap.
func (c *clock) unsaved() bool { return c.last.Load() > c.mark.Load()+markGap }

// markToSave returns the value that the commit under way must save, 0 if it is saved already.
func (c *clock) markToSave() int64 {
	if last := c.last.Load(); last > c.mark.Load() {
		return last
	}
	return 0
}

func (c *clock) saved(mark int64) {
	if mark != 0 {
		c.mark.Store(mark)
	}
}
