package rail

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

// Kind says in which direction money goes; the numbers are stored.
type Kind int64

const (
	// CashIn brings money from a network into a wallet.
	CashIn Kind = iota + 1
	// CashOut sends money from a wallet into a network.
	CashOut
	// Refund gives back what a CashIn has brought, all or a part, to where it came from.
	Refund
)

// String is the kind as the protocol and the operator's pages write it.
func (k Kind) String() string {
	return map[Kind]string{CashIn: "in", CashOut: "out", Refund: "refund"}[k]
}

// State is where a transfer stands; the numbers are stored.
type State int64

const (
	// Created: kept here, what it needs is held, nothing was sent.
	Created State = iota + 1
	// Submitted: it is on its way to the network, or may be.
	Submitted
	// Accepted: the network has it and is not done.
	Accepted
	// Rejected: the network will not do it, and nothing was moved.
	Rejected
	// Unknown: nobody here knows whether the network has it. It is asked until it says.
	Unknown
	// Settled: the network has moved the money.
	Settled
	// Reversed: the network has moved all of it back afterwards.
	Reversed
	// Absent is what a network says that never saw a transfer. No transfer is kept in it.
	Absent
)

// states are all that a transfer can be in, by name.
var states = map[State]string{Created: "created", Submitted: "submitted", Accepted: "accepted", Rejected: "rejected", Unknown: "unknown", Settled: "settled", Reversed: "reversed", Absent: "absent"}

// String is the state as the operator's pages write it.
func (s State) String() string { return states[s] }

// Over says whether nothing more is expected to happen.
func (s State) Over() bool { return s == Rejected || s == Settled || s == Reversed }

// Transfer is money that goes to a network outside or comes from there.
type Transfer struct {
	// ID was chosen by who asked: 16 to 40 of A–Z a–z 0–9 - _.
	ID string
	// Number is the order in which transfers were begun, and the time in microseconds since 1970 (UTC).
	Number int64
	Rail   string
	Kind   Kind
	State  State
	// Wallet is the account of the ledger here, Address the one there (a telephone number, a key, an account), in the network's own form.
	Wallet, Address string
	// Amount is what was asked for, in minor units of Unit, which has Exponent digits below one.
	Amount   int64
	Unit     string
	Exponent int
	// Fee is what the wallet pays besides when it is settled, to the account FeeTo.
	Fee   int64
	FeeTo string
	// Of is the id of the cash-in that a refund gives back, OfReference the network's name for that.
	Of, OfReference string
	// Reference is the network's name for it, empty while there is none.
	Reference string
	// Next is what the person has to do.
	Next Next
	// Why says why it is in its state, where there is something to say.
	Why string
	// Moved is what the network has settled, Returned what of that it has taken back, Cost what it took for itself, in minor units.
	Moved, Returned, Cost int64
	// Refunded is what of a cash-in was given back, or may be, by refunds of ours; in minor units. What the network returned does not count in it.
	Refunded int64
	// Owed is what of that the operator has paid, because the wallet could not.
	Owed int64
	// Created, Changed, Sent and SettledAt are when it was begun, changed, first sent (zero: never) and settled by the network's clock.
	Created, Changed, Sent, SettledAt time.Time
	// UnknownSince is since when its state has not been known, zero while it is.
	UnknownSince time.Time

	attempt   int       // how often the job has failed
	verdict   *decision // because of which it changes, nil for none
	sequence  int64
	hold      string
	heldUntil time.Time
	booked    string
}

const transferColumns = `t.id, t.number, t.rail, t.kind, t.state, t.wallet, t.address, t.amount, t.unit, t.fee, t.fee_to, t.target, coalesce(o.reference, ''), t.reference, t.go_kind, t.go_value,
	t.why, t.moved, t.returned, t.owed, t.cost, t.sequence, t.hold, t.held_until, t.booked, t.created, t.changed, t.sent, t.unknown_since, t.settled_at,
	cast(coalesce((select sum(case when r.state in (6, 7) then r.moved - r.returned else r.amount end) from rail_transfer r where r.target = t.id and r.target <> '' and r.state <> 4), 0) as bigint)
	from rail_transfer t left join rail_transfer o on o.id = t.target and t.target <> ''`

func (e *Engine) scan(rows *store.Rows) (t Transfer, err error) {
	var times [6]int64
	err = rows.Scan(&t.ID, &t.Number, &t.Rail, &t.Kind, &t.State, &t.Wallet, &t.Address, &t.Amount, &t.Unit, &t.Fee, &t.FeeTo, &t.Of, &t.OfReference, &t.Reference, &t.Next.Kind,
		&t.Next.Value, &t.Why, &t.Moved, &t.Returned, &t.Owed, &t.Cost, &t.sequence, &t.hold, &times[0], &t.booked, &times[1], &times[2], &times[3], &times[4], &times[5], &t.Refunded)
	if err != nil {
		return t, fmt.Errorf("read transfer: %w", err)
	}
	for i, at := range []*time.Time{&t.heldUntil, &t.Created, &t.Changed, &t.Sent, &t.UnknownSince, &t.SettledAt} {
		*at = fromMicro(times[i])
	}
	unit, ok := e.ledger.Unit(t.Unit)
	if !ok {
		return t, fmt.Errorf("transfer %s: no unit %s any more", t.ID, t.Unit)
	}
	t.Exponent = unit.Exponent
	return t, nil
}

func (e *Engine) query(ctx context.Context, where string, args ...any) (all []Transfer, err error) {
	rows, err := e.db.Query(ctx, "select "+transferColumns+" "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read transfers: %w", err)
	}
	for rows.Next() {
		t, err := e.scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// Get reads a transfer. It returns ErrNotFound if there is none.
func (e *Engine) Get(ctx context.Context, id string) (Transfer, error) {
	all, err := e.query(ctx, "where t.id = $1", id)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Transfer{}, err
	}
	return all[0], nil
}

// errChanged means that a transfer is not any more what it was when it was decided about.
var errChanged = errors.New("the transfer has changed meanwhile")

// keep writes what a transfer is now, in the transaction of ctx, if it is still what it was; and tells the observer.
func (e *Engine) keep(ctx context.Context, was, t Transfer) error {
	n, err := e.db.Exec(ctx, `update rail_transfer set state = $1, reference = $2, go_kind = $3, go_value = $4, why = $5, moved = $6, returned = $7, owed = $8, cost = $9, sequence = $10, hold = $11,
		held_until = $12, booked = $13, changed = $14, sent = $15, unknown_since = $16, settled_at = $17 where id = $18 and state = $19 and sequence = $20`,
		t.State, t.Reference, t.Next.Kind, t.Next.Value, t.Why, t.Moved, t.Returned, t.Owed, t.Cost, t.sequence, t.hold, micro(t.heldUntil), t.booked, micro(t.Changed), micro(t.Sent),
		micro(t.UnknownSince), micro(t.SettledAt), t.ID, was.State, was.sequence)
	if err != nil {
		return fmt.Errorf("keep transfer: %w", err)
	}
	if n != 1 {
		return errChanged
	}
	if t.verdict != nil {
		if err := e.decide(ctx, *t.verdict); err != nil {
			return err
		}
		if err := t.verdict.also(ctx, t); err != nil {
			return err
		}
	}
	return e.noteStep(ctx, t)
}

func (e *Engine) noteStep(ctx context.Context, t Transfer) error {
	_, err := e.db.Exec(ctx, "insert into rail_step (id, transfer, state, why) values ($1, $2, $3, $4)", e.db.Next(), t.ID, t.State, t.Why)
	if err != nil {
		return fmt.Errorf("note step: %w", err)
	}
	return nil
}

func micro(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

func fromMicro(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

// clip is a text of at most 256 bytes, valid UTF-8.
func clip(text string) string {
	const most = 256
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut]
}

// Decimal writes an amount in minor units with the digits of its unit: 12500 with 2 is 125.00.
func Decimal(amount int64, exponent int) string {
	digits := fmt.Sprintf("%0*d", exponent+1, amount)
	if exponent == 0 {
		return digits
	}
	return digits[:len(digits)-exponent] + "." + digits[len(digits)-exponent:]
}

// ParseDecimal reads an amount that is written with at most so many digits below one; others may only be zeros. It returns an error for anything else.
func ParseDecimal(text string, exponent int) (int64, error) {
	whole, below, _ := strings.Cut(text, ".")
	for len(below) > exponent && below[len(below)-1] == '0' {
		below = below[:len(below)-1]
	}
	if len(below) > exponent || whole == "" || len(whole) > 16 {
		return 0, fmt.Errorf("%.40q is no amount with %d digits", text, exponent)
	}
	below += strings.Repeat("0", exponent-len(below))
	n, err := strconv.ParseUint(whole+below, 10, 63)
	if err != nil || n > ledger.MaxAmount {
		return 0, fmt.Errorf("%.40q is no amount", text)
	}
	return int64(n), nil
}
