package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A process owns its database: nobody else writes while it has the lock. If its connection to PostgreSQL breaks, another one may own it
// meanwhile, and what this process remembers of accounts and ids is then out of date. Each owner has a number, one higher than the last one's; who
// comes back and finds another number must not go on.
const (
	ownerTable = `create table if not exists store_owner (id bigint primary key, number bigint not null)`
	ownerRow   = `insert into store_owner (id, number) values (1, 0) on conflict do nothing`
	ownerNext  = `update store_owner set number = number + 1 where id = 1 returning number`
	ownerRead  = `select number from store_owner where id = 1`
)

// watchPause is how often the lane's connection is tried when nothing is written.
const watchPause = 5 * time.Second

// becomeOwner takes the next number.
func (db *DB) becomeOwner(w writer) error {
	for _, sql := range []string{ownerTable, ownerRow} {
		if _, err := w.exec(sql, nil); err != nil {
			return fmt.Errorf("table of the owner: %w", err)
		}
	}
	number, err := readNumber(w, ownerNext)
	if err != nil {
		return err
	}
	db.owner = number
	return w.commit(0)
}

// stillOwner returns ErrLocked if another process has owned the database since.
func (db *DB) stillOwner(w writer) error {
	number, err := readNumber(w, ownerRead)
	if err != nil {
		return err
	}
	if err := w.rollback(); err != nil {
		return err
	}
	if number != db.owner {
		return fmt.Errorf("%w: it is the %dth owner, and this process was the %dth", ErrLocked, number, db.owner)
	}
	return nil
}

func readNumber(w writer, sql string) (number int64, err error) {
	rows, err := w.query(sql, nil)
	if err != nil {
		return 0, fmt.Errorf("number of the owner: %w", err)
	}
	return number, (&Row{rows: rows}).Scan(&number)
}

// displace notes that another process owns the database.
func (db *DB) displace() {
	if db.displaced.CompareAndSwap(false, true) {
		db.log.Error("another server has taken over the database")
		close(db.lost)
	}
}

// Watch returns ErrLocked as soon as another process owns the database, so that this one can send its clients there; it tries the connection
// every few seconds. It returns nil when ctx ends. On SQLite, where the file is locked, it only waits.
func (db *DB) Watch(ctx context.Context) error {
	ticks := time.NewTicker(watchPause)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-db.lost:
			return fmt.Errorf("another server has taken over: %w", ErrLocked)
		case <-ticks.C:
		}
		if db.engine.name() == "postgres" {
			db.tryWriter(ctx)
		}
	}
}

// tryWriter makes the lane use its connection, which finds out whether it is there.
func (db *DB) tryWriter(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, watchPause)
	defer cancel()
	err := db.Tx(ctx, func(ctx context.Context) error {
		var one int
		return db.QueryRow(ctx, `select 1`).Scan(&one)
	})
	if err != nil && !errors.Is(err, ErrClosed) && ctx.Err() == nil {
		db.log.Warn("the database does not answer", "err", err)
	}
}
