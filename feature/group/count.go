package group

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collectors are the figures of what follows from changes and is not done yet, for Prometheus.
func (g *Groups) Collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		gauge("palabre_group_consequences", "Changes of groups that follow from changes of others, such as those of their community, and are not done.", func() float64 {
			return g.figure("select count(*) from group_consequence")
		}),
		gauge("palabre_group_oldest_age_seconds", "Age of the oldest of these.", func() float64 {
			oldest := g.figure("select cast(coalesce(min(id), 0) as bigint) from group_consequence")
			if oldest <= 0 {
				return oldest
			}
			return max(g.now().Sub(time.UnixMicro(int64(oldest))).Seconds(), 0)
		}),
	}
}

// figure reads one number; a failing database shows as -1.
func (g *Groups) figure(sql string) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var n int64
	if err := g.db.QueryRow(ctx, sql).Scan(&n); err != nil {
		return -1
	}
	return float64(n)
}
