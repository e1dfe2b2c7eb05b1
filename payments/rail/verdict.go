package rail

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Verdict is what the operator says about a transfer that is unknown, when they know it from elsewhere. It needs two people.
type Verdict struct {
	// Number is when it was proposed, in microseconds since 1970 (UTC).
	Number   int64
	Transfer string
	// State is Settled or Rejected; Amount is what was moved, in minor units, 0 for what was asked for.
	State  State
	Amount int64
	// Proposer has proposed it, for the reason Why; Approver has decided on it, empty while nobody has.
	Proposer, Why, Approver string
	// Declined says that it was withdrawn by Proposer, or refused by Approver if that is another one.
	Declined bool
	// Decided is when it was approved or declined, or when it was found that the transfer is not unknown any more; zero while it is open.
	Decided time.Time
}

// ErrSame means that whoever approves is the one who has proposed.
var ErrSame = errors.New("somebody else must approve it")

// maxVerdicts is how many verdicts may be open.
const maxVerdicts = 200

// Propose keeps a verdict about an unknown transfer, which Approve makes hold. also writes what belongs to it in the same transaction. Errors: ErrNotFound, ErrBad for what a
// network could not have said, without a reason of 1 to 256 bytes or a proposer, about a transfer that is not unknown, and when 200 are open.
func (e *Engine) Propose(ctx context.Context, v Verdict, also func(ctx context.Context, v Verdict) error) (Verdict, error) {
	t, err := e.Get(ctx, v.Transfer)
	if err != nil {
		return v, err
	}
	if t.State != Unknown || v.State != Settled && v.State != Rejected || v.Amount < 0 || t.Kind != CashIn && v.Amount > t.Amount || v.Why == "" || clip(v.Why) != v.Why || v.Proposer == "" {
		return v, ErrBad
	}
	v.Number, v.Approver, v.Declined, v.Decided = e.db.Next(), "", false, time.Time{}
	return v, e.db.Tx(ctx, func(ctx context.Context) error {
		var open int
		if err := e.db.QueryRow(ctx, "select count(*) from rail_verdict where decided = 0").Scan(&open); err != nil {
			return fmt.Errorf("count verdicts: %w", err)
		}
		if open >= maxVerdicts {
			return ErrBad
		}
		_, err := e.db.Exec(ctx, "insert into rail_verdict (id, transfer, state, amount, proposer, why, approver, decided) values ($1, $2, $3, $4, $5, $6, '', 0)",
			v.Number, v.Transfer, v.State, v.Amount, v.Proposer, v.Why)
		if err != nil {
			return fmt.Errorf("keep verdict: %w", err)
		}
		return also(ctx, v)
	})
}

// Approve makes a verdict hold: it is booked as if the network had said it, and also writes what belongs to it in the same transaction. Errors: ErrNotFound, ErrSame, and
// ErrBad if it was decided, or the transfer is not unknown any more: then the verdict is over.
func (e *Engine) Approve(ctx context.Context, number int64, by string, also func(ctx context.Context, t Transfer) error) (Transfer, error) {
	v, err := e.Verdict(ctx, number)
	if err != nil {
		return Transfer{}, err
	}
	switch {
	case by == "" || !v.Decided.IsZero():
		return Transfer{}, ErrBad
	case by == v.Proposer:
		return Transfer{}, ErrSame
	}
	t, err := e.resolve(ctx, v.Transfer, Status{State: v.State, Amount: v.Amount}, clip(v.Proposer+" and "+by+": "+v.Why), &decision{number, by, false, also})
	if errors.Is(err, ErrBad) {
		err = errors.Join(err, e.decide(ctx, decision{number, by, false, nil}))
	}
	return t, err
}

// Decline ends a verdict without anything being booked: who has proposed it withdraws it, anybody else refuses it. also writes what belongs to it in the same transaction. Errors: ErrNotFound, and ErrBad if
// it was decided.
func (e *Engine) Decline(ctx context.Context, number int64, by string, also func(ctx context.Context, v Verdict) error) (v Verdict, err error) {
	err = e.db.Tx(ctx, func(ctx context.Context) (err error) {
		if v, err = e.Verdict(ctx, number); err != nil {
			return err
		}
		if by == "" {
			return ErrBad
		}
		if err := e.decide(ctx, decision{number, by, true, nil}); err != nil {
			return err
		}
		v.Approver, v.Declined, v.Decided = by, true, e.now().UTC()
		return also(ctx, v)
	})
	return v, err
}

// decision is how a verdict ends.
type decision struct {
	number   int64
	by       string
	declined bool
	also     func(ctx context.Context, t Transfer) error // writes what belongs to it where the transfer changes because of it
}

// decide keeps how a verdict ends. It returns ErrBad if it has ended.
func (e *Engine) decide(ctx context.Context, d decision) error {
	n, err := e.db.Exec(ctx, "update rail_verdict set approver = $1, declined = $2, decided = $3 where id = $4 and decided = 0", d.by, d.declined, e.now().UnixMicro(), d.number)
	if err != nil {
		return fmt.Errorf("decide on a verdict: %w", err)
	}
	if n != 1 {
		return ErrBad
	}
	return nil
}

// Verdict reads one, ErrNotFound if there is none.
func (e *Engine) Verdict(ctx context.Context, number int64) (Verdict, error) {
	all, err := e.verdicts(ctx, "where id = $1", number)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Verdict{}, err
	}
	return all[0], nil
}

// Verdicts reads those that are open, or those that were decided, the newest first, at most 200.
func (e *Engine) Verdicts(ctx context.Context, decided bool) ([]Verdict, error) {
	if decided {
		return e.verdicts(ctx, "where decided > 0 order by id desc limit $1", maxVerdicts)
	}
	return e.verdicts(ctx, "where decided = 0 order by id desc limit $1", maxVerdicts)
}

func (e *Engine) verdicts(ctx context.Context, where string, args ...any) (all []Verdict, err error) {
	rows, err := e.db.Query(ctx, "select id, transfer, state, amount, proposer, why, approver, declined, decided from rail_verdict "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read verdicts: %w", err)
	}
	for rows.Next() {
		var v Verdict
		var decided int64
		if err := rows.Scan(&v.Number, &v.Transfer, &v.State, &v.Amount, &v.Proposer, &v.Why, &v.Approver, &v.Declined, &decided); err != nil {
			return nil, fmt.Errorf("read verdicts: %w", err)
		}
		v.Decided = fromMicro(decided)
		all = append(all, v)
	}
	return all, nil
}
