package group

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// figures are the numbers that the feature shows, by name.
func figures(t *testing.T, g *Groups) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(g.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		all[family.GetName()] = family.GetMetric()[0].GetGauge().GetValue()
	}
	return all
}

// TestFiguresOfWhatFollows looks at them while something waits, and when it is done.
func TestFiguresOfWhatFollows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, _, _ := newTown(t, db, "a")
		g.now = func() time.Time { return time.Now().Add(time.Hour) }
		const waiting, age = "palabre_group_consequences", "palabre_group_oldest_age_seconds"
		if f := figures(t, g); f[waiting] != 3 || f[age] < 3600 || f[age] > 3700 {
			t.Error(f)
		}
		conclude(t, g)
		if f := figures(t, g); f[waiting] != 0 || f[age] != 0 {
			t.Error(f)
		}
	})
}
