package archive

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
)

// On SQLite the entries are filed late, by account and by contact: in archive_account and archive_contact, many at once, so that a message waits
// only for the end of the log to be written, and the pages of both are written less often. What must hold is this: every entry up to upto is in
// both tables, and the memory knows the ids of all others, before they are kept. There may be more in the tables and in memory; they do not
// count. An entry is filed in the transaction that advances upto or in an earlier one, an imported one, whose id may be an old one, in its
// own; and what deletes an entry deletes what was filed of it. On PostgreSQL indexes do all this.

const (
	filingWindow = 16 << 10         // entries that are filed together, sorted: the more, the fewer pages for each
	filingSlice  = 64               // of them in one transaction, so that messages do not wait long,
	mostSlice    = 1024             // up to so many when ever more wait: a server that is always busy must file as fast as it keeps
	sliceShare   = 256              // of those that wait, a slice is so small a part
	filingAge    = 10 * time.Second // how long at most an entry waits for others
	filingLook   = 200 * time.Millisecond
	filingPause  = 10 * time.Second // after a failure
)

// filings are the tables that entries are filed in, by their columns.
var filings = []struct{ table, columns string }{{filedByAccount, "account, id"}, {filedByContact, "account, contact, id"}}

var (
	insertFiledAccount = store.NewInsert(filedByAccount, "account", "id").OnConflict("do nothing")
	insertFiledContact = store.NewInsert(filedByContact, "account", "contact", "id").OnConflict("do nothing")
)

// loadFiling finds out what has been filed.
func (a *Archive) loadFiling(ctx context.Context) error {
	if !a.filing.late {
		return nil
	}
	var upto int64
	if err := a.db.QueryRow(ctx, "select upto from archive_filed").Scan(&upto); err != nil {
		return fmt.Errorf("read how far the archive is filed: %w", err)
	}
	a.filing.begin(upto)
	for from, full := upto, true; full; {
		window, last, err := a.readWindow(ctx, from, math.MaxInt64)
		if err != nil {
			return err
		}
		for _, e := range window {
			a.filing.note(e.account, e.id)
		}
		from, full = last, len(window) == filingWindow
	}
	return nil
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
			var err error
			ended := core.Guard(a.log, "messages are filed", func() { err = a.file(ctx) })
			if err != nil && ctx.Err() == nil {
				a.log.Error("could not file messages", "err", err)
			}
			if err != nil || !ended {
				again = now.Add(filingPause)
			}
		}
	}
}

// due reports whether it is time to file.
func (f *filing) due(now time.Time) bool {
	waiting := f.count()
	if waiting == 0 {
		f.since.Store(0)
		return false
	}
	f.since.CompareAndSwap(0, now.UnixMicro())
	return waiting >= filingWindow || now.Sub(time.UnixMicro(f.since.Load())) >= filingAge
}

// filed is where an entry is filed.
type filed struct{ account, contact, id int64 }

// file files all entries that wait, window by window.
func (a *Archive) file(ctx context.Context) error {
	if !a.filing.late {
		return nil
	}
	settled := a.db.Settled(ctx)
	upto := a.filing.reached()
	for full := true; full; {
		began, deleted := time.Now(), a.filing.deleted.Load()
		window, last, err := a.readWindow(ctx, upto, settled)
		if err != nil {
			return err
		}
		if full = len(window) == filingWindow; full {
			upto = last
		} else {
			upto, began = max(upto, settled), time.Time{}
		}
		if err := a.fileWindow(ctx, window, deleted, upto); err != nil {
			return fmt.Errorf("file messages: %w", err)
		}
		a.filing.began(began)
	}
	return nil
}

// FileAll files all entries in one transaction, for whoever has added very many of them, such as a load tool. Nobody may write meanwhile.
func (a *Archive) FileAll(ctx context.Context) error {
	if !a.filing.late {
		return nil
	}
	err := a.db.Tx(ctx, func(ctx context.Context) error {
		if err := a.fileWhere(ctx, "true"); err != nil {
			return err
		}
		_, err := a.db.Exec(ctx, "update archive_filed set upto = (select coalesce(max(id), 0) from archive_entry)")
		return err
	})
	if err != nil {
		return fmt.Errorf("file messages: %w", err)
	}
	return a.loadFiling(ctx)
}

// readWindow reads the oldest entries after an id and up to another one, in the order in which they will be filed, and the id of the last.
func (a *Archive) readWindow(ctx context.Context, after, to int64) (window []filed, last int64, err error) {
	rows, err := a.db.Query(ctx, "select account, contact, id from archive_entry where id > $1 and id <= $2 order by id limit $3", after, to, filingWindow)
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
		last = e.id
	}
	slices.SortFunc(window, func(x, y filed) int {
		return cmp.Or(cmp.Compare(x.account, y.account), cmp.Compare(x.contact, y.contact), cmp.Compare(x.id, y.id))
	})
	return window, last, nil
}

// fileWindow files entries in several transactions, the last of which notes that all up to an id are. deleted is what a.filing.deleted was before they
// were read.
func (a *Archive) fileWindow(ctx context.Context, window []filed, deleted, upto int64) error {
	for ended := false; !ended; {
		slice := window[:min(max(filingSlice, a.filing.count()/sliceShare), mostSlice, len(window))]
		window = window[len(slice):]
		ended = len(window) == 0
		err := a.db.Tx(ctx, func(ctx context.Context) error {
			if err := a.fileSlice(ctx, slice, deleted); err != nil || !ended {
				return err
			}
			_, err := a.db.Exec(ctx, "update archive_filed set upto = $1 where upto < $1", upto)
			return err
		})
		if err != nil {
			return err
		}
	}
	a.filing.advance(upto)
	return nil
}

// fileSlice files those entries that are still there: all, if nothing has been deleted since they were read.
func (a *Archive) fileSlice(ctx context.Context, slice []filed, deleted int64) error {
	if a.filing.deleted.Load() != deleted {
		for some := range slices.Chunk(slice, manyIDs) {
			where, args := oneOf(nil, ids(some))
			if err := a.fileWhere(ctx, where, args...); err != nil {
				return err
			}
		}
		return nil
	}
	for _, e := range slice {
		if err := a.appendFiled(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (a *Archive) appendFiled(ctx context.Context, e filed) error {
	if err := a.db.Append(ctx, insertFiledAccount, e.account, e.id); err != nil {
		return err
	}
	return a.db.Append(ctx, insertFiledContact, e.account, e.contact, e.id)
}

// ids are those of entries.
func ids(entries []filed) []int64 {
	ids := make([]int64, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return ids
}

// fileWhere files the entries that a condition finds; ctx carries a transaction.
func (a *Archive) fileWhere(ctx context.Context, where string, args ...any) error {
	for _, f := range filings {
		sql := "insert into " + f.table + " (" + f.columns + ") select " + f.columns + " from archive_entry where " + where + " order by " + f.columns + " on conflict do nothing"
		if _, err := a.db.Exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	return nil
}

// places is a list of n arguments, the first of which has a number.
func places(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(first+i))
	}
	return b.String()
}

// filedOf deletes what is filed in a table of the entries that a condition finds, by the columns that it is filed by.
func filedOf(table, columns, where string) string {
	return "delete from " + table + " where (" + columns + ") in (select " + columns + " from archive_entry where " + where + ")"
}

// fileAtOnce files an entry whose id may be an old one.
func (a *Archive) fileAtOnce(ctx context.Context, e filed) error {
	if !a.filing.late {
		return nil
	}
	a.filing.note(e.account, e.id)
	return a.appendFiled(ctx, e)
}

// discard deletes the entries that a condition finds, which is within one account's; ctx carries a transaction.
func (a *Archive) discard(ctx context.Context, where string, args ...any) error {
	if a.filing.late {
		a.filing.deleted.Add(1)
		for _, f := range filings {
			if _, err := a.db.Exec(ctx, filedOf(f.table, f.columns, where), args...); err != nil {
				return err
			}
		}
	}
	_, err := a.db.Exec(ctx, "delete from archive_entry where "+where, args...)
	return err
}

// Collectors are the feature's figures for Prometheus.
func (a *Archive) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_archive_unfiled_messages",
			Help: "Messages in logs that wait to be filed by account and contact (SQLite only)."}, func() float64 { return float64(a.filing.count()) }),
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
