package rail_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"pgregory.net/rapid"
)

// plans generates what a network can do with a transfer, and what goes wrong on the way.
func plans(t *rapid.T) sandbox.Plan {
	often := func(name string) bool { return rapid.IntRange(0, 2).Draw(t, name) == 2 }
	some := rapid.SampledFrom([]time.Duration{0, time.Second, 30 * time.Second, 10 * time.Minute, 5 * time.Hour})
	p := sandbox.Plan{After: some.Draw(t, "after"), Lag: some.Draw(t, "lag"), Copies: rapid.IntRange(0, 2).Draw(t, "copies"), Silent: often("silent"), Early: often("early"), Hang: often("hang"),
		Cost: rapid.Int64Range(0, 3).Draw(t, "cost"), Mute: rapid.IntRange(0, 2).Draw(t, "mute"), MuteAsks: rapid.IntRange(0, 3).Draw(t, "mute asks"), Drop: rapid.IntRange(0, 2).Draw(t, "drop"),
		Delay: some.Draw(t, "delay"), Reject: often("reject")}
	if p.Reject && often("late") {
		p.Late = time.Second + some.Draw(t, "late by")
	}
	if often("reverse") {
		p.Reverse = time.Second + some.Draw(t, "reverse after")
		if often("undo") {
			p.Undo = time.Second + some.Draw(t, "undo after")
		}
	}
	return p
}

// act is one thing that happens in a script.
type act struct {
	what   string
	amount int64
	of     int
	plan   sandbox.Plan
	point  string
	count  int
	time   time.Duration
}

func anAct(t *rapid.T) act {
	return act{what: rapid.SampledFrom([]string{"work", "in", "out", "out", "refund", "kill", "restart", "down", "up", "hours"}).Draw(t, "what"),
		amount: rapid.Int64Range(1, 400_000).Draw(t, "amount"), of: rapid.IntRange(0, 9).Draw(t, "of"), plan: plans(t),
		point: rapid.SampledFrom([]string{"before asking", "after asking", "before keeping", "after keeping"}).Draw(t, "point"), count: rapid.IntRange(1, 3).Draw(t, "count"),
		time: rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, time.Minute, 24 * time.Hour}).Draw(t, "time")}
}

// broken ends a script.
type broken struct{ what string }

// script is who fails in a world without a test of its own.
type script struct{}

func (script) Helper()                           {}
func (script) Fatal(args ...any)                 { panic(broken{fmt.Sprint(args...)}) }
func (script) Fatalf(format string, args ...any) { panic(broken{fmt.Sprintf(format, args...)}) }

// TestEveryFailure plays generated scripts of everything that a network can do wrong, and of processes that end in the middle of it. At the end the books and the
// network agree to the cent, nothing is held, and their lists do not differ. PALABRE_RAIL_SCRIPTS is how many scripts are played on SQLite; a sixtieth of them on
// PostgreSQL.
func TestEveryFailure(t *testing.T) {
	scripts := 60
	if text := os.Getenv("PALABRE_RAIL_SCRIPTS"); text != "" {
		var err error
		if scripts, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	checks := flag.Lookup("rapid.checks").Value.String()
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			n := scripts
			if engine == storetest.Postgres {
				n = max(scripts/60, 1)
			}
			for played := 0; played < n && !t.Failed(); played += 50 {
				t.Run(strconv.Itoa(played), func(t *testing.T) { // its databases go when it ends
					if err := flag.Set("rapid.checks", strconv.Itoa(min(n-played, 50))); err != nil {
						t.Fatal(err)
					}
					rapid.Check(t, func(r *rapid.T) {
						acts := rapid.SliceOfN(rapid.Custom(anAct), 1, 40).Draw(r, "acts")
						cfg := storetest.Config(t, engine)
						var failure string
						synctest.Test(t, func(t *testing.T) { failure = play(t, cfg, acts) })
						if failure != "" {
							r.Fatal(failure)
						}
					})
				})
			}
		})
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
}

// played is a world in the middle of a script.
type played struct {
	*world
	next int
	ins  []string
}

// play plays a script to its end and says what is wrong then.
func play(t *testing.T, cfg store.Config, acts []act) (failure string) {
	db, err := store.Open(t.Context(), cfg, quiet)
	if err != nil {
		return err.Error()
	}
	p := &played{}
	defer func() {
		if p.world != nil {
			p.book.Close()
		}
		if err := db.Close(); err != nil {
			failure = err.Error()
		}
	}()
	defer func() {
		if end := recover(); end != nil {
			what, ok := end.(broken)
			if !ok {
				panic(end)
			}
			failure = what.what
		}
	}()
	p.world = newWorld(script{}, t.Context(), db, sandbox.Plan{})
	for _, a := range acts {
		p.do(a)
		p.floors()
	}
	p.end()
	return ""
}

// do is one act.
func (p *played) do(a act) {
	id := ident(p.next)
	o := order(id, a.amount)
	switch a.what {
	case "in", "out", "refund":
		p.next++
		p.net.Plan(id, a.plan)
	}
	switch a.what {
	case "in":
		p.in(id, a.amount)
		p.ins = append(p.ins, id)
	case "out":
		o.Fee, o.FeeTo = 7, "fees"
		_, err := p.engine.CashOut(p.ctx, o, nil)
		p.refused(err)
	case "refund":
		if len(p.ins) > 0 {
			_, err := p.engine.Refund(p.ctx, rail.Order{ID: id, Amount: a.amount/4 + 1}, p.ins[a.of%len(p.ins)], nil)
			p.refused(err)
		}
	case "kill":
		p.mu.Lock()
		p.point, p.count = a.point, a.count
		p.mu.Unlock()
		p.work()
	case "restart":
		p.restart()
	case "down":
		p.net.Down(time.Now(), time.Now().Add(a.time))
	case "up":
		p.net.Down(time.Time{}, time.Time{})
	case "hours":
		p.pass(2*time.Hour, 10*time.Minute)
	default:
		p.work()
		time.Sleep(min(a.time, time.Minute))
	}
}

// refused accepts answers for which nothing was kept.
func (p *played) refused(err error) {
	if err != nil && !errors.Is(err, ledger.Insufficient) && !errors.Is(err, rail.ErrExceeds) && !errors.Is(err, rail.ErrNotFound) {
		p.t.Fatal(err)
	}
}

// floors looks that no wallet has paid what it had not.
func (p *played) floors() {
	if a := p.account(wallet); a.Available() < 0 {
		p.t.Fatalf("the wallet is at %+v", a)
	}
}

// end lets everything come to its end, and compares the books with the network.
func (p *played) end() {
	for range 3 {
		p.pass(12*time.Hour, 10*time.Minute)
	}
	for range 4 { // what a network has changed without a word is found at night
		p.pass(14*time.Hour, 20*time.Minute)
		report, err := p.engine.Reconcile(p.ctx, name, time.Now().Add(-20*24*time.Hour), time.Now())
		if err != nil {
			p.t.Fatal(err)
		}
		if report.Differences == 0 && p.over() {
			break
		}
	}
	p.agree()
	report, err := p.engine.Reconcile(p.ctx, name, time.Now().Add(-20*24*time.Hour), time.Now().Add(time.Second))
	if err != nil || report.Differences != 0 {
		found, _ := p.engine.Differences(p.ctx, report.Number)
		p.t.Fatalf("at the end the lists differ: %+v (%v)", found, err)
	}
}

func (p *played) over() bool {
	figures, err := p.engine.Figures(p.ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range figures {
		if !f.State.Over() {
			return false
		}
	}
	return true
}
