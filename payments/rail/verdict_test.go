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
	v, err := w.engine.Propose(t.Context(), rail.Verdict{Transfer: ident(1), State: rail.Settled, Proposer: "nurse", Why: "seen in their pages"})
	if err != nil {
		t.Fatal(err)
	}
	return v.Number
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
			if _, err := w.engine.Approve(t.Context(), number, "friar"); !errors.Is(err, rail.ErrBad) {
				t.Errorf("approved: %v", err)
			}
		}
		if _, err := w.engine.Decline(t.Context(), 1, "friar", nothing); !errors.Is(err, rail.ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
		is(t, w, ident(1), rail.Unknown)
		number := proposed(t, w)
		if got, err := w.engine.Approve(t.Context(), number, "friar"); err != nil || got.State != rail.Settled {
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

// TestAVerdictEndsOnce has it approved while it is withdrawn: it is one of the two, and booked only if it was approved.
func TestAVerdictEndsOnce(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := unanswered(t, cfg)
		for range 10 {
			number := proposed(t, w)
			var approved, declined error
			var both sync.WaitGroup
			both.Go(func() { _, approved = w.engine.Approve(t.Context(), number, "friar") })
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
