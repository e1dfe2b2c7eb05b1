// Package railtest is what the tests of adapters share: a wallet, the engine and one network, in a bubble of testing/synctest, where days pass at once.
package railtest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

const (
	// Name is the rail's.
	Name = "network"
	// Wallet is the account that pays and is paid, with Funds on it.
	Wallet = "wallet/nadia@example"
	// Funds is what the wallet has at first.
	Funds = 1_000_000
)

// World is one server with one network.
type World struct {
	t      *testing.T
	Unit   string
	Engine *rail.Engine
	Book   *ledger.Ledger
	queue  *jobs.Jobs
}

// Run runs a test with a network and a wallet in a unit.
func Run(t *testing.T, unit string, network func(t *testing.T) rail.Network, test func(t *testing.T, w *World)) {
	t.Helper()
	cfg := storetest.Config(t, storetest.SQLite)
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.DiscardHandler)
		db, err := store.Open(t.Context(), cfg, quiet)
		if err != nil {
			t.Fatal(err)
		}
		w := &World{t: t, Unit: unit}
		if w.Book, err = ledger.New(t.Context(), ledger.DefaultConfig(), db, quiet); err != nil {
			t.Fatal(err)
		}
		if w.queue, err = jobs.New(t.Context(), db, quiet); err != nil {
			t.Fatal(err)
		}
		if w.Engine, err = rail.New(t.Context(), db, w.queue, w.Book, quiet, map[string]rail.Network{Name: network(t)}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Book.Post(t.Context(), nil, ledger.Operation{ID: "open-world", Kind: ledger.Opening, From: "world", Unit: unit, Floor: ledger.Unbounded},
			ledger.Operation{ID: "open-wallet", Kind: ledger.Opening, From: Wallet, Unit: unit},
			ledger.Operation{ID: "funds", Kind: ledger.Transfer, From: "world", To: Wallet, Amount: Funds, Unit: unit}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			w.Book.Close()
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, w)
	})
}

// Order is one of the wallet.
func (w *World) Order(id, address string, amount int64) rail.Order {
	return rail.Order{ID: id, Rail: Name, Wallet: Wallet, Address: address, Amount: amount, Unit: w.Unit}
}

// In begins a cash-in and does what is due.
func (w *World) In(id, address string, amount int64) rail.Transfer {
	w.t.Helper()
	return w.begun(w.Engine.CashIn(w.t.Context(), w.Order(id, address, amount), nil))
}

// Out begins a cash-out and does what is due.
func (w *World) Out(id, address string, amount int64) rail.Transfer {
	w.t.Helper()
	return w.begun(w.Engine.CashOut(w.t.Context(), w.Order(id, address, amount), nil))
}

// Refund begins a refund and does what is due.
func (w *World) Refund(id, of string, amount int64) rail.Transfer {
	w.t.Helper()
	return w.begun(w.Engine.Refund(w.t.Context(), rail.Order{ID: id, Amount: amount}, of, nil))
}

func (w *World) begun(t rail.Transfer, err error) rail.Transfer {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	w.Work()
	return w.Get(t.ID)
}

// Work does all jobs that are due now.
func (w *World) Work() {
	w.t.Helper()
	if _, err := w.queue.Work(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// Pass lets time pass, in steps of a tenth, and does the jobs of that time.
func (w *World) Pass(d time.Duration) {
	w.t.Helper()
	for range 10 {
		time.Sleep(d / 10)
		w.Work()
	}
}

// Get reads a transfer.
func (w *World) Get(id string) rail.Transfer {
	w.t.Helper()
	t, err := w.Engine.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// Is fails unless a transfer is in a state.
func (w *World) Is(id string, want rail.State) rail.Transfer {
	w.t.Helper()
	got := w.Get(id)
	if got.State != want {
		w.t.Fatalf("%s is %v (%s), want %v", id, got.State, got.Why, want)
	}
	return got
}

// Stands fails unless the wallet has so much more than at first and nothing held, and the rail's account is at the rest.
func (w *World) Stands(more int64) {
	w.t.Helper()
	a, err := w.Book.Account(w.t.Context(), Wallet)
	if err != nil {
		w.t.Fatal(err)
	}
	if a.Balance != Funds+more || a.Held != 0 {
		w.t.Fatalf("the wallet has %d more, and %d held; want %d and nothing", a.Balance-Funds, a.Held, more)
	}
}

// There is what the books say that the operator has in the network.
func (w *World) There() int64 {
	w.t.Helper()
	a, err := w.Book.Account(w.t.Context(), rail.Account(Name, w.Unit))
	if err != nil {
		w.t.Fatal(err)
	}
	return -a.Balance
}

// Webhook brings a webhook and returns the answer's code; path comes after the rail's name.
func (w *World) Webhook(method, path string, header http.Header, body []byte) int {
	r := httptest.NewRequestWithContext(w.t.Context(), method, "/pay/rail/"+Name+path, bytes.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	answer := httptest.NewRecorder()
	w.Engine.Webhooks("/pay/rail").ServeHTTP(answer, r)
	return answer.Code
}

// Agrees fails if the network's list of the last day differs from ours.
func (w *World) Agrees() {
	w.t.Helper()
	if found := w.Differs(); len(found) > 0 {
		w.t.Fatalf("the lists differ: %+v", found)
	}
}

// Differs compares the lists of the last day.
func (w *World) Differs() []rail.Difference {
	w.t.Helper()
	report, err := w.Engine.Reconcile(w.t.Context(), Name, time.Now().Add(-24*time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		w.t.Fatal(err)
	}
	found, err := w.Engine.Differences(w.t.Context(), report.Number)
	if err != nil {
		w.t.Fatal(err)
	}
	if report.Lines == 0 {
		w.t.Fatal("the network's list was empty")
	}
	return found
}

// Ask has the network asked about a transfer, and does that.
func (w *World) Ask(ctx context.Context, id string) {
	w.t.Helper()
	if err := w.Engine.Ask(ctx, id); err != nil {
		w.t.Fatal(err)
	}
	w.Work()
}

// Context is that of the test.
func (w *World) Context() context.Context { return w.t.Context() }

// File writes a secret into a file of the test's and returns its name.
func File(t *testing.T, text string) string {
	t.Helper()
	name := t.TempDir() + "/secret"
	if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
