package rail_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
)

// unanswered is a world with a cash-out of 1000 of which nobody knows.
func unanswered(t *testing.T, cfg store.Config) *world {
	w := within(t, cfg, sandbox.Plan{Drop: 1000, Hang: true})
	w.out(ident(1), 1000)
	w.work()
	w.net.Down(time.Now(), time.Now().Add(1000*time.Hour))
	return w
}

// proposed is the number of a verdict of the nurse's.
func proposed(t *testing.T, w *world) int64 {
	t.Helper()
	v, err := w.propose(rail.Verdict{Transfer: ident(1), State: rail.Settled, Proposer: "nurse", Why: "seen in their pages"})
	if err != nil {
		t.Fatal(err)
	}
	return v.Number
}

// propose and approve have nothing written beside a verdict.
func (w *world) propose(v rail.Verdict) (rail.Verdict, error) {
	return w.engine.Propose(w.ctx, v, func(context.Context, rail.Verdict) error { return nil })
}

func (w *world) approve(number int64, by string) (rail.Transfer, error) {
	return w.engine.Approve(w.ctx, number, by, func(context.Context, rail.Transfer) error { return nil })
}

// TestAVerdictIsWithdrawnOrRefused by its proposer and by somebody else: nothing is booked by it, and another one may be proposed.
func TestAVerdictIsWithdrawnOrRefused(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := unanswered(t, cfg)
		nothing := func(context.Context, rail.Verdict) error { return nil }
		for _, by := range []string{"nurse", "friar"} {
			number := proposed(t, w)
			lost := errors.New("the log is full")
			if _, err := w.engine.Decline(t.Context(), number, by, func(context.Context, rail.Verdict) error { return lost }); !errors.Is(err, lost) {
				t.Errorf("without a log: %v", err)
			}
			v, err := w.engine.Decline(t.Context(), number, by, nothing)
			if err != nil || !v.Declined || v.Approver != by || v.Decided.IsZero() || v.Transfer != ident(1) {
				t.Errorf("%+v (%v)", v, err)
			}
			if _, err := w.engine.Decline(t.Context(), number, by, nothing); !errors.Is(err, rail.ErrBad) {
				t.Errorf("once more: %v", err)
			}
			if _, err := w.approve(number, "friar"); !errors.Is(err, rail.ErrBad) {
				t.Errorf("approved: %v", err)
			}
		}
		if _, err := w.engine.Decline(t.Context(), 1, "friar", nothing); !errors.Is(err, rail.ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
		is(t, w, ident(1), rail.Unknown)
		number := proposed(t, w)
		if got, err := w.approve(number, "friar"); err != nil || got.State != rail.Settled {
			t.Errorf("%v, %v", got.State, err)
		}
		if _, err := w.engine.Decline(t.Context(), number, "nurse", nothing); !errors.Is(err, rail.ErrBad) {
			t.Errorf("after it was approved: %v", err)
		}
		decided, err := w.engine.Verdicts(t.Context(), true)
		if err != nil || len(decided) != 3 || decided[0].Declined || !decided[1].Declined || !decided[2].Declined || decided[2].Approver != "nurse" {
			t.Errorf("%+v (%v)", decided, err)
		}
		if a := w.account(wallet); a.Balance != funds-1000 || a.Held != 0 {
			t.Errorf("the wallet: %+v", a)
		}
	})
}

// TestAVerdictIsNothingWithoutALog has it proposed and approved where that cannot be written down: neither is done.
func TestAVerdictIsNothingWithoutALog(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w, full := unanswered(t, cfg), errors.New("the log is full")
		for _, state := range []rail.State{rail.Settled, rail.Rejected} {
			of := rail.Verdict{Transfer: ident(1), State: state, Proposer: "nurse", Why: "seen in their pages"}
			if _, err := w.engine.Propose(t.Context(), of, func(context.Context, rail.Verdict) error { return full }); !errors.Is(err, full) {
				t.Errorf("proposed: %v", err)
			}
			if open, err := w.engine.Verdicts(t.Context(), false); err != nil || len(open) != 0 {
				t.Errorf("kept: %+v (%v)", open, err)
			}
			v, err := w.propose(of)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.engine.Approve(t.Context(), v.Number, "friar", func(context.Context, rail.Transfer) error { return full }); !errors.Is(err, full) {
				t.Errorf("approved: %v", err)
			}
			is(t, w, ident(1), rail.Unknown)
			open, err := w.engine.Verdicts(t.Context(), false)
			if a := w.account(wallet); err != nil || len(open) != 1 || open[0].Number != v.Number || a.Balance != funds || a.Held != 1000 {
				t.Errorf("%+v, the wallet %+v (%v)", open, a, err)
			}
			if _, err := w.engine.Decline(t.Context(), v.Number, "friar", func(context.Context, rail.Verdict) error { return nil }); err != nil {
				t.Error(err)
			}
		}
		var written []rail.State
		_, err := w.engine.Approve(t.Context(), proposed(t, w), "friar", func(_ context.Context, got rail.Transfer) error {
			written = append(written, got.State)
			return nil
		})
		if err != nil || len(written) != 1 || written[0] != rail.Settled {
			t.Errorf("written: %v (%v)", written, err)
		}
	})
}

// TestAVerdictEndsOnce has it approved while it is withdrawn: it is one of the two, and booked only if it was approved.
func TestAVerdictEndsOnce(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := unanswered(t, cfg)
		for range 10 {
			number := proposed(t, w)
			var approved, declined error
			var both sync.WaitGroup
			both.Go(func() { _, approved = w.approve(number, "friar") })
			both.Go(func() {
				_, declined = w.engine.Decline(t.Context(), number, "nurse", func(context.Context, rail.Verdict) error { return nil })
			})
			both.Wait()
			if (approved == nil) == (declined == nil) {
				t.Fatalf("approved %v, withdrawn %v", approved, declined)
			}
			got, err := w.engine.Get(t.Context(), ident(1))
			if err != nil || (got.State == rail.Settled) != (approved == nil) {
				t.Fatalf("approved %v, withdrawn %v, and it is %v (%v)", approved, declined, got.State, err)
			}
			if approved == nil {
				return
			}
		}
	})
}
