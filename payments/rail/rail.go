// Package rail moves money between wallets and networks outside: mobile money, cards, banks. What a network does is a state machine kept in the ledger's
// database, and jobs drive it: so a transfer goes on after a crash where it was. An answer that did not come means that nothing is known: the network is asked by
// our id until it says, and nothing is ever sent again under another id. What a network tells us unasked is checked, kept, and then only makes us ask it; so it
// does not matter how often, how late or in which order it comes. Every night our list is compared with the network's. The adapters are in folders below. Left
// out: who may ask for what, limits and notices, which are for payments/pay.
package rail

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Network is one network outside, by its adapter. Its methods are safe for concurrent use and bound by their context.
type Network interface {
	// Terms says what it can do. It does not change.
	Terms() Terms
	// Submit asks the network to do a transfer, under a name that it makes of the transfer's ID alone, the same each time. An error means that nothing is known;
	// what was refused for certain is a Status with Rejected.
	Submit(ctx context.Context, t Transfer) (Status, error)
	// Ask asks what became of a transfer, by the same name. Where the network says that it never saw it, the state is Absent.
	Ask(ctx context.Context, t Transfer) (Status, error)
}

// Terms is what a network can do.
type Terms struct {
	// Units are those that it moves.
	Units []string
	// In, Out and Refunds say which transfers it can do.
	In, Out, Refunds bool
	// Repeat is how long after it was sent first the network knows a name that is sent again, and does nothing twice. What is not there after that was refused.
	Repeat time.Duration
}

// Status is what a network says about a transfer.
type Status struct {
	// State is Accepted, Rejected, Settled or Absent.
	State State
	// Reference is the network's name for it, at most 256 bytes.
	Reference string
	// Amount is what was moved, in minor units; 0 means what was asked for.
	Amount int64
	// Returned is what of that the network has taken back without our asking, in minor units, in all.
	Returned int64
	// Cost is what the network took for itself, in minor units, from what the operator has there.
	Cost int64
	// At is when it was settled, by the network's clock; zero if it does not say.
	At time.Time
	// Next is what the person has to do.
	Next Next
	// Why says why it was rejected, in words for the operator, at most 256 bytes.
	Why string
}

// Next is what the person has to do so that a cash-in goes on.
type Next struct {
	// Kind is go (Value is an address to open), show (Value is a code to pay) or wait.
	Kind, Value string
}

// Observer is told of each change of a transfer in the transaction that makes it, with the records of the ledger that belong to it: first the one that moves the amount. An error keeps the change from
// being made; it is tried again.
type Observer func(ctx context.Context, t Transfer, records []ledger.Record) error

// Errors of what is asked for.
var (
	ErrNoRail   = errors.New("no such rail, or it does not do that")
	ErrBad      = errors.New("malformed transfer")
	ErrNotFound = errors.New("no such transfer")
	ErrIDTaken  = errors.New("the id was used for something else")
	ErrExceeds  = errors.New("more than is left to refund")
	ErrTooLate  = errors.New("it has been sent already")
	ErrTooMany  = errors.New("too many cash-ins of the wallet wait already")
)

// Engine drives the transfers of all rails. Its methods are safe for concurrent use.
type Engine struct {
	db       *store.DB
	jobs     *jobs.Jobs
	ledger   *ledger.Ledger
	log      *slog.Logger
	networks map[string]Network
	observer Observer
	now      func() time.Time

	calls    *prometheus.CounterVec
	webhooks *prometheus.CounterVec

	mu      sync.Mutex                 // guards the following
	waiting map[string][]chan struct{} // who waits for a transfer to change
	hinted  map[string]bool            // transfers that a network has told of since their step began
	health  map[string]Health          // how networks have answered, by rail
}

var railName = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)

const (
	callTimeout = 20 * time.Second // for one question to a network
	firstPause  = time.Second      // after the database has failed
)

// New makes the engine and its tables, opens the rails' accounts in the ledger, and registers its jobs; they run when the jobs do. observer may be nil.
func New(ctx context.Context, db *store.DB, queue *jobs.Jobs, book *ledger.Ledger, log *slog.Logger, networks map[string]Network, observer Observer) (*Engine, error) {
	e := &Engine{db: db, jobs: queue, ledger: book, log: log.With("part", "rail"), networks: networks, observer: observer, now: time.Now, waiting: map[string][]chan struct{}{}, hinted: map[string]bool{},
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_rail_calls_total", Help: "Questions to networks outside, by rail and outcome."},
			[]string{"rail", "call", "outcome"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_rail_webhooks_total", Help: "What networks told us unasked, by rail and outcome."},
			[]string{"rail", "outcome"})}
	if err := db.Migrate(ctx, "rail", migrations); err != nil {
		return nil, fmt.Errorf("rail: %w", err)
	}
	for name, network := range networks {
		if !railName.MatchString(name) {
			return nil, fmt.Errorf("rail: %.40q: a name is 1 to 20 small letters, digits and hyphens", name)
		}
		if err := e.openAccounts(ctx, name, network.Terms()); err != nil {
			return nil, err
		}
		queue.Register(kindOf(name), jobs.Worker{Do: e.step, Timeout: 3 * callTimeout, MaxAttempts: 1 << 30, FirstPause: firstPause})
		if _, ok := network.(Reconciler); ok {
			queue.Register(nightlyOf(name), jobs.Worker{Do: e.nightly, Timeout: time.Hour, MaxAttempts: 1 << 30, FirstPause: time.Minute})
		}
	}
	return e, e.resume(ctx)
}

// kindOf is the kind of a rail's jobs: each has its own, so that a network that does not answer holds up no other.
func kindOf(rail string) string { return "rail-" + rail }

// nightlyOf is the kind of the job that compares a rail's list with the network's.
func nightlyOf(rail string) string { return "rail-nightly-" + rail }

// Account is the name of a rail's account in the ledger. What it owes is what the operator has in the network.
func Account(rail, unit string) string { return "rail/" + rail + "/" + unit }

// The other accounts of a rail: what came in for a wallet that takes nothing; what the operator has paid because no wallet could; what the network cost.
func unclaimed(rail, unit string) string { return Account(rail, unit) + "/unclaimed" }
func owed(rail, unit string) string      { return Account(rail, unit) + "/owed" }
func cost(rail, unit string) string      { return Account(rail, unit) + "/cost" }

func (e *Engine) openAccounts(ctx context.Context, rail string, terms Terms) error {
	if len(terms.Units) == 0 {
		return fmt.Errorf("rail %s: no units", rail)
	}
	for _, unit := range terms.Units {
		for _, account := range []struct {
			name  string
			floor int64
		}{{Account(rail, unit), ledger.Unbounded}, {unclaimed(rail, unit), 0}, {owed(rail, unit), ledger.Unbounded}, {cost(rail, unit), ledger.Unbounded}} {
			_, err := e.ledger.Post(ctx, nil, ledger.Operation{ID: "open:" + account.name, Kind: ledger.Opening, From: account.name, Unit: unit, Floor: account.floor})
			if err != nil && !errors.Is(err, ledger.HasAccount) {
				return fmt.Errorf("rail %s: open account %s: %w", rail, account.name, err)
			}
		}
	}
	return nil
}

// resume makes sure that each transfer that is not over has its job, and each rail its nightly one.
func (e *Engine) resume(ctx context.Context) error {
	for rail, network := range e.networks {
		err := e.db.Tx(ctx, func(ctx context.Context) error {
			rows, err := e.db.Query(ctx, "select id from rail_transfer where rail = $1 and state in (1, 2, 3, 5) order by number limit 50000", rail)
			if err != nil {
				return err
			}
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				if err := e.jobs.Enqueue(ctx, kindOf(rail), id, ""); err != nil {
					return err
				}
			}
			if _, ok := network.(Reconciler); ok {
				return e.jobs.Enqueue(ctx, nightlyOf(rail), rail, "")
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("rail %s: resume: %w", rail, err)
		}
	}
	return nil
}
