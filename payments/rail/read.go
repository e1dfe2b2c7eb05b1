package rail

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Filter says which transfers are listed; what is empty does not matter.
type Filter struct {
	Rail, Wallet string
	State        State
	// Before is a Number: those that were begun before it (0: the newest). Limit is 1 to 500.
	Before int64
	Limit  int
}

// List reads transfers, those that were begun last first.
func (e *Engine) List(ctx context.Context, f Filter) ([]Transfer, error) {
	if f.Before <= 0 {
		f.Before = 1<<63 - 1
	}
	return e.query(ctx, `where t.number < $1 and ($2 = '' or t.rail = $2) and ($3 = '' or t.wallet = $3) and ($4 = 0 or t.state = $4) order by t.number desc limit $5`,
		f.Before, f.Rail, f.Wallet, f.State, min(max(f.Limit, 1), 500))
}

// Unknown reads the transfers whose state is not known, for the longest first, at most 500.
func (e *Engine) Unknown(ctx context.Context, limit int) ([]Transfer, error) {
	return e.query(ctx, "where t.unknown_since > 0 order by t.unknown_since, t.number limit $1", min(max(limit, 1), 500))
}

// Step is a state that a transfer has been in.
type Step struct {
	At    time.Time
	State State
	Why   string
}

// Steps reads all states that a transfer has been in, the first first, at most 1,000.
func (e *Engine) Steps(ctx context.Context, id string) (all []Step, err error) {
	rows, err := e.db.Query(ctx, "select id, state, why from rail_step where transfer = $1 order by id limit 1000", id)
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	for rows.Next() {
		var s Step
		var at int64
		if err := rows.Scan(&at, &s.State, &s.Why); err != nil {
			return nil, fmt.Errorf("read steps: %w", err)
		}
		s.At = fromMicro(at)
		all = append(all, s)
	}
	return all, nil
}

// Rails are the names of the rails that are set up, in order.
func (e *Engine) Rails() []string { return slices.Sorted(maps.Keys(e.networks)) }

// Terms says what a rail can do; ok is false if there is none.
func (e *Engine) Terms(rail string) (Terms, bool) {
	network, ok := e.networks[rail]
	if !ok {
		return Terms{}, false
	}
	return network.Terms(), true
}

// Figure is how many transfers of a rail are in a state.
type Figure struct {
	Rail  string
	State State
	Count int64
}

// Figures counts the transfers by rail and state.
func (e *Engine) Figures(ctx context.Context) (all []Figure, err error) {
	rows, err := e.db.Query(ctx, "select rail, state, count(*) from rail_transfer group by rail, state order by rail, state")
	if err != nil {
		return nil, fmt.Errorf("count transfers: %w", err)
	}
	for rows.Next() {
		var f Figure
		if err := rows.Scan(&f.Rail, &f.State, &f.Count); err != nil {
			return nil, fmt.Errorf("count transfers: %w", err)
		}
		all = append(all, f)
	}
	return all, nil
}

// Waiting is how many transfers of a rail and a kind have no end yet, and when the oldest of them was begun.
type Waiting struct {
	Rail   string
	Kind   Kind
	Count  int64
	Oldest time.Time
}

// Waiting counts the transfers that have no end yet, by rail and kind.
func (e *Engine) Waiting(ctx context.Context) (all []Waiting, err error) {
	rows, err := e.db.Query(ctx, "select rail, kind, count(*), min(created) from rail_transfer where state in (1, 2, 3, 5) group by rail, kind order by rail, kind")
	if err != nil {
		return nil, fmt.Errorf("count transfers that wait: %w", err)
	}
	for rows.Next() {
		var w Waiting
		var oldest int64
		if err := rows.Scan(&w.Rail, &w.Kind, &w.Count, &oldest); err != nil {
			return nil, fmt.Errorf("count transfers that wait: %w", err)
		}
		w.Oldest = fromMicro(oldest)
		all = append(all, w)
	}
	return all, nil
}

// OldestUnknown is since when the longest unknown transfer has been so; ok is false if none is unknown.
func (e *Engine) OldestUnknown(ctx context.Context) (since time.Time, ok bool, err error) {
	var at int64
	err = e.db.QueryRow(ctx, "select cast(coalesce(min(unknown_since), 0) as bigint) from rail_transfer where unknown_since > 0").Scan(&at)
	if err != nil {
		return since, false, fmt.Errorf("read oldest unknown: %w", err)
	}
	return fromMicro(at), at > 0, nil
}

// Resolve does as if the network had said something about a transfer: for an operator who knows it from elsewhere. why says who decided, and from what. The caller
// asks for four eyes. It returns ErrBad for what a network could not have said, and ErrTooLate while the transfer is being changed.
func (e *Engine) Resolve(ctx context.Context, id string, status Status, why string) (Transfer, error) {
	return e.resolve(ctx, id, status, why, nil)
}

// resolve is Resolve by a verdict, which ends in the transaction that books it.
func (e *Engine) resolve(ctx context.Context, id string, status Status, why string, by *decision) (Transfer, error) {
	t, err := e.Get(ctx, id)
	if err != nil {
		return t, err
	}
	if status.Amount == 0 {
		status.Amount = t.Amount
	}
	if status.State != Settled && status.State != Rejected || why == "" || status.Amount < 1 || t.Kind != CashIn && status.Amount > t.Amount || status.Returned < 0 ||
		status.Returned > status.Amount || t.State != Unknown {
		return t, ErrBad
	}
	status.Why, t.verdict = clip(why), by
	return e.apply(ctx, t, status)
}

var transfersHelp = prometheus.NewDesc("palabre_rail_transfers", "Transfers with networks outside, by rail and state.", []string{"rail", "state"}, nil)

var (
	waitingHelp    = prometheus.NewDesc("palabre_rail_waiting", "Transfers with networks outside that have no end yet, by rail and kind.", []string{"rail", "kind"}, nil)
	waitingAgeHelp = prometheus.NewDesc("palabre_rail_waiting_oldest_age_seconds", "How long ago the oldest of them was begun.", []string{"rail", "kind"}, nil)
)

// Describe tells Prometheus what Collect gives.
func (e *Engine) Describe(ch chan<- *prometheus.Desc) {
	ch <- transfersHelp
	ch <- waitingHelp
	ch <- waitingAgeHelp
}

// Collect gives the number of transfers by rail and state, and of those that wait with the age of the oldest; nothing where the database fails.
func (e *Engine) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	figures, err := e.Figures(ctx)
	if err != nil {
		e.log.Error("transfers could not be counted", "err", err)
		return
	}
	for _, f := range figures {
		ch <- prometheus.MustNewConstMetric(transfersHelp, prometheus.GaugeValue, float64(f.Count), f.Rail, f.State.String())
	}
	waiting, err := e.Waiting(ctx)
	if err != nil {
		e.log.Error("transfers that wait could not be counted", "err", err)
		return
	}
	for _, w := range waiting {
		ch <- prometheus.MustNewConstMetric(waitingHelp, prometheus.GaugeValue, float64(w.Count), w.Rail, w.Kind.String())
		ch <- prometheus.MustNewConstMetric(waitingAgeHelp, prometheus.GaugeValue, e.now().Sub(w.Oldest).Seconds(), w.Rail, w.Kind.String())
	}
}

// Collectors are the figures for Prometheus.
func (e *Engine) Collectors() []prometheus.Collector {
	return []prometheus.Collector{e, e.calls, e.webhooks,
		e.db.AgeGauge("palabre_rail_unknown_oldest_age_seconds", "How long the state of a transfer has not been known, the longest.",
			"select cast(coalesce(min(unknown_since), 0) as bigint) from rail_transfer where unknown_since > 0", e.now)}
}
