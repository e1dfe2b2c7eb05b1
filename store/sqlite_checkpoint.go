package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// Sizes are in pages of 4 KiB.
const (
	logPages = 16384 // length of the write-ahead log at which it is to begin anew: longer means a longer start after a crash
	logStep  = 512   // pages that are moved at once: so few that a commit does not wait long for the disk to write them
	logRest  = 64    // pages that the lane may move by itself, doubled each time that there were more
	lookEach = 8     // groups between two looks
)

// checker moves the pages of the write-ahead log into the database file. It does so a few at a time, on a connection and a goroutine of its own, and has
// them on disk at once, while the lane goes on writing: a commit shares the disk with what it writes, and would wait for much at once. When the log
// is long, the lane moves the rest, which must be little, so that the log is empty for a moment and begins anew. No step waits for readers: while
// one holds an old snapshot the log just grows.
type checker struct {
	conn   *liteConn
	sync   func() error // has what was written to the database file on disk
	log    *slog.Logger
	start  chan struct{}
	ended  chan struct{}
	busy   atomic.Bool // the background is moving pages; what follows is its own then
	passed int         // length of the log when pages were moved last
	moved  int         // how many of them have been moved
	wanted int         // length of the log at which the lane moves the rest
	rest   int         // pages that are a rest
	groups int         // since the last look
}

func newChecker(e *lite) (*checker, error) {
	c, err := e.connect("pragma cache_size=-256")
	if err != nil {
		return nil, err
	}
	k := &checker{conn: c, sync: e.syncData, log: e.log, start: make(chan struct{}, 1), ended: make(chan struct{}), wanted: logPages, rest: logRest}
	go k.run()
	return k, nil
}

func (k *checker) run() {
	defer close(k.ended)
	for range k.start {
		k.move(k.conn)
		if err := k.sync(); err != nil {
			k.log.Warn("have moved pages written to disk", "err", err) // nothing relies on it: SQLite does the same before the log begins anew
		}
		k.busy.Store(false)
	}
}

// move moves what can be moved.
func (k *checker) move(c *liteConn) {
	pages, moved, err := checkpoint(c, "passive")
	if err != nil {
		k.log.Warn("checkpoint", "err", err)
		return
	}
	k.passed, k.moved = pages, moved
}

// look is called by the lane between two groups, with the connection of the lane.
func (k *checker) look(lane *liteConn) {
	if k.groups++; k.groups < lookEach && k.rest == logRest || k.busy.Load() {
		return
	}
	k.groups = 0
	pages, _, err := checkpoint(lane, "noop")
	if err != nil {
		k.log.Warn("length of the write-ahead log", "err", err)
		return
	}
	if pages < k.passed { // it has begun anew
		k.passed, k.moved, k.wanted, k.rest = 0, 0, logPages, logRest
	}
	held := k.moved < k.passed // by a reader's snapshot
	switch {
	case pages >= k.wanted && pages-k.moved <= k.rest:
		k.move(lane)
		k.wanted, k.rest = pages+logStep, logRest // should a reader keep it from beginning anew
	case pages >= k.wanted && !held:
		k.rest *= 2
		k.moveBeside()
	case pages-k.passed >= logStep:
		k.moveBeside()
	}
}

// moveBeside has the background move what can be moved.
func (k *checker) moveBeside() {
	k.busy.Store(true)
	k.start <- struct{}{}
}

func (k *checker) close() error {
	close(k.start)
	<-k.ended
	return k.conn.close()
}

// checkpoint returns the pages in the log and how many of them have been moved.
func checkpoint(c *liteConn, mode string) (pages, moved int, err error) {
	rows, err := c.query(context.Background(), "pragma wal_checkpoint("+mode+")", nil)
	if err != nil {
		return 0, 0, fmt.Errorf("checkpoint %s: %w", mode, err)
	}
	var busy int
	err = (&Row{rows: rows}).Scan(&busy, &pages, &moved)
	return pages, moved, err
}

func cachePragma(bytes int64) string { return fmt.Sprintf("pragma cache_size=-%d", bytes/1024) }
