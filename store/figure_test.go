package store_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// TestGauges reads figures of statements, of a time that is to come, and of statements that fail.
func TestGauges(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := func() time.Time { return time.UnixMicro(10_000_000) }
		for _, c := range []struct {
			name string
			get  prometheus.Collector
			want float64
		}{
			{"number", db.Gauge("a", "a", "select 7"), 7},
			{"no such table", db.Gauge("b", "b", "select count(*) from nowhere"), -1},
			{"age", db.AgeGauge("c", "c", "select 7500000", now), 2.5},
			{"none", db.AgeGauge("d", "d", "select 0", now), 0},
			{"to come", db.AgeGauge("e", "e", "select 11000000", now), 0},
			{"age of no table", db.AgeGauge("f", "f", "select min(id) from nowhere", now), -1},
		} {
			registry := prometheus.NewRegistry()
			registry.MustRegister(c.get)
			found, err := registry.Gather()
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %v, %v", c.name, found, err)
			}
			if got := found[0].GetMetric()[0].GetGauge().GetValue(); got != c.want {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	})
}
