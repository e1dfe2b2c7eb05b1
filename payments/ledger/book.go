package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"palabre.dev/palabre/store"
)

// Reading is a ledger that is looked at and verified, and to which nothing is posted: Post returns ErrClosed. It needs no configuration: its units are those
// that were used. It may stand beside a Ledger of the same database; it need not be closed.
func Reading(ctx context.Context, db *store.DB, log *slog.Logger) (*Ledger, error) {
	if err := db.Migrate(ctx, "ledger", migrations); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{cfg: DefaultConfig(), db: db, log: log.With("part", "ledger"), units: map[string]Unit{}, now: time.Now, stop: make(chan struct{}), finished: make(chan struct{}), metrics: newMetrics()}
	close(l.stop)
	close(l.finished)
	rows, err := db.Query(ctx, "select code, exponent from ledger_unit")
	if err != nil {
		return nil, fmt.Errorf("ledger: read units: %w", err)
	}
	for rows.Next() {
		var unit Unit
		if err := rows.Scan(&unit.Code, &unit.Exponent); err != nil {
			return nil, fmt.Errorf("ledger: read units: %w", err)
		}
		l.units[unit.Code] = unit
	}
	return l, nil
}

// Accounts reads where accounts stood at a time, by name: those after a name, at most 1,000. Accounts that were opened later are left out.
func (l *Ledger) Accounts(ctx context.Context, at time.Time, after string, limit int) ([]Account, error) {
	until := at.UnixMicro()
	rows, err := l.db.Query(ctx, `select a.id, a.name, a.unit, s.floor, s.state,
		coalesce((select max(id) from ledger_record where debit = a.id and debit > 0 and id <= $1), 0),
		coalesce((select max(id) from ledger_record where credit = a.id and credit > 0 and id <= $1), 0)
		from ledger_account a join ledger_setting s on s.record = (select max(record) from ledger_setting where account = a.id and record <= $1)
		where a.name > $2 and a.id <= $1 order by a.name limit $3`, until, after, int64(min(max(limit, 1), MaxLines)))
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	accounts := make([]Account, 0, rows.Len())
	newest := map[int64][]int{} // accounts by the record that says where they stood
	var records, ids []int64
	for rows.Next() {
		var one Account
		var id, asDebit, asCredit int64
		if err := rows.Scan(&id, &one.Name, &one.Unit, &one.Floor, &one.State, &asDebit, &asCredit); err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		one.Opened = time.UnixMicro(id)
		last := max(asDebit, asCredit)
		newest[last] = append(newest[last], len(accounts))
		accounts, records, ids = append(accounts, one), append(records, last), append(ids, id)
	}
	return accounts, l.stands(ctx, records, func(id int64, debit, credit side) {
		for _, i := range newest[id] {
			at := credit
			if debit.account == ids[i] {
				at = debit
			}
			accounts[i].Balance, accounts[i].Held = at.balance, at.held
		}
	})
}

// stands calls told with what both accounts of records stood at after them.
func (l *Ledger) stands(ctx context.Context, records []int64, told func(id int64, debit, credit side)) error {
	return inLists(records, func(list string, args []any) error {
		rows, err := l.db.Query(ctx, "select id, debit, debit_balance, debit_held, credit, credit_balance, credit_held from ledger_record where id in "+list, args...)
		if err != nil {
			return fmt.Errorf("look up balances: %w", err)
		}
		for rows.Next() {
			var id int64
			var debit, credit side
			if err := rows.Scan(&id, &debit.account, &debit.balance, &debit.held, &credit.account, &credit.balance, &credit.held); err != nil {
				return fmt.Errorf("look up balances: %w", err)
			}
			told(id, debit, credit)
		}
		return nil
	})
}

// Entry is one record of the journal as an accountant reads it.
type Entry struct {
	Kept
	// Unit is the code of what was moved, empty for what was refused.
	Unit string
	// Of is the id of what it ends or reverses, empty for most.
	Of string
	// FromBalance, FromHeld, ToBalance and ToHeld are what both accounts stood at afterwards, in minor units.
	FromBalance, FromHeld, ToBalance, ToHeld int64
}

// Journal reads records in their order: those after a number and not after a time, at most 1,000. What was refused is among them.
func (l *Ledger) Journal(ctx context.Context, after int64, until time.Time, limit int) ([]Entry, error) {
	last := int64(math.MaxInt64)
	if !until.IsZero() {
		last = until.UnixMicro()
	}
	rows, err := l.db.Query(ctx, `select r.id, r.key, r.kind, r.reason, r.amount, r.about, r.data, r.hash, r.debit_balance, r.debit_held, r.credit_balance, r.credit_held,
		coalesce(d.name, ''), coalesce(c.name, ''), coalesce(d.unit, ''), coalesce(t.key, '')
		from ledger_record r left join ledger_account d on d.id = r.debit left join ledger_account c on c.id = r.credit left join ledger_record t on t.id = r.target and r.target > 0
		where r.id > $1 and r.id <= $2 order by r.id limit $3`, after, last, int64(min(max(limit, 1), MaxLines)))
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	entries := make([]Entry, 0, rows.Len())
	for rows.Next() {
		var one Entry
		var reason Reason
		var hash []byte
		err := rows.Scan(&one.Number, &one.ID, &one.Kind, &reason, &one.Amount, &one.About, &one.Data, &hash, &one.FromBalance, &one.FromHeld, &one.ToBalance, &one.ToHeld,
			&one.From, &one.To, &one.Unit, &one.Of)
		if err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		if one.Hash, err = digest(hash); err != nil {
			return nil, fmt.Errorf("record %d: %w", one.Number, err)
		}
		if reason != 0 {
			one.Refused = &Refused{one.ID, reason}
		}
		entries = append(entries, one)
	}
	return entries, nil
}
