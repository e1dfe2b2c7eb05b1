package store

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// logPages is the length of the write-ahead log, in pages of 4 KiB, at which a checkpoint begins. Longer means fewer
// writes for pages that change often, and a longer start after a crash.
const logPages = 16384

// checker moves the pages of the write-ahead log into the database file. Most of that work happens on a connection of
// its own while the lane goes on writing; the lane then moves the few pages that have come since, so that the log is
// empty for a moment and begins anew. No step waits for readers: while one holds an old snapshot the log just grows.
type checker struct {
	conn   *liteConn
	log    *slog.Logger
	start  chan struct{}
	ended  chan struct{}
	busy   atomic.Bool
	ready  bool // the background part is done; the lane's part is due
	wanted int  // log length that begins the next checkpoint
}

func newChecker(e *lite) (*checker, error) {
	c, err := e.connect("pragma cache_size=-256")
	if err != nil {
		return nil, err
	}
	k := &checker{conn: c, log: e.log, start: make(chan struct{}, 1), ended: make(chan struct{}), wanted: logPages}
	go k.run()
	return k, nil
}

func (k *checker) run() {
	defer close(k.ended)
	for range k.start {
		if _, _, err := checkpoint(k.conn, "passive"); err != nil {
			k.log.Warn("checkpoint in the background", "err", err)
		}
		k.busy.Store(false)
	}
}

// look is called by the lane between two groups, with the connection of the lane.
func (k *checker) look(lane *liteConn) {
	if k.busy.Load() {
		return
	}
	if k.ready {
		k.ready = false
		k.finish(lane)
		return
	}
	pages, _, err := checkpoint(lane, "noop")
	if err != nil {
		k.log.Warn("length of the write-ahead log", "err", err)
		return
	}
	if pages >= k.wanted {
		k.busy.Store(true)
		k.ready = true
		k.start <- struct{}{}
	}
}

func (k *checker) finish(lane *liteConn) {
	pages, moved, err := checkpoint(lane, "passive")
	if err != nil {
		k.log.Warn("checkpoint", "err", err)
	}
	k.wanted = logPages
	if moved < pages {
		k.wanted = pages + logPages // a reader holds an old snapshot: try again later
	}
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
