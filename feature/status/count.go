package status

import "github.com/prometheus/client_golang/prometheus"

// Collectors are the figures of what is kept for a day, for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		f.db.Gauge("palabre_status_kept", "Statuses of the last 24 hours, those that were taken back included.", "select count(*) from status_item"),
		f.db.AgeGauge("palabre_status_overdue_seconds", "How long ago the oldest status should have been removed.",
			"select cast(coalesce(min(expires), 0) as bigint) from status_item", f.now),
	}
}
