package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
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
}

// Verify reads the whole journal and computes it anew: each hash from the one before, each balance from what was moved, each floor. noted is the hash of
// a record that somebody has kept elsewhere, zeros for none: then it is looked for, so that a journal that was written anew from the beginning is found out
// as well. It returns a *Fault for the first record that is not what it was. progress, if it is not nil, is told how many were read.
func (l *Ledger) Verify(ctx context.Context, noted [sha256.Size]byte, progress func(records int64)) (Verified, error) {
	d := newDraft(&memory{})
	found := Verified{Totals: map[string]int64{}}
	settings := int64(0)
	for more := true; more; {
		some, err := l.page(ctx, found.Newest)
		if err != nil {
			return found, err
		}
		for i := range some {
			if what := l.again(d, &some[i]); what != "" {
				return found, &Fault{some[i].row.id, what}
			}
			settings += int64(len(d.set))
			found.Records++
			found.Newest, found.Hash = some[i].row.id, some[i].row.hash
			found.Passed = found.Passed || found.Hash == noted
		}
		if progress != nil {
			progress(found.Records)
		}
		more = len(some) == verifyPage
	}
	found.Accounts = int64(len(d.heads))
	return found, l.verifySums(ctx, d, &found, settings)
}

// verifySums looks at all accounts together.
func (l *Ledger) verifySums(ctx context.Context, d *draft, found *Verified, settings int64) error {
	sums := map[string]int64{}
	for _, h := range d.heads {
		sums[h.unit] += h.balance
		if h.balance > 0 {
			found.Totals[h.unit] += h.balance
		}
	}
	for unit, sum := range sums {
		if sum != 0 {
			return &Fault{found.Newest, fmt.Sprintf("all balances of %s together are %d", unit, sum)}
		}
	}
	for rows, want := range map[string]int64{"ledger_account where id": found.Accounts, "ledger_setting where record": settings} {
		var n int64
		if err := l.db.QueryRow(ctx, "select count(*) from "+rows+" <= $1", found.Newest).Scan(&n); err != nil {
			return fmt.Errorf("count rows: %w", err)
		}
		if n != want {
			return &Fault{found.Newest, fmt.Sprintf("there are %d rows in %s …, and %d in the journal", n, rows, want)}
		}
	}
	return nil
}

// written is a row with what it names in other rows.
type written struct {
	row    *row
	asked  Operation
	target *row
}

// page reads records after a number, with the names that their numbers stand for.
func (l *Ledger) page(ctx context.Context, after int64) ([]written, error) {
	rows, err := l.db.Query(ctx, `select r.id, r.key, r.kind, r.reason, r.debit, r.debit_balance, r.debit_held, r.credit, r.credit_balance, r.credit_held, r.amount, r.target, r.expires,
		r.about, r.data, r.content, r.hash, coalesce(d.name, ''), coalesce(c.name, ''), coalesce(d.unit, ''), coalesce(s.floor, 0), coalesce(s.state, 0),
		coalesce(t.key, ''), coalesce(t.kind, 0), coalesce(t.debit, 0), coalesce(t.credit, 0), coalesce(t.amount, 0), coalesce(t.expires, 0)
		from ledger_record r left join ledger_account d on d.id = r.debit left join ledger_account c on c.id = r.credit
		left join ledger_setting s on s.record = r.id left join ledger_record t on t.id = r.target
		where r.id > $1 order by r.id limit $2`, after, int64(verifyPage))
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	some := make([]written, 0, rows.Len())
	for rows.Next() {
		r, t, o := &row{}, &row{}, Operation{}
		var content, hash []byte
		err := rows.Scan(&r.id, &r.key, &r.kind, &r.reason, &r.debit.account, &r.debit.balance, &r.debit.held, &r.credit.account, &r.credit.balance, &r.credit.held, &r.amount, &r.target, &r.expires,
			&r.about, &r.data, &content, &hash, &o.From, &o.To, &o.Unit, &o.Floor, &o.State, &o.Of, &t.kind, &t.debit.account, &t.credit.account, &t.amount, &t.expires)
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		copy(r.content[:], content)
		copy(r.hash[:], hash)
		t.id, t.key = r.target, o.Of
		some = append(some, written{row: r, asked: r.asked(o), target: t})
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
func (l *Ledger) again(d *draft, w *written) string {
	r := w.row
	if r.sum(d.hash) != r.hash {
		return "its hash does not follow from what it says and from the record before it"
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
	same, why := l.decide(d, &w.asked, r.id)
	switch {
	case why != 0:
		return "it should have been refused: " + why.Error()
	case same.debit != r.debit || same.credit != r.credit || same.target != r.target:
		return "the accounts do not stand where it says"
	}
	return ""
}
