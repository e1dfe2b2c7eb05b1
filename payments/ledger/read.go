package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
)

// Account is where an account stands.
type Account struct {
	Name, Unit string
	// Balance is what is on it, Held what of that is set aside, in minor units.
	Balance, Held int64
	// Floor is what the balance does not go below, Unbounded for none.
	Floor int64
	State State
	// Opened is when it was opened.
	Opened time.Time
}

// Available is what it may pay now, in minor units; MaxAmount for an account without a floor.
func (a Account) Available() int64 {
	if a.Floor == Unbounded {
		return MaxAmount
	}
	return a.Balance - a.Held - a.Floor
}

// Account reads where an account stands now. It returns NoAccount if there is none.
func (l *Ledger) Account(ctx context.Context, name string) (Account, error) {
	return l.AccountAt(ctx, name, time.UnixMicro(1<<62))
}

// AccountAt reads where an account stood at a time, with everything that was kept up to then. It returns NoAccount if there was none.
func (l *Ledger) AccountAt(ctx context.Context, name string, at time.Time) (a Account, err error) {
	until := at.UnixMicro()
	var id int64
	err = l.db.QueryRow(ctx, `select a.id, a.name, a.unit, s.floor, s.state from ledger_account a join ledger_setting s
		on s.record = (select max(record) from ledger_setting where account = a.id and record <= $2) where a.name = $1 and a.id <= $2`, name, until).
		Scan(&id, &a.Name, &a.Unit, &a.Floor, &a.State)
	if errors.Is(err, store.ErrNoRows) {
		return Account{}, NoAccount
	}
	if err != nil {
		return Account{}, fmt.Errorf("read account: %w", err)
	}
	a.Opened = time.UnixMicro(id)
	lines, err := l.lines(ctx, id, until, 1)
	if err != nil {
		return Account{}, err
	}
	if len(lines) > 0 {
		a.Balance, a.Held = lines[0].Balance, lines[0].Held
	}
	return a, nil
}

// Line is one line of an account's statement.
type Line struct {
	Record
	// Change is what was added to the balance, in minor units; negative for what was taken from it.
	Change int64
	// Balance and Held are what the account stood at afterwards.
	Balance, Held int64
	// Other is the name of the other account, empty where there is none.
	Other string
	About string
	Data  []byte
}

// MaxLines is how many lines a statement has at most; callers ask again with the number of the last one.
const MaxLines = 1000

// Statement reads lines of an account, the newest first: those before a number (0 for the newest), at most 1,000. It returns NoAccount if there is none.
func (l *Ledger) Statement(ctx context.Context, name string, before int64, limit int) ([]Line, error) {
	var id int64
	err := l.db.QueryRow(ctx, "select id from ledger_account where name = $1", name).Scan(&id)
	if errors.Is(err, store.ErrNoRows) {
		return nil, NoAccount
	}
	if err != nil {
		return nil, fmt.Errorf("read statement: %w", err)
	}
	until := int64(1<<63 - 1)
	if before > 0 {
		until = before - 1
	}
	return l.lines(ctx, id, until, min(max(limit, 1), MaxLines))
}

// lines reads records of an account up to a number, the newest first. Each side has an index of its own.
func (l *Ledger) lines(ctx context.Context, account, until int64, limit int) ([]Line, error) {
	const side = `select id, key, kind, debit, debit_balance, debit_held, credit, credit_balance, credit_held, amount, about, data, hash from ledger_record where `
	rows, err := l.db.Query(ctx, `select r.id, r.key, r.kind, r.debit, r.debit_balance, r.debit_held, r.credit_balance, r.credit_held, r.amount, r.about, r.data, r.hash, coalesce(a.name, '')
		from (select * from (`+side+`debit = $1 and debit > 0 and id <= $2 order by id desc limit $3) as paid
		union all select * from (`+side+`credit = $1 and credit > 0 and id <= $2 order by id desc limit $3) as got) as r
		left join ledger_account a on a.id = case when r.debit = $1 then r.credit else r.debit end order by r.id desc limit $3`, account, until, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	lines := make([]Line, 0, rows.Len())
	for rows.Next() {
		var one Line
		var debit, paidBalance, paidHeld, gotBalance, gotHeld int64
		var hash []byte
		err := rows.Scan(&one.Number, &one.ID, &one.Kind, &debit, &paidBalance, &paidHeld, &gotBalance, &gotHeld, &one.Amount, &one.About, &one.Data, &hash, &one.Other)
		if err != nil {
			return nil, fmt.Errorf("read lines: %w", err)
		}
		if one.Hash, err = digest(hash); err != nil {
			return nil, fmt.Errorf("record %d: %w", one.Number, err)
		}
		one.Change, one.Balance, one.Held = one.Amount, gotBalance, gotHeld
		if debit == account {
			one.Change, one.Balance, one.Held = -one.Amount, paidBalance, paidHeld
		}
		if one.Kind == Hold {
			one.Change = 0
		}
		lines = append(lines, one)
	}
	return lines, nil
}

// Kept is what became of something that was asked for.
type Kept struct {
	Record
	// From and To are the names of the accounts that paid and were paid, empty for what was refused.
	From, To string
	About    string
	Data     []byte
	// Refused is why it was not done, nil if it was.
	Refused error
}

// Look reads what became of an id; ok is false if nothing was kept under it. What was asked for a moment ago may still be on its way: only asking again with
// the same id settles that.
func (l *Ledger) Look(ctx context.Context, id string) (k Kept, ok bool, err error) {
	rows, err := l.db.Query(ctx, "select "+rowColumns+" from ledger_record where key = $1", id)
	if err != nil {
		return Kept{}, false, fmt.Errorf("look for %.64q: %w", id, err)
	}
	if !rows.Next() {
		return Kept{}, false, nil
	}
	r, err := scanRow(rows)
	if err != nil {
		return Kept{}, false, err
	}
	if r.unsound {
		return Kept{}, false, fmt.Errorf("record %d: %w", r.id, ErrUnsound)
	}
	k = Kept{Record: r.record(), About: r.about, Data: r.data}
	if r.reason != 0 {
		k.Refused = &Refused{r.key, r.reason}
		return k, true, nil
	}
	for _, side := range []struct {
		account int64
		name    *string
	}{{r.debit.account, &k.From}, {r.credit.account, &k.To}} {
		if side.account == 0 {
			continue
		}
		if err := l.db.QueryRow(ctx, "select name from ledger_account where id = $1", side.account).Scan(side.name); err != nil {
			return Kept{}, false, fmt.Errorf("look for an account: %w", err)
		}
	}
	return k, true, nil
}
