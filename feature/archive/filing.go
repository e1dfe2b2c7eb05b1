package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
)

// On SQLite the entries are filed by contact late: in archive_contact, many at once, so that a message waits for fewer pages to be written
// and the pages are written less often. What must hold is this: every entry up to a.filing.upto is in archive_contact. There may be others;
// they do not count. An entry is filed in the transaction that advances upto or in an earlier one, an imported one, whose id may be an old
// one, in its own; and what deletes an entry deletes what was filed of it. On PostgreSQL an index does all this, and upto stays 0.

const (
	filingWindow = 16 << 10         // entries that are filed together, sorted: the more, the fewer pages for each
	filingSlice  = 256              // of them in one transaction, so that messages do not wait long
	filingAge    = 10 * time.Second // how long at most an entry waits for others
	filingLook   = 200 * time.Millisecond
	filingPause  = 10 * time.Second // after a failure
)

// filing is how far the entries have been filed.
type filing struct {
	late    bool         // this database is filed late
	upto    atomic.Int64 // up to this id all are filed
	waiting atomic.Int64 // entries that were kept since
	since   atomic.Int64 // when the filer saw the first of them (UTC microseconds), 0 if none waits
}

var insertFiled = store.NewInsert("archive_contact", "account", "contact", "id").OnConflict("do nothing")

// loadFiling finds out what has been filed.
func (a *Archive) loadFiling(ctx context.Context) error {
	if a.filing.late = a.db.Engine() == "sqlite"; !a.filing.late {
		return nil
	}
	var upto, waiting int64
	err := a.db.QueryRow(ctx, "select upto from archive_filed").Scan(&upto)
	if err == nil {
		err = a.db.QueryRow(ctx, "select count(*) from (select id from archive_entry where id > $1 limit $2)", upto, filingWindow).Scan(&waiting)
	}
	if err != nil {
		return fmt.Errorf("read how far the archive is filed: %w", err)
	}
	a.filing.upto.Store(upto)
	a.filing.waiting.Store(waiting)
	return nil
}

// countKept notes the entries of a message that was kept.
func (f *filing) countKept(t *core.Transit) {
	if !f.late {
		return
	}
	if t.SentID != 0 {
		f.waiting.Add(1)
	}
	if t.ReceivedID != 0 && t.ReceivedID != t.SentID {
		f.waiting.Add(1)
	}
}

// runFiling files what waits, when there is much of it or when it has waited long, until ctx ends.
func (a *Archive) runFiling(ctx context.Context) {
	if !a.filing.late {
		return
	}
	look := time.NewTicker(filingLook)
	defer look.Stop()
	var again time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-look.C:
			if now.Before(again) || !a.filing.due(now) {
				continue
			}
			if err := a.file(ctx); err != nil && ctx.Err() == nil {
				a.log.Error("could not file messages by contact", "err", err)
				again = now.Add(filingPause)
			}
		}
	}
}

// due reports whether it is time to file.
func (f *filing) due(now time.Time) bool {
	waiting := f.waiting.Load()
	if waiting <= 0 {
		f.since.Store(0)
		return false
	}
	f.since.CompareAndSwap(0, now.UnixMicro())
	return waiting >= filingWindow || now.Sub(time.UnixMicro(f.since.Load())) >= filingAge
}

// filed is where an entry is filed.
type filed struct{ account, contact, id int64 }

// file files all entries that waited when it began, window by window.
func (a *Archive) file(ctx context.Context) error {
	for {
		before, now := a.filing.waiting.Load(), time.Now()
		window, upto, err := a.readWindow(ctx)
		if err != nil {
			return err
		}
		if err := a.fileWindow(ctx, window, upto); err != nil {
			return fmt.Errorf("file messages: %w", err)
		}
		if len(window) < filingWindow {
			a.filing.waiting.Add(-before) // also those that were deleted before their turn
			a.filing.since.Store(0)
			return nil
		}
		a.filing.waiting.Add(-int64(len(window)))
		a.filing.since.Store(now.UnixMicro())
	}
}

// FileAll files all entries in one transaction, for whoever has added very many of them, such as a load tool. Nobody may write meanwhile.
func (a *Archive) FileAll(ctx context.Context) error {
	if !a.filing.late {
		return nil
	}
	err := a.db.Tx(ctx, func(ctx context.Context) error {
		for _, sql := range []string{
			"insert into archive_contact (account, contact, id) select account, contact, id from archive_entry where true order by account, contact, id on conflict do nothing",
			"update archive_filed set upto = (select coalesce(max(id), 0) from archive_entry)",
		} {
			if _, err := a.db.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("file messages: %w", err)
	}
	return a.loadFiling(ctx)
}

// readWindow reads the oldest entries that are not filed, in the order in which they will be, and the id of the last. All have been kept
// that ever will be up to that id, but for imported ones: ids grow in the order of the transactions.
func (a *Archive) readWindow(ctx context.Context) (window []filed, upto int64, err error) {
	upto = a.filing.upto.Load()
	rows, err := a.db.Query(ctx, "select account, contact, id from archive_entry where id > $1 order by id limit $2", upto, filingWindow)
	if err != nil {
		return nil, 0, fmt.Errorf("read messages to file: %w", err)
	}
	window = make([]filed, rows.Len())
	for i := range window {
		e := &window[i]
		rows.Next()
		if err := rows.Scan(&e.account, &e.contact, &e.id); err != nil {
			return nil, 0, err
		}
		upto = e.id
	}
	slices.SortFunc(window, func(x, y filed) int {
		return cmp.Or(cmp.Compare(x.account, y.account), cmp.Compare(x.contact, y.contact), cmp.Compare(x.id, y.id))
	})
	return window, upto, nil
}

// fileWindow files entries in several transactions, the last of which advances upto.
func (a *Archive) fileWindow(ctx context.Context, window []filed, upto int64) error {
	for len(window) > 0 {
		slice := window[:min(filingSlice, len(window))]
		window = window[len(slice):]
		err := a.db.Tx(ctx, func(ctx context.Context) error {
			if err := a.fileSlice(ctx, slice); err != nil || len(window) > 0 {
				return err
			}
			_, err := a.db.Exec(ctx, "update archive_filed set upto = $1", upto)
			return err
		})
		if err != nil {
			return err
		}
	}
	a.filing.upto.Store(upto)
	return nil
}

// fileSlice files those entries that are still there.
func (a *Archive) fileSlice(ctx context.Context, slice []filed) error {
	ids := make([]any, filingSlice)
	for i := range ids {
		ids[i] = int64(0) // no entry has it
		if i < len(slice) {
			ids[i] = slice[i].id
		}
	}
	_, err := a.db.Exec(ctx, fileSome, ids...)
	return err
}

// fileSome files the entries with filingSlice ids.
var fileSome = func() string {
	places := make([]string, filingSlice)
	for i := range places {
		places[i] = "$" + strconv.Itoa(i+1)
	}
	return "insert into archive_contact (account, contact, id) select account, contact, id from archive_entry where id in (" +
		strings.Join(places, ",") + ") on conflict do nothing"
}()

// filedOf deletes what is filed of the entries that a condition finds.
const filedOf = "delete from archive_contact where (account, contact, id) in (select account, contact, id from archive_entry where "

// fileAtOnce files an entry whose id may be an old one.
func (a *Archive) fileAtOnce(ctx context.Context, e filed) error {
	if !a.filing.late {
		return nil
	}
	return a.db.Append(ctx, insertFiled, e.account, e.contact, e.id)
}

// discard deletes the entries that a condition finds, which is within one account's; ctx carries a transaction.
func (a *Archive) discard(ctx context.Context, where string, args ...any) error {
	if a.filing.late {
		if _, err := a.db.Exec(ctx, filedOf+where+")", args...); err != nil {
			return err
		}
	}
	_, err := a.db.Exec(ctx, "delete from archive_entry where "+where, args...)
	return err
}

// stretch is a part of what a request asks for.
type stretch struct {
	from  string // the tables that hold it
	index string // the one that is enough to count it
	request
}

// The tables that the conditions of requests are about. SQLite keeps to the order of a cross join.
const (
	asKept  = "archive_entry"
	asFiled = "archive_contact cross join archive_entry using (account, contact, id)"
)

// stretches parts a request for one contact where filing has come to, in the direction of its page.
func (a *Archive) stretches(q *request) []stretch {
	upto := a.filing.upto.Load()
	old, late := stretch{asFiled, "archive_contact", *q}, stretch{asKept, asKept, *q}
	if q.with.IsZero() || len(q.named) > 0 || q.after >= upto {
		return []stretch{late}
	}
	old.until, late.after = min(q.until, upto+1), upto
	switch {
	case old.until == q.until:
		return []stretch{old}
	case q.page.Last:
		return []stretch{late, old}
	}
	return []stretch{old, late}
}

// Collectors are the feature's figures for Prometheus.
func (a *Archive) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_archive_unfiled_messages",
			Help: "Messages in logs that wait to be filed by contact (SQLite only)."}, func() float64 { return float64(max(0, a.filing.waiting.Load())) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_archive_unfiled_oldest_age_seconds",
			Help: "How long the oldest of them has waited."}, func() float64 {
			since := a.filing.since.Load()
			if since == 0 {
				return 0
			}
			return time.Since(time.UnixMicro(since)).Seconds()
		}),
	}
}
