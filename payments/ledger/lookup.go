package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"palabre.dev/palabre/store"
)

// lookedUp is how many values one statement asks about at most.
const lookedUp = 1024

// inLists calls do with lists for the `in` of a statement and their values, some at a time. The lengths of lists are few, so that statements are prepared once;
// the last value fills them.
func inLists[T any](values []T, do func(list string, args []any) error) error {
	for len(values) > 0 {
		n := min(len(values), lookedUp)
		some := values[:n]
		values = values[n:]
		size := 1
		for size < n {
			size *= 4
		}
		args := make([]any, size)
		for i := range args {
			args[i] = some[min(i, n-1)]
		}
		if err := do(placeholders(size), args); err != nil {
			return err
		}
	}
	return nil
}

func placeholders(n int) string {
	var b strings.Builder
	b.WriteByte('(')
	for i := 1; i <= n; i++ {
		if i > 1 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i))
	}
	b.WriteByte(')')
	return b.String()
}

// lookUp brings the accounts that a batch names, and the newest hash, into memory, within the transaction of ctx.
func (l *Ledger) lookUp(ctx context.Context, batch []*request) error {
	if !l.known.read {
		hash, err := l.newest(ctx)
		if err != nil {
			return err
		}
		l.known.hash, l.known.read = hash, true
	}
	asked := map[string]bool{}
	var names []string
	for _, r := range batch {
		for i := range r.operations {
			for _, name := range [...]string{r.operations[i].From, r.operations[i].To} {
				if _, ok := l.known.names[name]; name != "" && !ok && !asked[name] {
					asked[name] = true
					names = append(names, name)
				}
			}
		}
	}
	return inLists(names, func(list string, args []any) error { return l.load(ctx, "a.name in "+list, args) })
}

// newest is the hash of the newest record, zeros if there is none.
func (l *Ledger) newest(ctx context.Context) (hash [sha256.Size]byte, err error) {
	var b []byte
	err = l.db.QueryRow(ctx, "select hash from ledger_record order by id desc limit 1").Scan(&b)
	if errors.Is(err, store.ErrNoRows) {
		return hash, nil
	}
	if err != nil {
		return hash, fmt.Errorf("read newest hash: %w", err)
	}
	return digest(b)
}

func digest(b []byte) (sum [sha256.Size]byte, err error) {
	if len(b) != len(sum) {
		return sum, fmt.Errorf("a digest of %d bytes", len(b))
	}
	copy(sum[:], b)
	return sum, nil
}

// load brings accounts into memory: each with what its newest record says. What is not as it was written is known to be so, and nothing is decided by it.
func (l *Ledger) load(ctx context.Context, where string, args []any) error {
	rows, err := l.db.Query(ctx, `select a.id, a.name, a.unit, coalesce(s.floor, 0), coalesce(s.state, 0),
		coalesce((select max(id) from ledger_record where debit = a.id and debit > 0), 0),
		coalesce((select max(id) from ledger_record where credit = a.id and credit > 0), 0),
		coalesce(u.exponent, -1), coalesce(r.debit, 0), coalesce(r.key, ''), coalesce(r.kind, 0), coalesce(r.about, ''), r.data, r.content
		from ledger_account a left join ledger_setting s on s.record = (select max(record) from ledger_setting where account = a.id)
		left join ledger_record r on r.id = s.record and r.reason = 0 left join ledger_unit u on u.code = a.unit where `+where, args...)
	if err != nil {
		return fmt.Errorf("look up accounts: %w", err)
	}
	newest := map[int64][]*head{}
	var records []int64
	for rows.Next() {
		h, r := &head{}, &row{}
		var asDebit, asCredit, digits int64
		var content []byte
		if err := rows.Scan(&h.id, &h.name, &h.unit, &h.floor, &h.state, &asDebit, &asCredit, &digits, &r.debit.account, &r.key, &r.kind, &r.about, &r.data, &content); err != nil {
			return fmt.Errorf("look up accounts: %w", err)
		}
		set := r.asked(Operation{From: h.name, Unit: h.unit, Floor: h.floor, State: h.state})
		sum := set.content()
		h.unsound = r.debit.account != h.id || !bytes.Equal(sum[:], content) || h.state < Open || h.state > Closed || digits != int64(l.units[h.unit].Exponent)
		last := max(asDebit, asCredit)
		if newest[last] == nil {
			records = append(records, last)
		}
		newest[last] = append(newest[last], h)
		l.known.heads[h.id], l.known.names[h.name] = h, h.id
	}
	err = readRows(ctx, l.db, "id", records, func(r *row) {
		for _, h := range newest[r.id] {
			at := r.credit
			if r.debit.account == h.id {
				at = r.debit
			}
			h.balance, h.held, h.unsound = at.balance, at.held, h.unsound || r.unsound
		}
	})
	for _, heads := range newest {
		for _, h := range heads {
			l.known.unsound = l.known.unsound || h.unsound
		}
	}
	return err
}

// rowColumns are those that scanRow reads: the last are the hash of the row before, and the digits of the unit of the account that a row has opened.
const rowColumns = `id, key, kind, reason, debit, debit_balance, debit_held, credit, credit_balance, credit_held, amount, target, expires, about, data, content, hash,
	(select b.hash from ledger_record b where b.id < ledger_record.id order by b.id desc limit 1),
	coalesce((select u.exponent from ledger_account a join ledger_unit u on u.code = a.unit where a.id = ledger_record.id), -1)`

func scanRow(rows *store.Rows) (*row, error) {
	r := &row{}
	var content, hash, before []byte
	err := rows.Scan(&r.id, &r.key, &r.kind, &r.reason, &r.debit.account, &r.debit.balance, &r.debit.held, &r.credit.account, &r.credit.balance, &r.credit.held,
		&r.amount, &r.target, &r.expires, &r.about, &r.data, &content, &hash, &before, &r.digits)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	var last [sha256.Size]byte
	copy(last[:], before)
	copy(r.content[:], content)
	copy(r.hash[:], hash)
	ok, _ := r.follows(last)
	r.unsound = !ok || len(content) != len(r.content) || len(hash) != len(r.hash)
	return r, nil
}

// readRows reads the rows that have these values in a column.
func readRows[T any](ctx context.Context, db *store.DB, column string, values []T, told func(r *row)) error {
	return inLists(values, func(list string, args []any) error {
		rows, err := db.Query(ctx, "select "+rowColumns+" from ledger_record where "+column+" in "+list, args...)
		if err != nil {
			return fmt.Errorf("look up records: %w", err)
		}
		for rows.Next() {
			r, err := scanRow(rows)
			if err != nil {
				return err
			}
			told(r)
		}
		return nil
	})
}

// lookUpKept brings into a draft what was kept under the ids that a batch has or names, and what became of it, within the transaction of ctx.
func (l *Ledger) lookUpKept(ctx context.Context, d *draft, batch []*request) error {
	var keys []string
	named := map[string]bool{}
	for _, r := range batch {
		for i := range r.operations {
			keys = append(keys, r.operations[i].ID)
			if of := r.operations[i].Of; of != "" {
				keys = append(keys, of)
				named[of] = true
			}
		}
	}
	var targets, accounts []int64
	err := readRows(ctx, l.db, "key", keys, func(r *row) {
		d.keys[r.key] = r
		d.unsound = d.unsound || r.unsound
		if !named[r.key] || r.reason != 0 {
			return
		}
		d.targets[r.id] = &target{row: r}
		targets = append(targets, r.id)
		for _, id := range [...]int64{r.debit.account, r.credit.account} {
			if id != 0 && l.known.heads[id] == nil {
				accounts = append(accounts, id)
			}
		}
	})
	if err != nil {
		return err
	}
	if err := inLists(accounts, func(list string, args []any) error { return l.load(ctx, "a.id in "+list, args) }); err != nil {
		return err
	}
	return l.lookUpEnds(ctx, d, targets)
}

// lookUpEnds looks how holds have ended, and how much of what was moved was reversed.
func (l *Ledger) lookUpEnds(ctx context.Context, d *draft, targets []int64) error {
	return inLists(targets, func(list string, args []any) error {
		rows, err := l.db.Query(ctx, "select target, kind, amount from ledger_record where target > 0 and target in "+list, args...)
		if err != nil {
			return fmt.Errorf("look up ends: %w", err)
		}
		for rows.Next() {
			var id, amount int64
			var kind Kind
			if err := rows.Scan(&id, &kind, &amount); err != nil {
				return fmt.Errorf("look up ends: %w", err)
			}
			if kind == Reversal {
				d.targets[id].reversed += amount
			} else {
				d.targets[id].end = kind
			}
		}
		return nil
	})
}
