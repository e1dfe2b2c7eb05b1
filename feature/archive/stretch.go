package archive

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
)

// stretch is a part of what a request asks for, and where to read it: what is filed by the tables that it is filed in, what is not by its ids.
// On PostgreSQL one stretch is all.
type stretch struct {
	from  string // the tables that hold it
	index string // the one that is enough to count it
	ids   []int64
	request
}

// The tables that the conditions of requests are about. SQLite keeps to the order of a cross join.
const (
	asKept         = "archive_entry"
	filedByAccount = "archive_account"
	filedByContact = "archive_contact"
	byAccount      = filedByAccount + " cross join archive_entry using (account, id)"
	byContact      = filedByContact + " cross join archive_entry using (account, contact, id)"
)

// The ids of a stretch are looked up so many at once.
const (
	fewIDs  = 16
	manyIDs = 256
)

// stretches parts a request where filing has come to, in the direction of its page. What is not settled yet is left out: stretches are read one after
// the other, and an entry that is kept meanwhile must not be missing between others, for whoever reads goes on behind those.
func (a *Archive) stretches(ctx context.Context, account *core.Account, q *request) []stretch {
	if !a.filing.late || len(q.IDs) > 0 {
		return []stretch{{from: asKept, index: asKept, request: *q}}
	}
	upto, unfiled := a.filing.snapshot(account.ID, q.After, min(q.Until-1, a.db.Settled(ctx)))
	var parts []stretch
	if q.After < upto {
		old := stretch{from: byAccount, index: filedByAccount, request: *q}
		if !q.With.IsZero() {
			old.from, old.index = byContact, filedByContact
		}
		old.Until = min(q.Until, upto+1)
		parts = append(parts, old)
	}
	for late := range slices.Chunk(unfiled, manyIDs) {
		parts = append(parts, stretch{from: asKept, index: asKept, ids: late, request: *q})
	}
	if q.Page.Last {
		slices.Reverse(parts)
	}
	return parts
}

// among is the condition of a stretch.
func (s *stretch) among(account *core.Account) (string, []any) {
	if len(s.ids) == 0 {
		return s.request.among(account)
	}
	where, args := oneOf([]any{account.ID}, s.ids)
	where = "account = $1 and " + where
	if !s.With.IsZero() {
		args = append(args, contactID(s.With))
		where += " and contact = $" + strconv.Itoa(len(args))
	}
	return where, args
}

// oneOf is the condition that an entry has one of at most manyIDs ids, which go with the arguments.
func oneOf(args []any, ids []int64) (string, []any) {
	n := fewIDs
	if len(ids) > fewIDs {
		n = manyIDs
	}
	where := "id in (" + places(len(args)+1, n) + ")"
	for i := range n {
		id := int64(0) // no entry has it
		if i < len(ids) {
			id = ids[i]
		}
		args = append(args, id)
	}
	return where, args
}

// shown is the condition of the entries of a stretch that are shown. The bit is compared in such a way that PostgreSQL, which cannot know how
// many entries have it, expects most to pass: it reads in the order of the index then, instead of sorting the whole archive.
func (s *stretch) shown(account *core.Account) (string, []any) {
	where, args := s.among(account)
	return where + " and (kind & 2) <> 2", args // with two comparisons SQLite reads the whole account for one chat
}

// end is the id of the last entry of an account, shown or not, 0 if there is none.
func (a *Archive) end(ctx context.Context, account *core.Account) (int64, error) {
	q := &request{Until: math.MaxInt64}
	q.Page.Last = true
	last, err := a.ids(ctx, account, q, 1)
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0], nil
}

// ids are those of at most limit entries that a request finds, shown or not, in its direction.
func (a *Archive) ids(ctx context.Context, account *core.Account, q *request, limit int) (ids []int64, err error) {
	for _, s := range a.stretches(ctx, account, q) {
		where, args := s.among(account)
		rows, err := a.db.Query(ctx, "select id from "+s.from+" where "+where+q.order()+" limit $"+strconv.Itoa(len(args)+1), append(args, limit-len(ids))...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
		if len(ids) >= limit {
			break
		}
	}
	return ids, nil
}

// nextFiled is the account after another one that has entries which are filed, ok false if there is none.
func (a *Archive) nextFiled(ctx context.Context, after int64) (account int64, ok bool, err error) {
	table := asKept
	if a.filing.late {
		table = filedByAccount
	}
	err = a.db.QueryRow(ctx, "select account from "+table+" where account > $1 order by account limit 1", after).Scan(&account)
	if errors.Is(err, store.ErrNoRows) {
		return 0, false, nil
	}
	return account, err == nil, err
}
