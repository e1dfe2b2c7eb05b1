package rail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/payments/ledger"
)

// way is one way to book a change in the ledger; where the ledger refuses it, the next one is tried, and the last is never refused. Ids of a way hold the number of
// the change, the way and the amount. Nothing is booked twice by them, as the number of the change is kept with what is booked; what was refused stays refused under
// its id, so an attempt after one that could book nothing has ids of its own.
type way struct {
	operations []ledger.Operation
	booked     string // the operation that moves the amount
	owed       int64  // how much more the operator has paid
}

// change keeps what a transfer is now, with what is booked for it if there are ways, in one transaction.
func (e *Engine) change(ctx context.Context, was, t Transfer, ways ...way) (Transfer, error) {
	t.Changed = e.now().UTC().Truncate(time.Microsecond)
	if len(ways) == 0 {
		ways = []way{{}}
	} else {
		t.sequence++
	}
	for i, w := range ways {
		now := t
		now.Owed += w.owed
		if w.booked != "" {
			now.booked = w.booked
		}
		write := func(ctx context.Context, records []ledger.Record) error {
			if err := e.keep(ctx, was, now); err != nil || e.observer == nil {
				return err
			}
			return e.observer(ctx, now, moving(records))
		}
		var err error
		if len(w.operations) == 0 {
			err = e.db.Tx(ctx, func(ctx context.Context) error { return write(ctx, nil) })
		} else {
			_, err = e.ledger.Post(ctx, write, w.operations...)
		}
		var refused *ledger.Refused
		if (errors.As(err, &refused) || errors.Is(err, ledger.ErrIDTaken)) && i < len(ways)-1 {
			e.log.Info("the ledger has refused one way to book a transfer; the next is tried", "transfer", t.ID, "err", err)
			continue
		}
		if err != nil {
			return was, fmt.Errorf("transfer %s: keep that it is %s: %w", t.ID, t.State, err)
		}
		e.wake(t.ID)
		now.verdict = nil
		return now, nil
	}
	return was, nil
}

// moving are the records that move or hold something, without those that open and freeze a wallet around them.
func moving(records []ledger.Record) []ledger.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r ledger.Record) bool { return r.Kind == ledger.Setting })
}

// bookID is an id for the ledger, at most 63 bytes for the first thousand changes of a transfer.
func bookID(t Transfer, letter string, amount int64) string {
	id := t.ID + ":" + strconv.FormatInt(t.sequence, 10) + letter + strconv.FormatInt(amount, 36)
	if t.attempt > 0 {
		id += "." + strconv.Itoa(t.attempt%10000)
	}
	return id
}

// transfer is one way: amount goes from an account to another.
func transfer(t Transfer, letter, from, to string, amount int64) way {
	id := bookID(t, letter, amount)
	return way{operations: []ledger.Operation{{ID: id, Kind: ledger.Transfer, From: from, To: to, Amount: amount, Unit: t.Unit}}, booked: id}
}

// settle books what a network has moved.
func (e *Engine) settle(ctx context.Context, t Transfer, s Status) (Transfer, error) {
	was := t
	var ways []way
	outside := Account(t.Rail, t.Unit)
	if t.Kind == CashIn {
		ways = []way{transfer(t, "a", outside, t.Wallet, s.Amount), transfer(t, "b", outside, unclaimed(t.Rail, t.Unit), s.Amount)}
	} else {
		ways = append(e.captures(ctx, t, s.Amount), transfer(t, "d", t.Wallet, outside, s.Amount), transfer(t, "e", owed(t.Rail, t.Unit), outside, s.Amount))
		ways[len(ways)-1].owed = s.Amount
	}
	if s.Cost > 0 {
		for i := range ways {
			ways[i].operations = append(ways[i].operations, ledger.Operation{ID: ways[i].booked + "c", Kind: ledger.Transfer, From: cost(t.Rail, t.Unit), To: outside, Amount: s.Cost, Unit: t.Unit})
		}
	}
	s = known(t, s)
	if t.State == Rejected {
		e.log.Warn("a network has settled what it had rejected", "rail", t.Rail, "transfer", t.ID)
	}
	t.State, t.Reference, t.Next, t.Why, t.UnknownSince = Settled, s.Reference, Next{}, s.Why, time.Time{}
	t.Moved, t.Cost, t.SettledAt, t.hold = s.Amount, s.Cost, s.At, ""
	if t.SettledAt.IsZero() {
		t.SettledAt = e.now().UTC()
	}
	return e.change(ctx, was, t, ways...)
}

// captures are the ways to take what is held: with the fee; also from a wallet that was frozen after its owner had signed; without the fee.
func (e *Engine) captures(ctx context.Context, t Transfer, amount int64) (ways []way) {
	if t.hold == "" {
		return nil
	}
	take := func(letter string, fee ledger.Kind) way {
		id := bookID(t, letter, amount)
		w := way{operations: []ledger.Operation{{ID: id, Kind: ledger.Capture, Of: t.hold, Amount: amount}}, booked: id}
		if t.Fee > 0 {
			o := ledger.Operation{ID: id + "f", Kind: fee, Of: feeOf(t.hold)}
			if fee == ledger.Capture {
				o.Amount = t.Fee
			}
			w.operations = append(w.operations, o)
		}
		return w
	}
	ways = append(ways, take("a", ledger.Capture))
	if thawed, ok := e.thaw(ctx, t, take("b", ledger.Capture).operations); ok {
		ways = append(ways, way{operations: thawed, booked: bookID(t, "b", amount)})
	}
	return append(ways, take("c", ledger.Void))
}

// thaw puts operations between the opening and the freezing of a wallet that is frozen, in one request; ok is false if it is not.
func (e *Engine) thaw(ctx context.Context, t Transfer, operations []ledger.Operation) (_ []ledger.Operation, ok bool) {
	wallet, err := e.ledger.Account(ctx, t.Wallet)
	if err != nil || wallet.State != ledger.Frozen {
		return nil, false
	}
	set := ledger.Operation{ID: operations[0].ID + "o", Kind: ledger.Setting, From: t.Wallet, Floor: wallet.Floor, State: ledger.Open}
	operations = append([]ledger.Operation{set}, operations...)
	set.ID, set.State = operations[1].ID+"z", ledger.Frozen
	return append(operations, set), true
}

// reject gives back what was held.
func (e *Engine) reject(ctx context.Context, t Transfer, s Status) (Transfer, error) {
	was := t
	var ways []way
	if t.hold != "" {
		ways = []way{{operations: e.voids(t, bookID(t, "v", 0))}, {}}
	}
	s = known(t, s)
	t.State, t.Reference, t.Next, t.Why, t.UnknownSince, t.hold = Rejected, s.Reference, Next{}, s.Why, time.Time{}, ""
	return e.change(ctx, was, t, ways...)
}

func (e *Engine) voids(t Transfer, id string) []ledger.Operation {
	all := []ledger.Operation{{ID: id, Kind: ledger.Void, Of: t.hold}}
	if t.Fee > 0 {
		all = append(all, ledger.Operation{ID: id + "f", Kind: ledger.Void, Of: feeOf(t.hold)})
	}
	return all
}

// renew holds a wallet's money anew before the hold is over: the old one ends and the new one begins in one request, so nobody takes it in between.
func (e *Engine) renew(ctx context.Context, t Transfer) (Transfer, error) {
	was := t
	id := bookID(t, "h", 0)
	ended := e.voids(t, bookID(t, "v", 0))
	t.hold, t.heldUntil = id, e.now().UTC().Truncate(time.Microsecond).Add(holding)
	ways := []way{{operations: append(ended, e.holds(t, id)...)}}
	if thawed, ok := e.thaw(ctx, t, ways[0].operations); ok {
		ways = []way{{operations: thawed}}
	}
	kept, err := e.change(ctx, was, t, ways...)
	var refused *ledger.Refused
	if errors.As(err, &refused) || errors.Is(err, ledger.ErrIDTaken) {
		e.log.Error("money that a network may have moved could not be held for longer", "rail", t.Rail, "transfer", t.ID, "err", err)
		return was, nil
	}
	return kept, err
}

// giveBack books that of what was moved so much is returned in all: by the network, without our asking. It may become less again, where a dispute was won.
func (e *Engine) giveBack(ctx context.Context, t Transfer, returned int64, s Status) (Transfer, error) {
	was := t
	outside, n := Account(t.Rail, t.Unit), returned-t.Returned
	var ways []way
	switch {
	case n == 0:
		return t, nil
	case n > 0 && t.Kind == CashIn:
		ways = []way{reversal(t, "r", n), transfer(t, "s", owed(t.Rail, t.Unit), outside, n)}
		ways[1].owed = n
	case n > 0:
		ways = []way{reversal(t, "r", n), transfer(t, "s", outside, t.Wallet, n), transfer(t, "t", outside, unclaimed(t.Rail, t.Unit), n)}
		ways[0].owed = -min(n, t.Owed)
		if full := returned == t.Moved; full && t.Fee > 0 {
			withFee := reversal(t, "q", n)
			withFee.operations = append(withFee.operations, ledger.Operation{ID: withFee.booked + "f", Kind: ledger.Reversal, Of: t.booked + "f", Amount: t.Fee})
			ways = append([]way{withFee}, ways...)
		}
	case t.Kind == CashIn:
		ways = restored(t, -n)
	default:
		ways = []way{transfer(t, "s", t.Wallet, outside, -n), transfer(t, "t", owed(t.Rail, t.Unit), outside, -n)}
		ways[1].owed = -n
	}
	for i := range ways {
		ways[i].booked = "" // what settled it stays what can be reversed
	}
	if t.Returned, t.State = returned, Settled; returned == t.Moved {
		t.State = Reversed
	}
	t.Why = s.Why
	return e.change(ctx, was, t, ways...)
}

// reversal takes back what settled a transfer.
func reversal(t Transfer, letter string, n int64) way {
	id := bookID(t, letter, n)
	return way{operations: []ledger.Operation{{ID: id, Kind: ledger.Reversal, Of: t.booked, Amount: n}}, booked: id}
}

// restored are the ways to book that n of a cash-in is here after all: first for what the operator has paid, then for the wallet.
func restored(t Transfer, n int64) (ways []way) {
	outside, back := Account(t.Rail, t.Unit), min(n, t.Owed)
	for _, to := range []struct{ letter, account string }{{"s", t.Wallet}, {"t", unclaimed(t.Rail, t.Unit)}} {
		w := way{owed: -back}
		if back > 0 {
			w.operations = transfer(t, to.letter+"o", outside, owed(t.Rail, t.Unit), back).operations
		}
		if n > back {
			w.operations = append(w.operations, transfer(t, to.letter, outside, to.account, n-back).operations...)
		}
		ways = append(ways, w)
	}
	return ways
}
