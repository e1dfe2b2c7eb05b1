package pubsub

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/xmpp"
)

// counts are the feature's figures.
type counts struct {
	changes *prometheus.CounterVec // by what came of them
	events  prometheus.Counter     // sent, one for each address
}

func newCounts() counts {
	return counts{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_pubsub_changes_total",
			Help: "Changes of what accounts publish, by what came of them: kept, refused or failed."}, []string{"outcome"}),
		events: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_pubsub_events_total",
			Help: "Events sent, last items among them, one for each address."}),
	}
}

func (c counts) changed(err error) {
	outcome := "kept"
	var refused *xmpp.Error
	switch {
	case errors.As(err, &refused):
		outcome = "refused"
	case err != nil:
		outcome = "failed"
	}
	c.changes.WithLabelValues(outcome).Inc()
}

// Collectors are the feature's figures for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector {
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_pubsub_waiting",
		Help: "Accounts with events that wait to be sent."}, func() float64 { return float64(f.events.depth()) })
	return []prometheus.Collector{f.counts.changes, f.counts.events, waiting}
}
