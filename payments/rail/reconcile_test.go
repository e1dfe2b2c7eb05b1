package rail_test

import (
	"slices"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
)

// TestNightly: a network changes things without a word; the night finds it, has it asked about, and an hour later the lists agree.
func TestNightly(t *testing.T) {
	one(t, sandbox.Plan{Silent: true}, func(t *testing.T, w *world) {
		w.net.Plan(ident(1), sandbox.Plan{Silent: true, Reverse: time.Hour})
		w.net.Plan(ident(2), sandbox.Plan{Silent: true, Reject: true, Late: time.Hour})
		w.in(ident(1), 100)
		w.out(ident(2), 200)
		w.pass(3*time.Hour, 10*time.Minute)
		is(t, w, ident(1), rail.Settled)
		is(t, w, ident(2), rail.Rejected)
		w.pass(48*time.Hour, 10*time.Minute)
		is(t, w, ident(1), rail.Reversed)
		is(t, w, ident(2), rail.Settled)
		w.agree()
		reports, err := w.engine.Reports(t.Context(), name, 0, 100)
		if err != nil || len(reports) < 3 {
			t.Fatalf("%+v, %v", reports, err)
		}
		n := len(reports)
		if reports[0].Differences != 0 || reports[n-1].Differences+reports[n-2].Differences != 2 {
			t.Fatalf("%+v", reports)
		}
	})
}

// TestNightsThatWereMissed are compared, whatever somebody compares by hand before; no day is left out.
func TestNightsThatWereMissed(t *testing.T) {
	one(t, sandbox.Plan{Silent: true}, func(t *testing.T, w *world) {
		w.pass(30*time.Hour, 30*time.Minute)
		w.in(ident(1), 100)
		w.pass(time.Hour, 10*time.Minute)
		if _, err := w.db.Exec(t.Context(), "update rail_transfer set moved = 11 where id = $1", ident(1)); err != nil {
			t.Fatal(err)
		}
		w.pass(12*24*time.Hour, 12*24*time.Hour) // nobody works
		today := time.Now().UTC().Truncate(24 * time.Hour)
		if _, err := w.engine.Reconcile(t.Context(), name, today.Add(-24*time.Hour), today); err != nil {
			t.Fatal(err)
		}
		w.pass(2*24*time.Hour, 10*time.Minute)
		reports, err := w.engine.Reports(t.Context(), name, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		var until time.Time
		for _, r := range slices.Backward(reports) {
			if !r.Night {
				continue
			}
			if !until.IsZero() && r.Since.After(until) {
				t.Errorf("nobody compared from %v to %v", until, r.Since)
			}
			until = r.Until
			found += r.Differences
		}
		if found == 0 || !until.Equal(time.Now().UTC().Truncate(24*time.Hour)) {
			t.Errorf("%d differences, compared until %v", found, until)
		}
	})
}

// TestReport names each kind of difference.
func TestReport(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{Silent: true})
		w.out(ident(1), 10)
		w.out(ident(2), 20)
		w.pass(time.Minute, time.Second)
		exec := func(sql string, args ...any) {
			if _, err := w.db.Exec(t.Context(), sql, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec("update rail_transfer set moved = 11 where id = $1", ident(1))
		exec("update rail_transfer set id = $1, reference = 'S77' where id = $2", ident(9), ident(2))
		report, err := w.engine.Reconcile(t.Context(), name, time.Now().Add(-time.Hour), time.Now().Add(time.Second))
		if err != nil || report.Lines != 2 || report.Differences != 3 {
			t.Fatalf("%+v, %v", report, err)
		}
		found, err := w.engine.Differences(t.Context(), report.Number)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]rail.Difference{}
		for _, d := range found {
			got[d.Kind.String()] = d
		}
		if got["other amount"].Here != 11 || got["other amount"].There != 10 || got["missing here"].There != 20 || got["missing there"].ID != ident(9) {
			t.Fatalf("%+v", found)
		}
	})
}
