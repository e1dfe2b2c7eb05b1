package rail_test

import (
	"errors"
	"testing"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
)

func TestCashInAndOut(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{After: 3 * time.Second, Cost: 5})
		w.in(ident(1), 2500)
		w.out(ident(2), 1000)
		if a := w.account(wallet); a.Held != 1000 || a.Balance != funds {
			t.Fatalf("before it is sent: %+v", a)
		}
		w.work()
		if got := w.get(ident(1)); got.State != rail.Accepted || got.Next.Kind != "wait" {
			t.Fatalf("got %v, %+v", got.State, got.Next)
		}
		w.pass(time.Minute, time.Second)
		if a := w.account(wallet); a.Balance != funds+1500 || a.Held != 0 {
			t.Fatalf("afterwards: %+v", a)
		}
		w.agree()
	})
}

// TestNoAnswerMeansUnknown loses the answer: the transfer is unknown, is asked about by its id, and is there once.
func TestNoAnswerMeansUnknown(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{Mute: 1, MuteAsks: 3, Hang: true, Silent: true})
		w.net.Plan(ident(2), sandbox.Plan{Drop: 2, Hang: true, Silent: true})
		w.out(ident(1), 1000)
		w.out(ident(2), 10)
		w.work()
		for _, id := range []string{ident(1), ident(2)} {
			if got := w.get(id); got.State != rail.Unknown || got.UnknownSince.IsZero() {
				t.Fatalf("%s is %v", id, got.State)
			}
		}
		if a := w.account(wallet); a.Held != 1010 {
			t.Fatalf("held while it is unknown: %+v", a)
		}
		if since, ok, err := w.engine.OldestUnknown(t.Context()); err != nil || !ok || time.Since(since) > time.Minute {
			t.Fatalf("oldest unknown: %v, %v, %v", since, ok, err)
		}
		w.pass(time.Hour, time.Minute)
		w.agree()
		if a := w.account(wallet); a.Balance != funds-1010 {
			t.Fatalf("afterwards: %+v", a)
		}
	})
}

func TestTheSameIDIsTheSameTransfer(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{})
		w.out(ident(1), 1000)
		w.pass(time.Minute, time.Second)
		if got := w.out(ident(1), 1000); got.State != rail.Settled {
			t.Fatalf("asked again: %v", got.State)
		}
		if _, err := w.engine.CashOut(t.Context(), order(ident(1), 999), nil); !errors.Is(err, rail.ErrIDTaken) {
			t.Fatalf("another amount: %v", err)
		}
		if _, err := w.engine.CashIn(t.Context(), order(ident(1), 1000), nil); !errors.Is(err, rail.ErrIDTaken) {
			t.Fatalf("another kind: %v", err)
		}
		if _, err := w.engine.CashOut(t.Context(), order(ident(2), funds), nil); !errors.Is(err, ledger.Insufficient) {
			t.Fatalf("more than there is: %v", err)
		}
		w.agree()
	})
}
