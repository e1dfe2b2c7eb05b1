package pubsub

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/xmpp"
)

// counts are the feature's figures.
type counts struct {
	changes *prometheus.CounterVec // by what came of them
	events  prometheus.Counter     // sent, one for each address
	dropped prometheus.Counter     // last items that were not sent
}

func newCounts() counts {
	return counts{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_pubsub_changes_total",
			Help: "Changes of what accounts publish, by what came of them: kept, refused or failed."}, []string{"outcome"}),
		events: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_pubsub_events_total",
			Help: "Events sent, last items among them, one for each address."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_pubsub_dropped_total",
			Help: "Times that somebody who came online was not sent an account's last items, because too much waited to be sent of it."}),
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
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{f.counts.changes, f.counts.events, f.counts.dropped,
		gauge("palabre_pubsub_waiting", "Accounts with events that wait to be sent.", func() float64 {
			accounts, _ := f.events.depth()
			return float64(accounts)
		}),
		gauge("palabre_pubsub_waiting_events", "Events, and last items for those who come online, that wait to be sent.", func() float64 {
			_, tasks := f.events.depth()
			return float64(tasks)
		}),
		gauge("palabre_pubsub_oldest_age_seconds", "Age of the oldest of these, those included that are being sent.",
			func() float64 { return f.events.age(time.Now()).Seconds() })}
}
