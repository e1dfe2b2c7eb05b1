package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"
)

// verifyPage is how many records are read at once.
const verifyPage = 2000

// Fault is where the journal is not what it was.
type Fault struct {
	Number int64
	What   string
}

// Error tells it in words.
func (f *Fault) Error() string { return fmt.Sprintf("record %d: %s", f.Number, f.What) }

// Verified is what Verify has found to be so.
type Verified struct {
	// Records is how many there are, Accounts how many accounts.
	Records, Accounts int64
	// Newest is the number of the newest record, Hash its hash. Whoever has noted an earlier pair looks for it with Passed.
	Newest int64
	Hash   [sha256.Size]byte
	// Passed says whether the pair that was looked for is in the journal.
	Passed bool
	// Totals are the sums of all balances that are above zero, by unit: what is in circulation.
	Totals map[string]int64
	// Old is how many refusals were written before their id, about and data were in the hash: those of them could be changed without being seen.
	Old int64
	// Loose are the operator's own units whose accounts were all opened before the digits of a unit were in the hash: those could be changed without being seen.
	Loose []string
}

// verification is one reading of the journal.
type verification struct {
	book  Ledger // does all of it again, and knows the units that were read
	draft *draft
	found Verified
	set   int64           // openings and settings
	bound map[string]bool // units whose digits are in a hash
	iso   map[string]int  // digits of currencies
}

// Verify reads the whole journal and computes it anew: each hash from the one before, each balance from what was moved, each floor; and looks that accounts, settings and units are those of the
// journal, no fewer and no more. noted is the hash of a record that somebody has kept elsewhere, zeros for none: then it is looked for, so that a journal that was written anew from the
// beginning is found out as well. It returns a *Fault for the first record that is not what it was. progress, if it is not nil, is told how many were read.
func (l *Ledger) Verify(ctx context.Context, noted [sha256.Size]byte, progress func(records int64)) (Verified, error) {
	v := verification{book: Ledger{units: map[string]Unit{}}, draft: newDraft(&memory{}), found: Verified{Totals: map[string]int64{}}, bound: map[string]bool{}, iso: map[string]int{}}
	for _, unit := range currencies() {
		v.iso[unit.Code] = unit.Exponent
	}
	after := int64(math.MinInt64)
	for more := true; more; {
		some, err := l.page(ctx, after)
		if err != nil {
			return v.found, err
		}
		for i := range some {
			if what := v.again(&some[i]); what != "" {
				return v.found, &Fault{some[i].row.id, what}
			}
			after = some[i].row.id
			v.found.Records++
			v.found.Newest, v.found.Hash = after, some[i].row.hash
			v.found.Passed = v.found.Passed || v.found.Hash == noted
		}
		if progress != nil {
			progress(v.found.Records)
		}
		more = len(some) == verifyPage
	}
	v.found.Accounts = int64(len(v.draft.heads))
	if err := v.sums(); err != nil {
		return v.found, err
	}
	return v.found, l.verifyRows(ctx, &v)
}

// sums looks at all accounts together.
func (v *verification) sums() error {
	sums := map[string]int64{}
	for _, h := range v.draft.heads {
		sums[h.unit] += h.balance
		if h.balance > 0 {
			v.found.Totals[h.unit] += h.balance
		}
	}
	for unit, sum := range sums {
		if sum != 0 {
			return &Fault{v.found.Newest, fmt.Sprintf("all balances of %s together are %d", unit, sum)}
		}
		if _, listed := v.iso[unit]; !listed && !v.bound[unit] {
			v.found.Loose = append(v.found.Loose, unit)
		}
	}
	slices.Sort(v.found.Loose)
	return nil
}

// verifyRows looks whether the tables have rows that the journal does not know, or lack some. What was written since the newest record was read may be there; so each such row has its record.
func (l *Ledger) verifyRows(ctx context.Context, v *verification) error {
	newest := []any{v.found.Newest}
	for _, one := range []struct {
		rows string
		args []any
		want int64
	}{
		{"ledger_record where id <= $1", newest, v.found.Records},
		{"ledger_account where id <= $1", newest, v.found.Accounts},
		{"ledger_setting where record <= $1", newest, v.set},
		{"ledger_account a where a.id > $1 and not exists (select 1 from ledger_record r where r.id = a.id and r.debit = a.id and r.kind = 1 and r.reason = 0)", newest, 0},
		{"ledger_setting s where s.record > $1 and not exists (select 1 from ledger_record r where r.id = s.record and r.debit = s.account and r.kind in (1, 2) and r.reason = 0)", newest, 0},
		{"ledger_unit u where not exists (select 1 from ledger_account a where a.unit = u.code)", nil, 0},
	} {
		var n int64
		if err := l.db.QueryRow(ctx, "select count(*) from "+one.rows, one.args...).Scan(&n); err != nil {
			return fmt.Errorf("count rows: %w", err)
		}
		if n != one.want {
			return &Fault{v.found.Newest, fmt.Sprintf("there are %d rows in %s, and %d in the journal", n, one.rows, one.want)}
		}
	}
	return nil
}

// written is a row with what it names in other rows.
type written struct {
	row     *row
	asked   Operation
	target  *row
	setting bool  // ledger_setting has a row of it
	account int64 // and it is about this account
	digits  int64 // of the unit of the account that pays, negative if ledger_unit does not know it
	plain   bool  // what is text is text, so that it is found, and digests are of their length
}

// page reads records after a number, with the names that their numbers stand for. SQLite keeps bytes in a column of text as well: they read alike, and are not found.
func (l *Ledger) page(ctx context.Context, after int64) ([]written, error) {
	rows, err := l.db.Query(ctx, `select r.id, r.key, r.kind, r.reason, r.debit, r.debit_balance, r.debit_held, r.credit, r.credit_balance, r.credit_held, r.amount, r.target, r.expires,
		r.about, r.data, r.content, r.hash, coalesce(d.name, ''), coalesce(c.name, ''), coalesce(d.unit, ''), coalesce(s.floor, 0), coalesce(s.state, 0), s.record is not null, coalesce(s.account, 0),
		coalesce(u.exponent, -1), r.key = cast(r.key as text) and r.about = cast(r.about as text) and coalesce(d.name = cast(d.name as text), true),
		coalesce(t.key, ''), coalesce(t.kind, 0), coalesce(t.debit, 0), coalesce(t.credit, 0), coalesce(t.amount, 0), coalesce(t.expires, 0)
		from ledger_record r left join ledger_account d on d.id = r.debit left join ledger_account c on c.id = r.credit left join ledger_unit u on u.code = d.unit
		left join ledger_setting s on s.record = r.id left join ledger_record t on t.id = r.target
		where r.id > $1 order by r.id limit $2`, after, int64(verifyPage))
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	some := make([]written, 0, rows.Len())
	for rows.Next() {
		r, t, o, w := &row{}, &row{}, Operation{}, written{}
		var content, hash []byte
		err := rows.Scan(&r.id, &r.key, &r.kind, &r.reason, &r.debit.account, &r.debit.balance, &r.debit.held, &r.credit.account, &r.credit.balance, &r.credit.held, &r.amount, &r.target, &r.expires,
			&r.about, &r.data, &content, &hash, &o.From, &o.To, &o.Unit, &o.Floor, &o.State, &w.setting, &w.account, &w.digits, &w.plain,
			&o.Of, &t.kind, &t.debit.account, &t.credit.account, &t.amount, &t.expires)
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		copy(r.content[:], content)
		copy(r.hash[:], hash)
		w.plain = w.plain && len(content) == len(r.content) && len(hash) == len(r.hash)
		t.id, t.key = r.target, o.Of
		w.row, w.asked, w.target = r, r.asked(o), t
		some = append(some, w)
	}
	return some, nil
}

// asked is the operation that a row says was asked for, of which the names are given.
func (r *row) asked(names Operation) Operation {
	o := Operation{ID: r.key, Kind: r.kind, Amount: r.amount, About: r.about, Data: r.data}
	switch r.kind {
	case Opening:
		o.From, o.Unit, o.Floor, o.State = names.From, names.Unit, names.Floor, names.State
	case Setting:
		o.From, o.Floor, o.State = names.From, names.Floor, names.State
	case Transfer, Hold:
		o.From, o.To, o.Unit = names.From, names.To, names.Unit
		if r.expires != 0 {
			o.Expires = time.UnixMicro(r.expires)
		}
	default:
		o.Of = names.Of
	}
	return o
}

// again does once more what a row says was done, and tells what is not as it was; "" for nothing.
func (v *verification) again(w *written) string {
	r, d := w.row, v.draft
	if what := v.chained(w); what != "" {
		return what
	}
	d.hash = r.hash
	d.begin()
	d.set, d.opened = d.set[:0], d.opened[:0]
	if r.reason != 0 {
		return "" // nothing was done
	}
	if w.asked.content() != r.content {
		return "what it says was asked for is not what its hash is of"
	}
	d.keys[w.target.key] = w.target
	defer delete(d.keys, w.target.key)
	same, why := v.book.decide(d, &w.asked, r.id)
	switch {
	case why != 0:
		return "it should have been refused: " + why.Error()
	case same.debit != r.debit || same.credit != r.credit || same.target != r.target:
		return "the accounts do not stand where it says"
	case w.asked.State < Open || w.asked.State > Closed || w.setting != (len(d.set) > 0) || w.setting && w.account != r.debit.account:
		return "what holds for its account from then on is not what it says"
	}
	v.set += int64(len(d.set))
	return ""
}

// chained tells what of a row's hash is not as it was, and of what is looked up by it.
func (v *verification) chained(w *written) string {
	r := w.row
	opening := r.kind == Opening && r.reason == 0
	if opening {
		if w.digits < 0 || w.digits > 9 {
			return "the digits of its unit are gone"
		}
		r.digits = w.digits
		v.book.units[w.asked.Unit] = Unit{Code: w.asked.Unit, Exponent: int(w.digits)}
	}
	ok, old := r.follows(v.draft.hash)
	iso, listed := v.iso[w.asked.Unit]
	switch {
	case !ok:
		return "its hash does not follow from what it says and from the record before it"
	case r.id <= 0:
		return "no record has such a number"
	case !w.plain:
		return "it is not written as text and digests are, and is not found by its id, or its account by its name"
	case r.reason != 0 && w.setting:
		return "it was refused, and something holds for an account since then"
	case opening && old && listed && iso != int(w.digits):
		return "the digits of its unit are not those of the currency"
	case opening && !old:
		v.bound[w.asked.Unit] = true
	case r.reason != 0 && old:
		v.found.Old++
	}
	return ""
}
