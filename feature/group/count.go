package group

import "github.com/prometheus/client_golang/prometheus"

// Collectors are the figures of what follows from changes and is not done yet, for Prometheus.
func (g *Groups) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		g.db.Gauge("palabre_group_consequences", "Changes of groups that follow from changes of others, such as those of their community, and are not done.",
			"select count(*) from group_consequence"),
		g.db.AgeGauge("palabre_group_oldest_age_seconds", "Age of the oldest of these.",
			"select cast(coalesce(min(id), 0) as bigint) from group_consequence", g.now),
	}
}
