package status

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collectors are the figures of what is kept for a day, for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{
		gauge("palabre_status_kept", "Statuses of the last 24 hours, those that were taken back included.", func() float64 {
			return f.figure("select count(*) from status_item")
		}),
		gauge("palabre_status_overdue_seconds", "How long ago the oldest status should have been removed.", func() float64 {
			first := f.figure("select cast(coalesce(min(expires), 0) as bigint) from status_item")
			if first <= 0 {
				return first
			}
			return max(f.now().Sub(time.UnixMicro(int64(first))).Seconds(), 0)
		}),
	}
}

// figure reads one number; a failing database shows as -1.
func (f *Feature) figure(sql string) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var n int64
	if err := f.db.QueryRow(ctx, sql).Scan(&n); err != nil {
		return -1
	}
	return float64(n)
}
