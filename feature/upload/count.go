package upload

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/xmpp"
)

// counts are the feature's figures; how long transfers take is the HTTP door's to count.
type counts struct {
	slots     *prometheus.CounterVec
	transfers *prometheus.CounterVec
	keptBytes prometheus.Counter
	underWay  prometheus.Gauge
}

func newCounts() counts {
	return counts{
		slots: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_upload_slots_total", Help: "Requests for an upload slot, by outcome."}, []string{"outcome"}),
		transfers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_upload_transfers_total", Help: "Transfers to a slot, by outcome."}, []string{"outcome"}),
		keptBytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_upload_kept_bytes_total", Help: "Bytes that were uploaded and kept."}),
		underWay:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_upload_transfers_under_way", Help: "Transfers to a slot that are under way."}),
	}
}

// Collectors are the feature's figures for Prometheus.
func (u *Upload) Collectors() []prometheus.Collector {
	return []prometheus.Collector{u.counts.slots, u.counts.transfers, u.counts.keptBytes, u.counts.underWay}
}

// slot counts a request for a slot.
func (c *counts) slot(err error) {
	var told *xmpp.Error
	switch {
	case err == nil:
		c.slots.WithLabelValues("given").Inc()
	case errors.As(err, &told):
		c.slots.WithLabelValues("refused").Inc()
	default:
		c.slots.WithLabelValues("failed").Inc()
	}
}

// transfer counts the end of a transfer.
func (c *counts) transfer(outcome string) { c.transfers.WithLabelValues(outcome).Inc() }
