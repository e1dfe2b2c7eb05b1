package rail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// fataler is what tests of both kinds have.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is a network and a server here, whose memory can be lost while the database stays. It lives in a bubble of testing/synctest: its days pass at once.
type world struct {
	t      fataler
	ctx    context.Context
	db     *store.DB
	net    *sandbox.Network
	book   *ledger.Ledger
	queue  *jobs.Jobs
	engine *rail.Engine

	mu     sync.Mutex // guards the following
	kill   func()     // ends the process that runs now
	point  string     // where it is to end next
	count  int        // after how many passes by that point
	meddle exchange   // what becomes of questions to the network, instead of an answer; nil for nothing
	seen   []rail.Transfer
}

const (
	wallet = "wallet/nadia@example/MAD"
	funds  = 1_000_000
	unit   = "MAD"
	name   = "sandbox"
)

var quiet = slog.New(slog.DiscardHandler)

// bubbles runs a test on each database, in a bubble of its own.
func bubbles(t *testing.T, run func(t *testing.T, cfg store.Config)) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := storetest.Config(t, engine) // outside: what reaches the server of PostgreSQL is shared by all tests
			synctest.Test(t, func(t *testing.T) { run(t, cfg) })
		})
	}
}

func newWorld(t fataler, ctx context.Context, db *store.DB, standard sandbox.Plan) *world {
	w := &world{t: t, ctx: ctx, db: db, net: sandbox.NewNetwork([]byte("secret"), standard)}
	w.net.Callback = "http://here.invalid/pay/rail/" + name
	w.net.Client = &http.Client{Transport: sandbox.Inside(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.engine.Webhooks("/pay/rail").ServeHTTP(rw, r)
	}))}
	w.start()
	w.post(ledger.Operation{ID: "open-world", Kind: ledger.Opening, From: "world", Unit: unit, Floor: ledger.Unbounded},
		ledger.Operation{ID: "open-fees", Kind: ledger.Opening, From: "fees", Unit: unit},
		ledger.Operation{ID: "open-wallet", Kind: ledger.Opening, From: wallet, Unit: unit},
		ledger.Operation{ID: "funds", Kind: ledger.Transfer, From: "world", To: wallet, Amount: funds, Unit: unit})
	return w
}

// within makes a world that ends with the test.
func within(t *testing.T, cfg store.Config, standard sandbox.Plan) *world {
	db, err := store.Open(t.Context(), cfg, quiet)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, t.Context(), db, standard)
	t.Cleanup(func() {
		w.book.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// start begins a process: all memory is new.
func (w *world) start() {
	w.t.Helper()
	client, err := sandbox.New(sandbox.Config{URL: "http://network.invalid", Secret: "secret", Units: []string{unit}}, &http.Client{Transport: sandbox.Inside(w.net)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.startWith(mortal{client, w})
}

// startWith begins a process with another network.
func (w *world) startWith(network rail.Network) {
	w.t.Helper()
	var err error
	if w.book, err = ledger.New(w.ctx, ledger.DefaultConfig(), w.db, quiet); err != nil {
		w.t.Fatal(err)
	}
	if w.queue, err = jobs.New(w.ctx, w.db, quiet); err != nil {
		w.t.Fatal(err)
	}
	if w.engine, err = rail.New(w.ctx, w.db, w.queue, w.book, quiet, map[string]rail.Network{name: network}, w.observe); err != nil {
		w.t.Fatal(err)
	}
}

// restart loses all memory.
func (w *world) restart() {
	w.book.Close()
	w.start()
}

// observe notes changes, and may end the process in the middle of one: before it is kept, or after.
func (w *world) observe(_ context.Context, t rail.Transfer, _ []ledger.Record) error {
	w.mu.Lock()
	w.seen = append(w.seen, t)
	w.mu.Unlock()
	if w.dies("before keeping") {
		return errors.New("killed")
	}
	w.dies("after keeping")
	return nil
}

// dies ends the process if this is the point for it.
func (w *world) dies(point string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.point != point || w.kill == nil {
		return false
	}
	if w.count--; w.count > 0 {
		return false
	}
	w.point = ""
	w.kill()
	return true
}

// answering is how a network is asked something about a transfer.
type answering = func(context.Context, rail.Transfer) (rail.Status, error)

// exchange asks a network, or not, and says what this side hears of it.
type exchange = func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error)

// mortal ends the process before or after the network was asked.
type mortal struct {
	*sandbox.Client
	w *world
}

func (m mortal) Submit(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	return m.mortally(ctx, t, m.Client.Submit)
}

func (m mortal) Ask(ctx context.Context, t rail.Transfer) (rail.Status, error) {
	return m.mortally(ctx, t, m.Client.Ask)
}

func (m mortal) mortally(ctx context.Context, t rail.Transfer, ask answering) (status rail.Status, err error) {
	if m.w.dies("before asking") {
		return rail.Status{}, ctx.Err()
	}
	m.w.mu.Lock()
	meddle := m.w.meddle
	m.w.mu.Unlock()
	if meddle != nil {
		status, err = meddle(ctx, t, ask)
	} else {
		status, err = ask(ctx, t)
	}
	if m.w.dies("after asking") {
		return rail.Status{}, ctx.Err()
	}
	return status, err
}

// work does all jobs that are due now, and begins a new process if that one was ended.
func (w *world) work() {
	w.t.Helper()
	ctx, kill := context.WithCancel(w.ctx)
	defer kill()
	w.mu.Lock()
	w.kill = kill
	w.mu.Unlock()
	w.net.Advance(ctx)
	if _, err := w.queue.Work(ctx); err != nil && ctx.Err() == nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.kill = nil
	w.mu.Unlock()
	if ctx.Err() != nil {
		w.restart()
	}
}

// pass lets time pass, and does the jobs of that time.
func (w *world) pass(d, step time.Duration) {
	w.t.Helper()
	for ; d > 0; d -= step {
		w.work()
		time.Sleep(step)
	}
	w.work()
}

// rest lets time pass in which nobody works here.
func (w *world) rest(d time.Duration) { time.Sleep(d) }

func (w *world) post(operations ...ledger.Operation) {
	w.t.Helper()
	if _, err := w.book.Post(w.ctx, nil, operations...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) account(name string) ledger.Account {
	w.t.Helper()
	a, err := w.book.Account(w.ctx, name)
	if err != nil {
		w.t.Fatalf("account %s: %v", name, err)
	}
	return a
}

func (w *world) get(id string) rail.Transfer {
	w.t.Helper()
	t, err := w.engine.Get(w.ctx, id)
	if err != nil {
		w.t.Fatalf("transfer %s: %v", id, err)
	}
	return t
}

func order(id string, amount int64) rail.Order {
	return rail.Order{ID: id, Rail: name, Wallet: wallet, Address: "+212600000001", Amount: amount, Unit: unit}
}

func (w *world) out(id string, amount int64) rail.Transfer {
	w.t.Helper()
	t, err := w.engine.CashOut(w.ctx, order(id, amount), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

func (w *world) in(id string, amount int64) rail.Transfer {
	w.t.Helper()
	t, err := w.engine.CashIn(w.ctx, order(id, amount), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// agree compares the books with the network: the balance, each transfer, and that nothing is held any more.
func (w *world) agree() {
	w.t.Helper()
	if here, there := -w.account(rail.Account(name, unit)).Balance, w.net.Balance(unit); here != there {
		w.t.Fatalf("the books say that %d are in the network, which says %d", here, there)
	}
	all, err := w.engine.List(w.ctx, rail.Filter{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	want := funds - w.account("fees").Balance // no fee is taken of what was settled after it was rejected
	for _, t := range all {
		w.same(t)
		change := t.Moved - t.Returned
		if t.Kind == rail.CashIn {
			want += change + t.Owed
		} else {
			want += t.Owed - change
		}
	}
	if a := w.account(wallet); a.Balance != want || a.Held != 0 {
		w.t.Fatalf("the wallet has %d, and %d held; want %d and nothing", a.Balance, a.Held, want)
	}
	if _, err := w.book.Verify(w.ctx, [32]byte{}, nil); err != nil {
		w.t.Fatal(err)
	}
}

// same compares one transfer with what the network says about it.
func (w *world) same(t rail.Transfer) {
	w.t.Helper()
	there, ok := w.net.Look(t.ID)
	want := rail.Rejected
	var moved, returned int64
	if ok && there.State == "settled" {
		want, moved, returned = rail.Settled, there.Amount, there.Returned
		if returned == moved {
			want = rail.Reversed
		}
	}
	if t.State != want || t.Moved != moved || t.Returned != returned {
		w.t.Fatalf("%s is %v here (%d, returned %d, %s), and there %v (%d, returned %d)", t.ID, t.State, t.Moved, t.Returned, t.Why, there.State, moved, returned)
	}
}

func ident(i int) string { return fmt.Sprintf("transfer-%08d", i) }
