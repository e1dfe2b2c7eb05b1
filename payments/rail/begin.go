package rail

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

// Order is a transfer that somebody asks for.
type Order struct {
	// ID is 16 to 40 of A–Z a–z 0–9 - _, never used for anything else, also not in the ledger.
	ID   string
	Rail string
	// Wallet is the account of the ledger, which must be there. Address is where the money comes from or goes to, in the network's own form, at most 256 bytes.
	Wallet, Address string
	// Amount is in minor units, 1 to ledger.MaxAmount.
	Amount int64
	Unit   string
	// Fee is what the wallet pays besides, to the account FeeTo, when it is settled; for what goes out.
	Fee   int64
	FeeTo string
	// About and Data are kept in the ledger with the hold; for what goes out.
	About string
	Data  []byte
}

// Also writes what belongs to an order in the transaction that keeps it; it gets the ledger's records, none for a cash-in.
type Also func(ctx context.Context, records []ledger.Record) error

var orderID = regexp.MustCompile(`^[A-Za-z0-9_-]{16,40}$`)

const (
	maxAddress = 256
	holding    = 60 * 24 * time.Hour // for how long a wallet's money is held, each time
	renewal    = 30 * 24 * time.Hour // the hold is renewed when less than that is left

	// MaxWaiting is how many cash-ins of one wallet may wait: they hold nothing, so nothing else bounds them.
	MaxWaiting = 20
)

// CashIn begins to bring money into a wallet. Once the network has taken it, the transfer's Next says what the person has to do: see Await. Asked again with the same
// id and content it returns the transfer as it stands. Errors: ErrNoRail, ErrBad, ErrIDTaken, and ErrTooMany while MaxWaiting others have no end yet.
func (e *Engine) CashIn(ctx context.Context, order Order, also Also) (Transfer, error) {
	return e.begin(ctx, CashIn, order, "", also)
}

// CashOut begins to send money out of a wallet: it is held in the ledger under the order's id, with About and Data, and then sent. Asked again with the same id and
// content it returns the transfer as it stands. Errors: ErrNoRail, ErrBad, ErrIDTaken, and those of ledger.Post (*ledger.Refused if it is not there).
func (e *Engine) CashOut(ctx context.Context, order Order, also Also) (Transfer, error) {
	return e.begin(ctx, CashOut, order, "", also)
}

// Refund begins to give back what a settled cash-in has brought, all or a part: rail, address and unit of the order are those of the cash-in, and the wallet is where it went, also if that is frozen, or is the
// rail's account for what no wallet took. Errors are those of CashOut, ErrNotFound if there is no such cash-in or it is not settled, and ErrExceeds.
func (e *Engine) Refund(ctx context.Context, order Order, of string, also Also) (Transfer, error) {
	in, err := e.Get(ctx, of)
	if err != nil {
		return Transfer{}, err
	}
	if in.Kind != CashIn || in.State != Settled {
		return Transfer{}, ErrNotFound
	}
	came, ok, err := e.ledger.Look(ctx, in.booked)
	if err != nil || !ok {
		return Transfer{}, errors.Join(err, ErrNotFound)
	}
	order.Rail, order.Wallet, order.Unit, order.Address = in.Rail, came.To, in.Unit, in.Address
	return e.begin(ctx, Refund, order, of, also)
}

func (e *Engine) check(kind Kind, o Order) error {
	network, ok := e.networks[o.Rail]
	if !ok {
		return ErrNoRail
	}
	terms := network.Terms()
	if can := map[Kind]bool{CashIn: terms.In, CashOut: terms.Out, Refund: terms.Refunds}[kind]; !can || !slices.Contains(terms.Units, o.Unit) {
		return ErrNoRail
	}
	switch {
	case !orderID.MatchString(o.ID):
		return fmt.Errorf("%w: an id is 16 to 40 letters, digits, - and _", ErrBad)
	case o.Amount < 1 || o.Amount > ledger.MaxAmount || o.Fee < 0 || o.Fee > ledger.MaxAmount || o.Fee > 0 && (o.FeeTo == "" || kind == CashIn):
		return fmt.Errorf("%w: amount and fee", ErrBad)
	case o.Wallet == "" || len(o.Address) > maxAddress:
		return fmt.Errorf("%w: wallet and address", ErrBad)
	}
	return nil
}

func (e *Engine) begin(ctx context.Context, kind Kind, o Order, of string, also Also) (Transfer, error) {
	if err := e.check(kind, o); err != nil {
		return Transfer{}, err
	}
	if t, err := e.Get(ctx, o.ID); !errors.Is(err, ErrNotFound) {
		return again(t, err, kind, o, of)
	}
	now := e.now().UTC().Truncate(time.Microsecond)
	t := Transfer{ID: o.ID, Number: e.db.Next(), Rail: o.Rail, Kind: kind, State: Created, Wallet: o.Wallet, Address: o.Address, Amount: o.Amount, Unit: o.Unit, Fee: o.Fee, FeeTo: o.FeeTo,
		Of: of, Created: now, Changed: now}
	write := func(ctx context.Context, records []ledger.Record) error {
		if err := e.insert(ctx, t); err != nil {
			return err
		}
		if also != nil {
			if err := also(ctx, records); err != nil {
				return err
			}
		}
		return e.jobs.Enqueue(ctx, kindOf(t.Rail), t.ID, "")
	}
	var err error
	if kind == CashIn {
		err = e.db.Tx(ctx, func(ctx context.Context) error { return write(ctx, nil) })
	} else {
		t.hold, t.heldUntil = t.ID, now.Add(holding)
		operations := e.holds(t, t.hold)
		operations[0].About, operations[0].Data = o.About, o.Data
		if kind == Refund { // the operator wants it, whether the wallet pays otherwise or not
			if thawed, frozen := e.thaw(ctx, t, operations); frozen {
				operations = thawed
			}
		}
		_, err = e.ledger.Post(ctx, func(ctx context.Context, records []ledger.Record) error { return write(ctx, moving(records)) }, operations...)
	}
	kept, readErr := e.Get(ctx, t.ID)
	if readErr == nil {
		return again(kept, nil, kind, o, of) // another call with the same id may have been faster
	}
	if errors.Is(err, ledger.ErrIDTaken) || errors.Is(err, store.ErrConflict) {
		err = ErrIDTaken
	}
	if err == nil {
		err = readErr
	}
	return Transfer{}, err
}

// again is the answer to what was asked for before.
func again(t Transfer, err error, kind Kind, o Order, of string) (Transfer, error) {
	if err == nil && (t.Kind != kind || t.Rail != o.Rail || t.Wallet != o.Wallet || t.Address != o.Address || t.Amount != o.Amount || t.Unit != o.Unit || t.Fee != o.Fee || t.Of != of) {
		return Transfer{}, ErrIDTaken
	}
	return t, err
}

// holds are the operations that set aside what goes out, and the fee.
func (e *Engine) holds(t Transfer, id string) []ledger.Operation {
	all := []ledger.Operation{{ID: id, Kind: ledger.Hold, From: t.Wallet, To: Account(t.Rail, t.Unit), Amount: t.Amount, Unit: t.Unit, Expires: t.heldUntil}}
	if t.Fee > 0 {
		all = append(all, ledger.Operation{ID: feeOf(id), Kind: ledger.Hold, From: t.Wallet, To: t.FeeTo, Amount: t.Fee, Unit: t.Unit, Expires: t.heldUntil})
	}
	return all
}

// feeOf is the id of the hold of a fee, beside the hold that it belongs to.
func feeOf(hold string) string { return hold + ":fee" }

func (e *Engine) insert(ctx context.Context, t Transfer) error {
	check := map[Kind]func(context.Context, Transfer) error{CashIn: e.mayWait, Refund: e.leaves}[t.Kind]
	if check != nil {
		if err := check(ctx, t); err != nil {
			return err
		}
	}
	_, err := e.db.Exec(ctx, `insert into rail_transfer (id, number, rail, kind, state, wallet, address, amount, unit, fee, fee_to, target, reference, go_kind, go_value, why, moved, returned, owed, cost,
		sequence, hold, held_until, booked, created, changed, sent, unknown_since, settled_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', '', '', 0, 0, 0, 0, 0, $13, $14, '', $15, $15, 0, 0, 0)`,
		t.ID, t.Number, t.Rail, t.Kind, t.State, t.Wallet, t.Address, t.Amount, t.Unit, t.Fee, t.FeeTo, t.Of, t.hold, micro(t.heldUntil), micro(t.Created))
	if err != nil {
		return fmt.Errorf("keep transfer: %w", err)
	}
	return e.noteStep(ctx, t)
}

// mayWait refuses a cash-in where too many of its wallet wait already.
func (e *Engine) mayWait(ctx context.Context, t Transfer) error {
	var waiting int
	if err := e.db.QueryRow(ctx, "select count(*) from rail_transfer where wallet = $1 and kind = $2 and state in (1, 2, 3, 5)", t.Wallet, CashIn).Scan(&waiting); err != nil {
		return fmt.Errorf("count cash-ins that wait: %w", err)
	}
	if waiting >= MaxWaiting {
		return ErrTooMany
	}
	return nil
}

// leaves refuses a refund of more than is left of its cash-in, with all refunds that were not rejected.
func (e *Engine) leaves(ctx context.Context, t Transfer) error {
	var left int64
	err := e.db.QueryRow(ctx, `select i.moved - i.returned - cast(coalesce((select sum(case when r.state in (6, 7) then r.moved - r.returned else r.amount end)
		from rail_transfer r where r.target = i.id and r.state <> 4), 0) as bigint) from rail_transfer i where i.id = $1 and i.state = 6`, t.Of).Scan(&left)
	if errors.Is(err, store.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read what is left to refund: %w", err)
	}
	if t.Amount > left {
		return ErrExceeds
	}
	return nil
}

// Cancel ends a transfer that was not sent yet; what was held is free again. It returns ErrTooLate if it was sent.
func (e *Engine) Cancel(ctx context.Context, id string) (Transfer, error) {
	t, err := e.Get(ctx, id)
	if err != nil {
		return t, err
	}
	if t.State == Created {
		if t, err = e.reject(ctx, t, Status{Why: "cancelled"}); !errors.Is(err, errChanged) {
			return t, err
		}
	}
	if t.State == Rejected && t.Sent.IsZero() {
		return t, nil
	}
	return t, ErrTooLate
}

// Await waits until a transfer has left Created and Submitted, so that its Next is known, or until ctx ends, and returns it as it stands.
func (e *Engine) Await(ctx context.Context, id string) (Transfer, error) {
	for {
		changed := e.listen(id)
		t, err := e.Get(ctx, id)
		if err != nil || t.State != Created && t.State != Submitted {
			e.unlisten(id, changed)
			return t, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			e.unlisten(id, changed)
			return t, nil
		}
	}
}

func (e *Engine) listen(id string) chan struct{} {
	changed := make(chan struct{})
	e.mu.Lock()
	e.waiting[id] = append(e.waiting[id], changed)
	e.mu.Unlock()
	return changed
}

func (e *Engine) unlisten(id string, changed chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting[id] = slices.DeleteFunc(e.waiting[id], func(c chan struct{}) bool { return c == changed }); len(e.waiting[id]) == 0 {
		delete(e.waiting, id)
	}
}

// wake tells those who wait for a transfer that it has changed.
func (e *Engine) wake(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, changed := range e.waiting[id] {
		close(changed)
	}
	delete(e.waiting, id)
}
