package ledger

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// figures are what a ledger tells Prometheus: of a histogram the sum, and as … count how many there are.
func figures(t *testing.T, l *Ledger) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(l.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			all[family.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
			all[family.GetName()+" count"] = float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func TestTheQueueIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l, err := New(t.Context(), DefaultConfig(), db, quiet)
		if err != nil {
			t.Fatal(err)
		}
		post(t, l, opening("world", Unbounded), opening("karim", 0), opening("nadia", 0), transfer("in", "world", "karim", 10000))
		begun, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		var all sync.WaitGroup
		all.Go(func() {
			_, err := l.Post(t.Context(), func(context.Context, []Record) error {
				once.Do(func() { close(begun) })
				<-goOn
				return nil
			}, transfer("first", "karim", "nadia", 1))
			if err != nil {
				t.Error(err)
			}
		})
		<-begun
		before := figures(t, l)
		waiting := make([]*request, maxWaiting)
		for i := range waiting {
			waiting[i] = &request{operations: []Operation{transfer(strconv.Itoa(i), "karim", "nadia", 1)}, since: time.Now(), done: make(chan struct{})}
			l.waiting <- waiting[i]
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Post(over, nil, transfer("late", "karim", "nadia", 1)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if full := figures(t, l); full["palabre_ledger_queue_depth"] != maxWaiting || full["palabre_ledger_oldest_age_seconds"] <= 0 || full["palabre_ledger_queue_refused_total"] != 1 {
			t.Errorf("when it is full: %v", full)
		}
		close(goOn)
		for _, r := range waiting {
			<-r.done
		}
		all.Wait()
		l.Close() // its last batch is counted then
		after := figures(t, l)
		if n := after["palabre_ledger_batch_requests"] - before["palabre_ledger_batch_requests"]; n != maxWaiting+1 {
			t.Errorf("%v requests in batches", n)
		}
		batches := after["palabre_ledger_batch_requests count"]
		if batches <= before["palabre_ledger_batch_requests count"] || after["palabre_ledger_batch_seconds count"] != batches || after["palabre_ledger_queue_seconds count"] != batches {
			t.Errorf("batches: %v, then %v", before, after)
		}
		if after["palabre_ledger_queue_depth"] != 0 || after["palabre_ledger_oldest_age_seconds"] != 0 || after["palabre_ledger_failures_total"] != 0 {
			t.Errorf("at the end: %v", after)
		}
		if after["palabre_ledger_queue_seconds"] <= before["palabre_ledger_queue_seconds"] {
			t.Errorf("time in the queue: %v, then %v", before, after)
		}
	})
}
