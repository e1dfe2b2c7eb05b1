package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const (
	nsValidate = "http://jabber.org/protocol/xdata-validate"
	maxIDs     = 1000 // ids that one request may name
)

// request is what a device asks of its archive (XEP-0313 §4).
type request xmpp.ArchiveRequest

// query answers a device that reads its archive.
func (a *Archive) query(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if !r.Set {
		return queryForm(), nil
	}
	q, err := a.parse(r.Payload)
	if err != nil {
		return nil, err
	}
	if err := a.exist(ctx, r.Account, q.MustExist); err != nil {
		return nil, err
	}
	if r.Via != nil {
		if err := a.reads(ctx, r.Via); err != nil {
			return nil, err
		}
	}
	found, complete, err := a.find(ctx, r.Account, q)
	if err != nil {
		return nil, err
	}
	if r.Via != nil {
		send(r.Via, q, found)
	}
	return a.fin(ctx, r.Account, q, found, complete)
}

// queryForm lists the fields that a request may use (XEP-0313 §4.1.5).
func queryForm() *xmpp.Element {
	form := xmpp.NewForm("form", NS)
	form.Add("with", "jid-single", "Contact")
	for _, name := range []string{"start", "end", "before-id", "after-id"} {
		form.Add(name, "text-single", "")
	}
	form.Add("ids", "list-multi", "")
	x := form.Element()
	for field := range x.Children() {
		if field.Attr("var") == "ids" {
			field.Add(xmpp.NewElement(nsValidate, "validate", xmpp.NewElement(nsValidate, "open")).Set("datatype", "xs:string"))
		}
	}
	return xmpp.NewElement(NS, "query", x)
}

// parse reads what a device asks.
func (a *Archive) parse(payload *xmpp.Element) (*request, error) {
	asked, err := xmpp.ParseArchiveRequest(payload, xmpp.ArchiveLimits{IDs: maxIDs, Page: a.cfg.MaxPage, With: true})
	return (*request)(asked), err
}

// exist refuses ids that are not in the account's archive (XEP-0313 §4.3.2).
func (a *Archive) exist(ctx context.Context, account *core.Account, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	where, args := inList("id", ids, []any{account.ID, int64(hidden)})
	var n int
	err := a.db.QueryRow(ctx, "select count(*) from archive_entry where account = $1 and (kind & $2) = 0 and "+where, args...).Scan(&n)
	if err != nil {
		return fmt.Errorf("look up archive ids: %w", err)
	}
	if n != len(ids) {
		return xmpp.ItemNotFound
	}
	return nil
}

func inList(column string, ids []int64, args []any) (string, []any) {
	list := column + " in (" + places(len(args)+1, len(ids)) + ")"
	for _, id := range ids {
		args = append(args, id)
	}
	return list, args
}

// entry is one message of the log.
type entry struct {
	id     int64
	kind   kind
	stanza string
}

// find reads the page that a request asks for, oldest first, and whether it is all there is in that direction. A page of large messages is
// shorter than was asked for.
func (a *Archive) find(ctx context.Context, account *core.Account, q *request) (found []entry, complete bool, err error) {
	if q.Page.Max == 0 {
		return nil, false, nil
	}
	var more bool
	if q.With.IsBare() || q.With.IsZero() {
		found, more, err = a.read(ctx, account, q, q.Page.Max+1)
	} else {
		found, more, err = a.readFull(ctx, account, q)
	}
	if err != nil {
		return nil, false, err
	}
	if len(found) > q.Page.Max {
		found, more = found[:q.Page.Max], true
	}
	if q.Page.Last {
		slices.Reverse(found)
	}
	return found, !more, nil
}

// read reads at most limit entries in the direction of the request. With more, there may be others though these are fewer.
func (a *Archive) read(ctx context.Context, account *core.Account, q *request, limit int) (found []entry, more bool, err error) {
	for _, s := range a.stretches(ctx, account, q) {
		sql, args := s.shown(account)
		some, more, err := a.entries(ctx, limit-len(found), s.from+" where "+sql+q.order(), args...)
		if err != nil {
			return nil, false, err
		}
		var cut bool
		if found, cut = onePage(append(found, some...)); more || cut || len(found) >= limit {
			return found, more || cut, nil
		}
	}
	return found, false, nil
}

// order is the direction of the page.
func (q *request) order() string {
	if q.Page.Last {
		return " order by id desc"
	}
	return " order by id"
}

// maxPageBytes bounds the messages that are read and sent at once, so that the largest ones fit a session's queue and the memory; one
// message always goes.
const maxPageBytes = 2 << 20

// onePage cuts off what makes a page too large.
func onePage(found []entry) (page []entry, cut bool) {
	size := 0
	for i := range found {
		if size += len(found[i].stanza); size > maxPageBytes && i > 0 {
			return found[:i], true
		}
	}
	return found, false
}

// entries reads at most limit entries of an account, which is the first argument: from tables, with a condition and an order. With more, there
// may be others though these are fewer.
func (a *Archive) entries(ctx context.Context, limit int, from string, args ...any) (found []entry, more bool, err error) {
	sql := "select id, kind, stanza from " + from + " limit $" + strconv.Itoa(len(args)+1)
	account := args[0].(int64)
	fit := a.fitting(account, limit)
	rows, err := a.db.Query(ctx, sql, append(slices.Clone(args), fit)...)
	for errors.Is(err, store.ErrTooLarge) && fit > 1 {
		fit = max(fit/4, 1)
		rows, err = a.db.Query(ctx, sql, append(slices.Clone(args), fit)...)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read archive: %w", err)
	}
	found = make([]entry, rows.Len())
	for i := range found {
		e := &found[i]
		rows.Next()
		if err := rows.Scan(&e.id, &e.kind, &e.stanza); err != nil {
			return nil, false, err
		}
	}
	if page, cut := onePage(found); cut {
		a.fits(account, len(page)+1)
		return page, true, nil
	}
	if fit < limit && len(found) > 0 { // a part of the log may be empty, and says nothing then
		a.fits(account, 2*len(found)+1)
	}
	return found, fit < limit && len(found) >= fit, nil
}

// maxFitting bounds the accounts of which it is remembered that their messages are large.
const maxFitting = 1000

// fitting is how many entries of an account are worth reading at once: where the last page was cut, the next one will be, too.
func (a *Archive) fitting(account int64, limit int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := a.large[account]; n > 0 {
		return min(n, limit)
	}
	return limit
}

// fits notes how many entries of an account went into a page.
func (a *Archive) fits(account int64, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n > exportChunk {
		delete(a.large, account)
		return
	}
	if len(a.large) >= maxFitting {
		clear(a.large)
	}
	a.large[account] = n
}

// among is the condition of a request, with the entries that are not shown.
func (q *request) among(account *core.Account) (string, []any) {
	args := []any{account.ID, q.After + 1, q.Until - 1}
	sql := "account = $1 and id between $2 and $3"
	if len(q.IDs) > 0 {
		sql = "account = $1 and +id between $2 and $3" // the plus has SQLite look the ids up, not the whole log through
	}
	if !q.With.IsZero() {
		args = append(args, contactID(q.With))
		sql += " and contact = $4"
	}
	if len(q.IDs) > 0 {
		named, more := inList("id", q.IDs, args)
		return sql + " and " + named, more
	}
	return sql, args
}

// readFull reads for a full address: the log is filed by bare ones, so the messages are looked at, at most maxLooked of them. If none of
// these fits, the device is asked to narrow its search by time: an empty page could not be continued.
func (a *Archive) readFull(ctx context.Context, account *core.Account, q *request) (found []entry, more bool, err error) {
	if err := a.allowed.begin(account.ID); err != nil {
		return nil, false, err
	}
	looked := 0
	defer func() { a.allowed.end(account.ID, looked*lookCost) }()
	const chunk = 500
	step := *q
	for size := 0; len(found) <= q.Page.Max; {
		if looked >= maxLooked && len(found) > 0 {
			return found, true, nil
		}
		if looked >= maxLooked {
			return nil, false, xmpp.ResourceConstraint.Because("not among %d messages; ask for a span of time", looked)
		}
		entries, more, err := a.read(ctx, account, &step, chunk)
		if err != nil {
			return nil, false, err
		}
		looked += len(entries)
		for _, e := range entries {
			st, err := parseStored(e.stanza)
			if err != nil {
				return nil, false, err
			}
			if st.From != q.With && st.To != q.With {
				continue
			}
			if size += len(e.stanza); size > maxPageBytes && len(found) > 0 {
				return found, true, nil
			}
			found = append(found, e)
		}
		if len(entries) < chunk && !more {
			break
		}
		if q.Page.Last {
			step.Until = entries[len(entries)-1].id
		} else {
			step.After = entries[len(entries)-1].id
		}
	}
	return found, false, nil
}
