package store

import (
	"context"
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

// watchPause is how often the lane's connection is tried when nothing is written, and how long a question about it may take.
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

// displace notes that another process owns the database. Only the lane calls it.
func (db *DB) displace() {
	if !db.isDisplaced() {
		db.log.Error("another server has taken over the database")
		close(db.lost)
	}
}

func (db *DB) isDisplaced() bool {
	select {
	case <-db.lost:
		return true
	default:
		return false
	}
}

// hasOtherOwner reports whether somebody has owned the database since. The lock alone does not tell: the server may be keeping a session of this
// process whose connection broke in silence.
func (db *DB) hasOtherOwner() bool {
	ctx, cancel := context.WithTimeout(context.Background(), watchPause)
	defer cancel()
	rows, err := db.engine.query(ctx, ownerRead, nil)
	if err != nil {
		return false // nobody can know; the next attempt asks again
	}
	var number int64
	if err := (&Row{rows: rows}).Scan(&number); err != nil {
		return false
	}
	return number != db.owner
}

// Watch returns ErrLocked as soon as another process owns the database: this one must end at once, like one that crashes, and tell nobody anything.
// It returns nil when ctx ends.
func (db *DB) Watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-db.lost:
		return fmt.Errorf("another server has taken over: %w", ErrLocked)
	}
}

// probe uses the lane's connection when nothing was written for a while, and makes a new one if it is gone: an owner without writers has to find
// out, too, that it is none any more.
func (l *lane) probe() {
	if l.db.isDisplaced() {
		return
	}
	if l.w != nil {
		_, err := readNumber(l.w, ownerRead)
		if err == nil {
			err = l.w.rollback()
		}
		if err == nil {
			return
		}
		l.db.log.Warn("the database does not answer", "err", err)
		l.abort()
	}
	if err := l.connect(); err != nil {
		l.db.log.Warn("the database is away", "err", err)
	}
}
