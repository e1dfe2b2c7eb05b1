package rail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store"
)

// scene is one transfer that something goes wrong with while it is in a state.
type scene struct {
	*world
	id     string
	from   rail.State
	first  rail.Status   // what the network answered first
	brief  bool          // a day takes too long
	outage time.Duration // of the network
	late   func()        // what arrives when nobody waits for it any more

	webhooks atomic.Int64 // how many have come about it
	struck   atomic.Bool  // the failure has happened
	missed   atomic.Bool  // it was to happen, and did not
}

// once lets the next exchange with the network go wrong.
func (s *scene) once(wrong exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meddle = func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
		if s.struck.Swap(true) {
			return ask(ctx, t)
		}
		return wrong(ctx, t, ask)
	}
}

// dieAt ends the process when it next comes by a point.
func (s *scene) dieAt(point string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.point, s.count = point, 1
}

var errLost = errors.New("the connection broke")

// failure is one thing that goes wrong, the next time that something happens to a transfer.
type failure struct {
	name string
	// plan changes what the network does, nil for nothing.
	plan func(*sandbox.Plan)
	// strike lets it happen: from now on, when the transfer is in its state; nil if it is in the plan.
	strike func(*scene)
	// happened says whether it has, when the transfer has come to its end; nil if scene.struck says it.
	happened func(*scene) bool
	// answered says that it takes an earlier answer, which what was never sent has not.
	answered bool
}

func dying(point string) failure {
	return failure{name: "the process ends " + point, strike: func(s *scene) { s.dieAt(point) }, happened: func(s *scene) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.point == ""
	}}
}

var failures = []failure{
	{name: "the question is lost", strike: func(s *scene) {
		s.once(func(context.Context, rail.Transfer, answering) (rail.Status, error) { return rail.Status{}, errLost })
	}},
	{name: "the answer is lost", strike: func(s *scene) {
		s.once(func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
			_, _ = ask(ctx, t)
			return rail.Status{}, errLost
		})
	}},
	{name: "the answer is awaited in vain", strike: func(s *scene) {
		s.once(func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
			_, _ = ask(ctx, t)
			<-ctx.Done()
			return rail.Status{}, ctx.Err()
		})
	}},
	{name: "the question comes twice", strike: func(s *scene) {
		s.once(func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
			_, _ = ask(ctx, t)
			return ask(ctx, t)
		})
	}},
	{name: "the question arrives when it was given up", strike: func(s *scene) {
		s.once(func(_ context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
			s.late = func() { _, _ = ask(s.ctx, t) }
			return rail.Status{}, errLost
		})
	}},
	{name: "the first answer comes again, late", answered: true, strike: func(s *scene) {
		s.once(func(context.Context, rail.Transfer, answering) (rail.Status, error) { return s.first, nil })
	}},
	{name: "webhooks come before the answer", strike: func(s *scene) {
		callback := s.net.Callback
		s.net.Callback = "" // until the network was asked
		s.once(func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
			status, err := ask(ctx, t)
			before := s.webhooks.Load()
			s.net.Callback = callback
			s.net.Advance(ctx)
			s.missed.Store(s.webhooks.Load() == before)
			return status, err
		})
	}},
	{name: "webhooks come three times, late, the newest first", plan: func(p *sandbox.Plan) { p.Copies, p.Lag = 2, 20*time.Second },
		happened: func(s *scene) bool { return s.webhooks.Load() >= 6 }},
	{name: "no webhook comes", plan: func(p *sandbox.Plan) { p.Silent = true }, happened: func(s *scene) bool { return s.webhooks.Load() == 0 }},
	{name: "the network is down for a day", strike: func(s *scene) {
		if s.outage = 24 * time.Hour; s.brief {
			s.outage = 10 * time.Minute
		}
		s.net.Down(time.Now(), time.Now().Add(s.outage))
		s.once(func(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
			status, err := ask(ctx, t)
			s.missed.Store(err == nil)
			return status, err
		})
	}},
	{name: "the process forgets everything", strike: func(s *scene) { s.restart(); s.struck.Store(true) }},
	dying("before asking"), dying("after asking"), dying("before keeping"), dying("after keeping"),
}

// reaching is how a transfer comes into a state, in which a minute later something new is to be heard from the network.
var reaching = map[rail.State]struct {
	plan sandbox.Plan
	come func(s *scene)
}{
	rail.Created: {sandbox.Plan{After: 30 * time.Second}, func(*scene) {}},
	rail.Submitted: {sandbox.Plan{After: 30 * time.Second}, func(s *scene) {
		s.dieAt("after asking")
		s.work()
	}},
	rail.Unknown:  {sandbox.Plan{After: 30 * time.Second}, (*scene).next},
	rail.Accepted: {sandbox.Plan{After: 30 * time.Second}, (*scene).next},
	rail.Rejected: {sandbox.Plan{Reject: true, Late: 30 * time.Second}, (*scene).next},
	rail.Settled:  {sandbox.Plan{Reverse: 30 * time.Second}, (*scene).next},
	rail.Reversed: {sandbox.Plan{Reverse: time.Second, Undo: 30 * time.Second}, func(s *scene) {
		s.next()
		s.rest(2 * time.Second)
		s.askNow()
	}},
}

// next does what is due.
func (s *scene) next() { s.work() }

// askNow has the network asked.
func (s *scene) askNow() {
	s.t.Helper()
	if err := s.engine.Ask(s.ctx, s.id); err != nil {
		s.t.Fatal(err)
	}
	s.work()
}

// begin begins a transfer.
func (s *scene) begin(kind rail.Kind, plan sandbox.Plan) {
	s.t.Helper()
	base := s.id + "-base"
	if kind == rail.Refund {
		s.in(base, 2000)
		s.pass(time.Minute, 30*time.Second)
	}
	s.net.Plan(s.id, plan)
	switch kind {
	case rail.CashIn:
		s.in(s.id, 1000)
	case rail.CashOut:
		s.out(s.id, 1000)
	default:
		if _, err := s.engine.Refund(s.ctx, rail.Order{ID: s.id, Amount: 1000}, base, nil); err != nil {
			s.t.Fatal(err)
		}
	}
}

// remember keeps the first answer, which nobody hears of what is to be unknown.
func (s *scene) remember(ctx context.Context, t rail.Transfer, ask answering) (rail.Status, error) {
	status, err := ask(ctx, t)
	if t.ID == s.id && s.first == (rail.Status{}) {
		if s.first = status; s.from == rail.Unknown {
			return rail.Status{}, errLost
		}
	}
	return status, err
}

// play brings a transfer into a state, lets a failure happen there, and everything come to its end.
func (s *scene) play(kind rail.Kind, f failure) {
	s.t.Helper()
	reach := reaching[s.from]
	if f.plan != nil {
		f.plan(&reach.plan)
	}
	s.meddle = s.remember
	s.begin(kind, reach.plan)
	reach.come(s)
	if got := s.get(s.id); got.State != s.from {
		s.t.Fatalf("it is %v, and was to be %v", got.State, s.from)
	}
	if f.strike != nil {
		f.strike(s)
	}
	s.rest(time.Minute)
	s.askNow()
	if s.late != nil {
		s.late()
	}
	s.pass(2*time.Minute, 30*time.Second)
	s.pass(s.outage, max(s.outage/24, time.Second))
	if _, err := s.engine.Reconcile(s.ctx, name, time.Now().Add(-48*time.Hour), time.Now()); err != nil {
		s.t.Fatal(err)
	}
	s.pass(time.Minute, 30*time.Second)
	if happened := f.happened; happened == nil && !s.struck.Load() || happened != nil && !happened(s) || s.missed.Load() {
		s.t.Fatal("the failure did not happen")
	}
	s.same(s.get(s.id))
	if a := s.account(wallet); a.Held != 0 {
		s.t.Fatalf("%d are held", a.Held)
	}
}

// named says in which scene something is wrong.
type named struct {
	*testing.T
	scene string
}

func (n named) Fatal(args ...any) { n.T.Helper(); n.T.Fatal(append([]any{n.scene + ":"}, args...)...) }
func (n named) Fatalf(format string, args ...any) {
	n.T.Helper()
	n.T.Fatalf(n.scene+": "+format, args...)
}

// counting counts the webhooks about one transfer on their way.
type counting struct {
	http.RoundTripper
	scene *scene
}

// RoundTrip implements http.RoundTripper.
func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, fmt.Appendf(nil, "%q", c.scene.id)) {
		c.scene.webhooks.Add(1)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.RoundTripper.RoundTrip(r)
}

// TestEachFailureInEachState lets everything that can go wrong happen to transfers of each kind in each state, on both databases. At the end books and network agree.
func TestEachFailureInEachState(t *testing.T) {
	t.Parallel()
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			bubbles(t, func(t *testing.T, cfg store.Config) { playAll(t, cfg, f) })
		})
	}
}

// playAll plays a failure in all states with all kinds, one transfer after the other.
func playAll(t *testing.T, cfg store.Config, f failure) {
	w := within(t, cfg, sandbox.Plan{})
	webhooks := w.net.Client.Transport
	played := 0
	for state := rail.Created; state < rail.Absent; state++ {
		if f.answered && state == rail.Created {
			continue
		}
		for _, kind := range []rail.Kind{rail.CashIn, rail.CashOut, rail.Refund} {
			played++
			s := &scene{world: w, id: ident(played), from: state, brief: strings.HasPrefix(cfg.URL, "postgres")}
			w.t = named{t, fmt.Sprintf("%v, %v", state, kind)}
			w.net.Client = &http.Client{Transport: counting{webhooks, s}}
			s.play(kind, f)
		}
	}
	if want := 3 * len(reaching); played != want && !(f.answered && played == want-3) {
		t.Errorf("%d of %d scenes were played", played, want)
	}
	w.agree()
	report, err := w.engine.Reconcile(t.Context(), name, time.Now().Add(-20*24*time.Hour), time.Now())
	if err != nil || report.Differences != 0 {
		t.Errorf("at the end the lists differ: %+v, %v", report, err)
	}
}
