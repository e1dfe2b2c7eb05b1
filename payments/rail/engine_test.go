package rail_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// one runs a test on SQLite, in a bubble.
func one(t *testing.T, standard sandbox.Plan, run func(t *testing.T, w *world)) {
	t.Helper()
	cfg := storetest.Config(t, storetest.SQLite)
	synctest.Test(t, func(t *testing.T) { run(t, within(t, cfg, standard)) })
}

func is(t *testing.T, w *world, id string, want rail.State) rail.Transfer {
	t.Helper()
	got := w.get(id)
	if got.State != want {
		t.Fatalf("%s is %v (%s), want %v", id, got.State, got.Why, want)
	}
	return got
}

// TestFrozenAfterItLeft: a wallet that is frozen while money is on its way pays that all the same, as its owner had signed it, and stays frozen.
func TestFrozenAfterItLeft(t *testing.T) {
	one(t, sandbox.Plan{After: time.Minute}, func(t *testing.T, w *world) {
		o := order(ident(1), 1000)
		o.Fee, o.FeeTo = 7, "fees"
		if _, err := w.engine.CashOut(t.Context(), o, nil); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.post(ledger.Operation{ID: "freeze", Kind: ledger.Setting, From: wallet, State: ledger.Frozen})
		w.pass(10*time.Minute, time.Minute)
		is(t, w, ident(1), rail.Settled)
		if a := w.account(wallet); a.State != ledger.Frozen || a.Balance != funds-1007 {
			t.Fatalf("the wallet: %+v", a)
		}
		w.agree()
	})
}

// settling is a network that says one thing of all transfers.
type settling struct {
	rail.Network
	status rail.Status
}

// Terms implements rail.Network.
func (settling) Terms() rail.Terms {
	return rail.Terms{Units: []string{unit}, In: true, Out: true, Repeat: time.Hour}
}

// Submit implements rail.Network.
func (s *settling) Submit(context.Context, rail.Transfer) (rail.Status, error) { return s.status, nil }

// Ask implements rail.Network.
func (s *settling) Ask(context.Context, rail.Transfer) (rail.Status, error) { return s.status, nil }

// TestMoreThanWasSigned is never taken from a wallet, also when the network had rejected the transfer before.
func TestMoreThanWasSigned(t *testing.T) {
	one(t, sandbox.Plan{}, func(t *testing.T, w *world) {
		says := &settling{status: rail.Status{State: rail.Rejected}}
		w.book.Close()
		w.startWith(says)
		w.out(ident(1), 1000)
		w.pass(time.Minute, time.Second)
		is(t, w, ident(1), rail.Rejected)
		says.status = rail.Status{State: rail.Settled, Amount: 50_000}
		if err := w.engine.Ask(t.Context(), ident(1)); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute, time.Second)
		is(t, w, ident(1), rail.Unknown)
		if got := w.account(wallet).Balance; got != funds {
			t.Fatalf("%d of %d", got, funds)
		}
		if _, err := w.engine.Resolve(t.Context(), ident(1), rail.Status{State: rail.Settled, Amount: 1000}, "two people"); err != nil {
			t.Fatal(err)
		}
		is(t, w, ident(1), rail.Settled)
		if got := w.account(wallet).Balance; got != funds-1000 {
			t.Fatalf("%d of %d", got, funds)
		}
		says.status = rail.Status{State: rail.Settled, Amount: 1000}
		w.pass(time.Minute, time.Second)
		is(t, w, ident(1), rail.Settled)
	})
}

// TestUnknownForMonths renews what is held before its time is over, and never lets it go while the network may have moved it.
func TestUnknownForMonths(t *testing.T) {
	one(t, sandbox.Plan{Mute: 1, Hang: true, Silent: true}, func(t *testing.T, w *world) {
		w.out(ident(1), 1000)
		w.work()
		w.net.Down(time.Now(), time.Now().Add(100*24*time.Hour))
		w.pass(99*24*time.Hour, 12*time.Hour)
		is(t, w, ident(1), rail.Unknown)
		if a := w.account(wallet); a.Held != 1000 {
			t.Fatalf("after 99 days: %+v", a)
		}
		w.pass(2*24*time.Hour, time.Hour)
		is(t, w, ident(1), rail.Settled)
		w.agree()
	})
}

// TestFrozenRail: while the rail's own account pays nothing, nothing is booked; then it is, although the ledger had refused it.
func TestFrozenRail(t *testing.T) {
	one(t, sandbox.Plan{}, func(t *testing.T, w *world) {
		w.post(ledger.Operation{ID: "freeze", Kind: ledger.Setting, From: rail.Account(name, unit), Floor: ledger.Unbounded, State: ledger.Frozen})
		w.in(ident(1), 100)
		w.pass(10*time.Minute, time.Minute)
		if got := w.get(ident(1)); got.State.Over() {
			t.Fatalf("it is %v", got.State)
		}
		w.post(ledger.Operation{ID: "thaw", Kind: ledger.Setting, From: rail.Account(name, unit), Floor: ledger.Unbounded})
		w.pass(time.Hour, time.Minute)
		is(t, w, ident(1), rail.Settled)
		w.agree()
	})
}

// TestWhatNobodyClaimedGoesBack to who has paid it; and from a wallet that is frozen, which stays so. What the network has given back to us can go back once more.
func TestWhatNobodyClaimedGoesBack(t *testing.T) {
	one(t, sandbox.Plan{}, func(t *testing.T, w *world) {
		o := order(ident(1), 1000)
		o.Wallet = "wallet/nobody@example/MAD"
		if _, err := w.engine.CashIn(t.Context(), o, nil); err != nil {
			t.Fatal(err)
		}
		w.in(ident(2), 500)
		w.pass(time.Minute, 10*time.Second)
		w.post(ledger.Operation{ID: "freeze", Kind: ledger.Setting, From: wallet, State: ledger.Frozen})
		w.net.Plan(ident(5), sandbox.Plan{Reverse: time.Hour})
		for id, of := range map[string]string{ident(3): ident(1), ident(5): ident(2)} {
			back, err := w.engine.Refund(t.Context(), rail.Order{ID: id, Amount: w.get(of).Amount}, of, nil)
			if err != nil || back.Address != o.Address {
				t.Fatalf("%+v, %v", back, err)
			}
		}
		w.pass(time.Minute, 10*time.Second)
		is(t, w, ident(3), rail.Settled)
		is(t, w, ident(5), rail.Settled)
		if a := w.account(rail.Account(name, unit) + "/unclaimed"); a.Balance != 0 {
			t.Errorf("unclaimed: %+v", a)
		}
		if a := w.account(wallet); a.State != ledger.Frozen || a.Balance != funds {
			t.Errorf("the wallet: %+v", a)
		}
		if _, err := w.engine.Refund(t.Context(), rail.Order{ID: ident(6), Amount: 1}, ident(2), nil); !errors.Is(err, rail.ErrExceeds) {
			t.Errorf("more than came in: %v", err)
		}
		w.pass(2*time.Hour, 10*time.Minute)
		is(t, w, ident(5), rail.Reversed)
		if _, err := w.engine.Refund(t.Context(), rail.Order{ID: ident(7), Amount: 500}, ident(2), nil); err != nil {
			t.Errorf("once more: %v", err)
		}
		w.pass(time.Minute, 10*time.Second)
		if here, there := w.account(rail.Account(name, unit)).Balance, w.net.Balance(unit); here != 0 || there != 0 {
			t.Errorf("the books say %d, the network %d", here, there)
		}
	})
}

// TestNobodyToPay: what comes in for a wallet that was closed waits on an account of the rail; what a network takes back that the wallet does not have any more is owed.
func TestNobodyToPay(t *testing.T) {
	one(t, sandbox.Plan{After: time.Minute}, func(t *testing.T, w *world) {
		o := order(ident(1), 1000)
		o.Wallet = "wallet/nobody@example/MAD"
		if _, err := w.engine.CashIn(t.Context(), o, nil); err != nil {
			t.Fatal(err)
		}
		w.net.Plan(ident(2), sandbox.Plan{Reverse: time.Hour, Undo: 24 * time.Hour})
		w.in(ident(2), 500)
		w.pass(2*time.Minute, time.Minute)
		is(t, w, ident(1), rail.Settled)
		if a := w.account(rail.Account(name, unit) + "/unclaimed"); a.Balance != 1000 {
			t.Fatalf("unclaimed: %+v", a)
		}
		w.post(ledger.Operation{ID: "spent", Kind: ledger.Transfer, From: wallet, To: "world", Amount: funds + 500, Unit: unit})
		w.pass(2*time.Hour, 10*time.Minute)
		got := is(t, w, ident(2), rail.Reversed)
		if a := w.account(rail.Account(name, unit) + "/owed"); a.Balance != -500 || got.Owed != 500 {
			t.Fatalf("owed: %+v, %+v", a, got)
		}
		w.pass(48*time.Hour, time.Hour)
		got = is(t, w, ident(2), rail.Settled)
		if a := w.account(rail.Account(name, unit) + "/owed"); a.Balance != 0 || got.Owed != 0 {
			t.Fatalf("owed in the end: %+v, %+v", a, got)
		}
		if here, there := -w.account(rail.Account(name, unit)).Balance, w.net.Balance(unit); here != there {
			t.Fatalf("here %d, there %d", here, there)
		}
	})
}

// TestWhatIsWrittenWithIt: what the caller writes is kept with the transfer or not at all.
func TestWhatIsWrittenWithIt(t *testing.T) {
	one(t, sandbox.Plan{}, func(t *testing.T, w *world) {
		no := errors.New("no")
		fail := func(context.Context, []ledger.Record) error { return no }
		if _, err := w.engine.CashOut(t.Context(), order(ident(1), 10), fail); !errors.Is(err, no) {
			t.Fatalf("got %v", err)
		}
		if _, err := w.engine.CashIn(t.Context(), order(ident(2), 10), fail); !errors.Is(err, no) {
			t.Fatalf("got %v", err)
		}
		for _, id := range []string{ident(1), ident(2)} {
			if _, err := w.engine.Get(t.Context(), id); !errors.Is(err, rail.ErrNotFound) {
				t.Fatalf("%s: %v", id, err)
			}
		}
		if a := w.account(wallet); a.Held != 0 {
			t.Fatalf("held: %+v", a)
		}
		var got []ledger.Record
		if _, err := w.engine.CashOut(t.Context(), order(ident(1), 10), func(_ context.Context, records []ledger.Record) error {
			got = records
			return nil
		}); err != nil || len(got) != 1 || got[0].ID != ident(1) || got[0].Kind != ledger.Hold {
			t.Fatalf("%v, %+v", err, got)
		}
	})
}

func TestCancel(t *testing.T) {
	one(t, sandbox.Plan{After: time.Hour}, func(t *testing.T, w *world) {
		w.out(ident(1), 10)
		for range 2 {
			if got, err := w.engine.Cancel(t.Context(), ident(1)); err != nil || got.State != rail.Rejected {
				t.Fatalf("%v, %v", got.State, err)
			}
		}
		w.out(ident(2), 10)
		w.work()
		if _, err := w.engine.Cancel(t.Context(), ident(2)); !errors.Is(err, rail.ErrTooLate) {
			t.Fatalf("got %v", err)
		}
		w.pass(2*time.Hour, time.Minute)
		if _, there := w.net.Look(ident(1)); there {
			t.Fatal("what was cancelled was sent")
		}
		w.agree()
	})
}

// TestResolve: an operator who knows it from elsewhere says what became of an unknown transfer, and of no other.
func TestResolve(t *testing.T) {
	one(t, sandbox.Plan{Drop: 1000, Hang: true}, func(t *testing.T, w *world) {
		w.out(ident(1), 1000)
		w.out(ident(2), 2000)
		w.work()
		w.net.Down(time.Now(), time.Now().Add(1000*time.Hour))
		for _, bad := range []rail.Status{{State: rail.Accepted}, {State: rail.Settled, Amount: 1001}, {State: rail.Settled, Returned: 2000}} {
			if _, err := w.engine.Resolve(t.Context(), ident(1), bad, "seen in their portal"); !errors.Is(err, rail.ErrBad) {
				t.Fatalf("%+v: %v", bad, err)
			}
		}
		if _, err := w.engine.Resolve(t.Context(), ident(1), rail.Status{State: rail.Settled}, "seen in their portal: A and B"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.engine.Resolve(t.Context(), ident(2), rail.Status{State: rail.Rejected}, "not in their list: A and B"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.engine.Resolve(t.Context(), ident(2), rail.Status{State: rail.Settled}, "on second thoughts"); !errors.Is(err, rail.ErrBad) {
			t.Fatalf("what is known: %v", err)
		}
		if a := w.account(wallet); a.Balance != funds-1000 || a.Held != 0 {
			t.Fatalf("the wallet: %+v", a)
		}
		steps, err := w.engine.Steps(t.Context(), ident(1))
		if err != nil || len(steps) != 4 || steps[3].State != rail.Settled || !strings.Contains(steps[3].Why, "portal") {
			t.Fatalf("%+v, %v", steps, err)
		}
	})
}

// TestAwait: whoever asks for a cash-in learns what to do next as soon as the network has said.
func TestAwait(t *testing.T) {
	one(t, sandbox.Plan{After: time.Hour}, func(t *testing.T, w *world) {
		w.in(ident(1), 10)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := w.engine.Await(soon, ident(1)); err != nil || got.State != rail.Created {
			t.Fatalf("before: %v, %v", got.State, err)
		}
		done := make(chan rail.Transfer)
		go func() {
			got, err := w.engine.Await(t.Context(), ident(1))
			if err != nil {
				t.Error(err)
			}
			done <- got
		}()
		synctest.Wait()
		w.work()
		if got := <-done; got.State != rail.Accepted || got.Next.Kind != "wait" {
			t.Fatalf("got %v", got.State)
		}
	})
}

// TestLostJob: a transfer whose job is gone, as after a time without its rail, is gone on with.
func TestLostJob(t *testing.T) {
	one(t, sandbox.Plan{}, func(t *testing.T, w *world) {
		w.out(ident(1), 10)
		if err := w.queue.Cancel(t.Context(), "rail-"+name, ident(1)); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute, 10*time.Second)
		is(t, w, ident(1), rail.Created)
		w.restart()
		w.pass(time.Minute, 10*time.Second)
		w.agree()
		is(t, w, ident(1), rail.Settled)
	})
}

func TestWebhooks(t *testing.T) {
	one(t, sandbox.Plan{}, func(t *testing.T, w *world) {
		handler := w.engine.Webhooks("/pay/rail")
		ask := func(method, path string, body []byte) int {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body)))
			return answer.Code
		}
		for want, got := range map[int]int{
			http.StatusUnauthorized:          ask(http.MethodPost, "/pay/rail/sandbox", []byte(`{"id":"x"}`)),
			http.StatusNotFound:              ask(http.MethodPost, "/pay/rail/other", nil),
			http.StatusMethodNotAllowed:      ask(http.MethodGet, "/pay/rail/sandbox", nil),
			http.StatusRequestEntityTooLarge: ask(http.MethodPost, "/pay/rail/sandbox", make([]byte, 100<<10)),
		} {
			if got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		}
		var kept int
		if err := w.db.QueryRow(t.Context(), "select count(*) from rail_event").Scan(&kept); err != nil || kept != 0 {
			t.Errorf("%d forged ones are kept, %v", kept, err)
		}
		w.net.Plan(ident(1), sandbox.Plan{Copies: 5})
		w.in(ident(1), 10)
		w.pass(time.Minute, time.Second)
		if err := w.db.QueryRow(t.Context(), "select count(*) from rail_event").Scan(&kept); err != nil || kept != 2 {
			t.Errorf("%d webhooks are kept, %v", kept, err)
		}
		w.pass(100*24*time.Hour, 6*time.Hour)
		if err := w.db.QueryRow(t.Context(), "select count(*) from rail_event").Scan(&kept); err != nil || kept != 0 {
			t.Errorf("%d webhooks are kept for ever, %v", kept, err)
		}
		w.agree()
	})
}

// TestCashInsThatWait are counted, and bounded for each wallet: what has an end makes room, and what is asked for again is the same one.
func TestCashInsThatWait(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{After: time.Hour})
		for i := range rail.MaxWaiting {
			w.in(ident(i), 10)
		}
		if _, err := w.engine.CashIn(t.Context(), order(ident(100), 10), nil); !errors.Is(err, rail.ErrTooMany) {
			t.Fatalf("one more: %v", err)
		}
		w.in(ident(0), 10)
		w.out(ident(101), 10)
		time.Sleep(time.Minute)
		waiting, err := w.engine.Waiting(t.Context())
		if err != nil || len(waiting) != 2 || waiting[0].Kind != rail.CashIn || waiting[0].Count != rail.MaxWaiting || time.Since(waiting[0].Oldest) != time.Minute {
			t.Errorf("%+v, %v", waiting, err)
		}
		w.pass(2*time.Hour, 10*time.Minute)
		w.in(ident(100), 10)
		w.pass(2*time.Hour, 10*time.Minute)
		w.agree()
	})
}

func TestFigures(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{Drop: 1, Hang: true})
		w.net.Plan(ident(2), sandbox.Plan{})
		w.out(ident(1), 10)
		w.out(ident(2), 10)
		w.work()
		w.net.Advance(t.Context())
		registry := prometheus.NewRegistry()
		for _, c := range w.engine.Collectors() {
			registry.MustRegister(c)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, family := range families {
			names = append(names, family.GetName())
		}
		if got := strings.Join(names, " "); got != "palabre_rail_calls_total palabre_rail_transfers palabre_rail_unknown_oldest_age_seconds palabre_rail_waiting palabre_rail_waiting_oldest_age_seconds palabre_rail_webhooks_total" {
			t.Errorf("figures: %s", got)
		}
		unknown, err := w.engine.Unknown(t.Context(), 10)
		if err != nil || len(unknown) != 1 || unknown[0].ID != ident(1) {
			t.Errorf("%+v, %v", unknown, err)
		}
		list, err := w.engine.List(t.Context(), rail.Filter{Rail: name, Wallet: wallet, State: rail.Unknown, Limit: 5})
		if err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestDecimal(t *testing.T) {
	for _, one := range []struct {
		amount   int64
		exponent int
		text     string
	}{{12500, 2, "125.00"}, {5, 2, "0.05"}, {5, 0, "5"}, {1234, 3, "1.234"}, {1 << 53, 2, "90071992547409.92"}} {
		if got := rail.Decimal(one.amount, one.exponent); got != one.text {
			t.Errorf("%d: %q", one.amount, got)
		}
		if got, err := rail.ParseDecimal(one.text, one.exponent); err != nil || got != one.amount {
			t.Errorf("%q: %d, %v", one.text, got, err)
		}
	}
	for _, text := range []string{"", ".5", "1.234", "-1", "+1", "1e3", "1,00", " 1", "99999999999999999", "90071992547409.93", "1.2.3"} {
		if got, err := rail.ParseDecimal(text, 2); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	if got, err := rail.ParseDecimal("5.0000", 2); err != nil || got != 500 {
		t.Errorf("%d, %v", got, err)
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add("125.00", 2)
	f.Fuzz(func(t *testing.T, text string, exponent int) {
		exponent = max(0, min(exponent, 9))
		amount, err := rail.ParseDecimal(text, exponent)
		if err != nil {
			return
		}
		if back, err := rail.ParseDecimal(rail.Decimal(amount, exponent), exponent); err != nil || back != amount {
			t.Errorf("%q: %d, then %d, %v", text, amount, back, err)
		}
	})
}

// TestVerdict needs two people, and holds for what is unknown alone.
func TestVerdict(t *testing.T) {
	bubbles(t, func(t *testing.T, cfg store.Config) {
		w := within(t, cfg, sandbox.Plan{Drop: 1000, Hang: true})
		w.out(ident(1), 1000)
		w.out(ident(2), 2000)
		w.work()
		w.net.Down(time.Now(), time.Now().Add(1000*time.Hour))
		for _, bad := range []rail.Verdict{{Transfer: ident(1), State: rail.Accepted, Proposer: "a", Why: "b"}, {Transfer: ident(1), State: rail.Settled, Amount: 1001, Proposer: "a", Why: "b"},
			{Transfer: ident(1), State: rail.Settled, Why: "b"}, {Transfer: ident(1), State: rail.Settled, Proposer: "a"}} {
			if _, err := w.propose(bad); !errors.Is(err, rail.ErrBad) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		var numbers []int64
		for _, state := range []rail.State{rail.Settled, rail.Rejected} {
			v, err := w.propose(rail.Verdict{Transfer: ident(1), State: state, Proposer: "nurse", Why: "seen in their pages"})
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, v.Number)
		}
		if _, err := w.approve(numbers[0], "nurse"); !errors.Is(err, rail.ErrSame) {
			t.Fatalf("approved alone: %v", err)
		}
		if got, err := w.approve(numbers[0], "friar"); err != nil || got.State != rail.Settled {
			t.Fatalf("%v, %v", got.State, err)
		}
		for _, number := range []int64{numbers[0], numbers[1]} {
			if _, err := w.approve(number, "friar"); !errors.Is(err, rail.ErrBad) {
				t.Errorf("once more: %v", err)
			}
		}
		if _, err := w.approve(1, "friar"); !errors.Is(err, rail.ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
		open, err := w.engine.Verdicts(t.Context(), false)
		decided, err2 := w.engine.Verdicts(t.Context(), true)
		if err != nil || err2 != nil || len(open) != 0 || len(decided) != 2 || decided[1].Approver != "friar" {
			t.Errorf("open %+v, decided %+v, %v, %v", open, decided, err, err2)
		}
		if a := w.account(wallet); a.Balance != funds-1000 || a.Held != 2000 {
			t.Errorf("the wallet: %+v", a)
		}
	})
}
