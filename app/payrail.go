package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/xmpp"
)

// railPath is where networks outside tell what has happened, before the rail's name.
const railPath = "/pay/rail"

// railPatience is how long somebody who brings money in waits for the network to say what to do next; after that the answer is to wait.
const railPatience = 8 * time.Second

// makeRails makes the rails, if there are any, and tells the service of payments of them. The jobs must be there.
func (a *App) makeRails(ctx context.Context) error {
	if len(a.cfg.Pay.Rail) == 0 {
		return nil
	}
	networks, err := adapter.Networks(a.cfg.Pay.Rail)
	if err != nil {
		return fmt.Errorf("configuration: [pay] %w", err)
	}
	told := func(ctx context.Context, t rail.Transfer, records []ledger.Record) error {
		return a.pay.Railed(ctx, railChange(t), records)
	}
	if a.rails, err = rail.New(ctx, a.db, a.jobs, a.ledger, a.log, networks, told); err != nil {
		return err
	}
	rails := payRails{a.rails, a.cfg.Pay.Config, a.cfg.Pay.Rail}
	a.pay.Use(rails)
	a.features = append(a.features, rails)
	return nil
}

// railChange is what has become of a transfer, as payments see it.
func railChange(t rail.Transfer) pay.RailChange {
	change := pay.RailChange{ID: t.ID, State: pay.Waiting, Why: t.Why, Moved: t.Moved, Returned: t.Returned}
	switch t.State {
	case rail.Settled, rail.Reversed:
		change.State = pay.Done
	case rail.Rejected:
		change.State = pay.Refused
	}
	return change
}

// payRails are the rails as the service of payments asks them.
type payRails struct {
	engine *rail.Engine
	cfg    pay.Config
	rails  map[string]adapter.Config
}

// Offers are what can be done by rails, in units that there are.
func (r payRails) Offers() (all []pay.Offer) {
	for _, name := range r.engine.Rails() {
		terms, _ := r.engine.Terms(name)
		for _, unit := range terms.Units {
			if slices.ContainsFunc(r.cfg.Units, func(u pay.Unit) bool { return u.Code == unit }) {
				all = append(all, pay.Offer{Name: name, Unit: unit, Kind: r.rails[name].Kind(), Title: r.rails[name].Title, In: terms.In, Out: terms.Out, Refunds: terms.Refunds})
			}
		}
	}
	return all
}

// CashOut begins to send money out.
func (r payRails) CashOut(ctx context.Context, t pay.RailTransfer, also func(ctx context.Context, records []ledger.Record) error) error {
	_, err := r.engine.CashOut(ctx, railOrder(t), also)
	return railError(err)
}

// Refund begins to give back what a cash-in has brought.
func (r payRails) Refund(ctx context.Context, t pay.RailTransfer, also func(ctx context.Context, records []ledger.Record) error) error {
	_, err := r.engine.Refund(ctx, railOrder(t), t.Of, also)
	return railError(err)
}

// CashIn begins to bring money in, and waits a moment for what the network says.
func (r payRails) CashIn(ctx context.Context, t pay.RailTransfer, also func(ctx context.Context, records []ledger.Record) error) (pay.Step, error) {
	if _, err := r.engine.CashIn(ctx, railOrder(t), also); err != nil {
		return pay.Step{}, railError(err)
	}
	soon, cancel := context.WithTimeout(ctx, railPatience)
	defer cancel()
	begun, err := r.engine.Await(soon, t.ID)
	if err != nil && soon.Err() == nil {
		return pay.Step{}, railError(err)
	}
	return pay.Step{Kind: begun.Next.Kind, Value: begun.Next.Value}, nil
}

// Standing is how a transfer stands.
func (r payRails) Standing(ctx context.Context, id string) (at pay.Standing, err error) {
	t, err := r.engine.Get(ctx, id)
	if errors.Is(err, rail.ErrNotFound) || err == nil && t.State.Over() {
		return at, nil
	}
	return pay.Standing{Way: t.State.String(), Since: t.UnknownSince, Next: pay.Step{Kind: t.Next.Kind, Value: t.Next.Value}}, err
}

// Routes takes what networks tell.
func (r payRails) Routes(mux *http.ServeMux) {
	hear := r.engine.Webhooks(railPath)
	mux.Handle("POST "+railPath+"/", hear)
	mux.Handle("PUT "+railPath+"/", hear)
}

// Collectors are the figures for Prometheus.
func (r payRails) Collectors() []prometheus.Collector { return r.engine.Collectors() }

func railOrder(t pay.RailTransfer) rail.Order {
	return rail.Order{ID: t.ID, Rail: t.Rail, Wallet: t.Wallet, Address: t.Address, Amount: t.Amount, Unit: t.Unit, Fee: t.Fee, FeeTo: t.FeeTo, About: t.About, Data: t.Data}
}

// railError is an error of a rail as the service of payments knows it.
func railError(err error) error {
	switch {
	case errors.Is(err, rail.ErrTooMany):
		return xmpp.ResourceConstraint.Because("%d cash-ins wait already: go on with one of them, or wait until it ends", rail.MaxWaiting)
	case errors.Is(err, rail.ErrExceeds):
		return xmpp.NotAllowed.Because("more than is left of it")
	case errors.Is(err, rail.ErrNoRail), errors.Is(err, rail.ErrNotFound):
		return xmpp.ItemNotFound
	case errors.Is(err, rail.ErrBad):
		return xmpp.BadRequest
	case errors.Is(err, rail.ErrIDTaken):
		return ledger.ErrIDTaken
	}
	return err
}
