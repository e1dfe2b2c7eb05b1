package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"
)

// Sizes are in pages of 4 KiB.
const (
	logPages = 16384        // length of the write-ahead log at which it is to begin anew: longer means a longer start after a crash
	logMost  = 4 * logPages // at which readers wait for it
	logStep  = 512          // pages that are moved at once: so few that a commit does not wait long for the disk to write them
	logRest  = 64           // pages that the lane may move by itself, doubled each time that there were more
	lookEach = 8            // groups between two looks
)

// checker moves the pages of the write-ahead log into the database file. It does so a few at a time, on a connection and a goroutine of its own, and has
// them on disk at once, while the lane goes on writing: a commit shares the disk with what it writes, and would wait for much at once. When the log
// is long, the lane moves the rest, which must be little, so that the log is empty for a moment and begins anew. No step waits for readers, while one
// holds an old snapshot the log just grows; but when it has grown to logMost, reads wait a moment for it.
type checker struct {
	conn   *liteConn
	whole  int               // logPages
	most   int               // logMost
	sync   func() error      // has what was written to the database file on disk
	alone  func(func()) bool // calls a function while nobody reads, false if somebody does for long
	log    *slog.Logger
	start  chan struct{}
	ended  chan struct{}
	length atomic.Int64 // of the log, for the metrics
	broken atomic.Bool  // something that was moved may not be on disk: the log must stay as it is, and whole

	busy   atomic.Bool // the background is moving pages; what follows is its own then
	passed int         // length of the log when pages were moved last
	moved  int         // how many of them have been moved
	held   bool        // by a reader's snapshot: not even what was there the time before could be moved
	wanted int         // length of the log at which the lane moves the rest
	rest   int         // pages that are a rest
	groups int         // since the last look
	again  time.Time   // not before, after an error
}

func newChecker(e *lite) (*checker, error) {
	c, err := e.connect("pragma cache_size=-256")
	if err != nil {
		return nil, err
	}
	k := &checker{conn: c, whole: logPages, most: logMost, sync: e.syncData, alone: e.whileNobodyReads, log: e.log, start: make(chan struct{}, 1), ended: make(chan struct{}),
		wanted: logPages, rest: logRest}
	go k.run()
	return k, nil
}

func (k *checker) run() {
	defer close(k.ended)
	for range k.start {
		if k.move(k.conn, "passive") {
			if err := k.sync(); err != nil {
				k.fail(err)
			}
		}
		k.busy.Store(false)
	}
}

// move moves what can be moved.
func (k *checker) move(c *liteConn, mode string) bool {
	pages, moved, err := checkpoint(c, mode)
	if err != nil {
		k.fail(err)
		return false
	}
	k.held = moved < k.passed
	k.passed, k.moved = pages, moved
	return true
}

// fail pauses after an error. After one of the disk it stops for good: what a system could not write it may take for written from then on, so that
// the next attempt would succeed, and the log, which has it still, would be overwritten. The next start moves the whole log.
func (k *checker) fail(err error) {
	k.again = time.Now().Add(logPause)
	var lite sqlite3.Error
	if full := errors.Is(classify(err), ErrFull); !full && (!errors.As(err, &lite) || lite.Code == sqlite3.ErrIoErr) {
		k.broken.Store(true)
		k.log.Error("the disk does not take the database file; the write-ahead log is kept and grows: look after the disk and restart", "err", err)
		return
	}
	k.log.Warn("move the write-ahead log", "err", err)
}

// look is called by the lane between two groups, with the connection of the lane.
func (k *checker) look(lane *liteConn) {
	if k.groups++; k.groups < lookEach && k.rest == logRest || k.busy.Load() || k.broken.Load() || time.Now().Before(k.again) {
		return
	}
	k.groups = 0
	pages, _, err := checkpoint(lane, "noop")
	if err != nil {
		k.fail(err)
		return
	}
	k.length.Store(int64(pages))
	if pages < k.passed { // it has begun anew
		k.passed, k.moved, k.held, k.wanted, k.rest = 0, 0, false, k.whole, logRest
	}
	switch {
	case pages >= k.wanted && pages >= k.most:
		k.finish(lane, pages, "restart")
	case pages >= k.wanted && pages-k.moved <= k.rest:
		k.finish(lane, pages, "passive")
	case pages >= k.wanted && !k.held:
		k.rest *= 2
		k.moveBeside()
	case pages-k.passed >= logStep:
		k.moveBeside()
	}
}

// finish moves the rest, so that the log begins anew with the next group if nobody reads then; with restart nobody does.
func (k *checker) finish(lane *liteConn, pages int, mode string) {
	if mode == "passive" {
		k.move(lane, mode)
	} else if !k.alone(func() { k.restart(lane) }) {
		k.log.Warn("the write-ahead log is long, and somebody reads for long", "bytes", pages*4096)
	}
	k.wanted, k.rest = pages+logStep, logRest // should it not begin anew
}

// restart moves the rest and has the log begin anew, if nobody reads.
func (k *checker) restart(lane *liteConn) {
	impatient := func(milliseconds string) error {
		_, err := lane.query(context.Background(), "pragma busy_timeout="+milliseconds, nil)
		return err
	}
	if err := impatient("0"); err != nil { // a backup may be reading
		k.fail(err)
		return
	}
	k.move(lane, "restart")
	if err := impatient(busyTimeout); err != nil {
		k.fail(err)
	}
}

// gauge tells how long the log is.
func (k *checker) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_store_log_bytes",
		Help: "Length of SQLite's write-ahead log."}, func() float64 { return float64(k.length.Load()) * 4096 })
}

// moveBeside has the background move what can be moved.
func (k *checker) moveBeside() {
	k.busy.Store(true)
	k.start <- struct{}{}
}

func (k *checker) close() error {
	close(k.start)
	<-k.ended
	if k.broken.Load() {
		return nil // the last connection to close would move the log
	}
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
