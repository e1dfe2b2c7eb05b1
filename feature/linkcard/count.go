package linkcard

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are the feature's figures. They tell how much is asked, never by whom or for what.
type counts struct {
	requests *prometheus.CounterVec
	duration prometheus.Histogram
	reading  prometheus.Gauge
}

func newCounts() counts {
	return counts{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_linkcard_requests_total", Help: "Requests for a card of a link, by outcome."}, []string{"outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_linkcard_duration_seconds", Help: "How long reading a page and its picture took.", Buckets: []float64{.05, .1, .25, .5, 1, 2, 4, 8}}),
		reading: prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_linkcard_reading", Help: "Pages that are being read."}),
	}
}

// Collectors are the feature's figures for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector {
	return []prometheus.Collector{f.counts.requests, f.counts.duration, f.counts.reading}
}

// outcome counts a request: refused, limited, remembered, made, or none when the page gives no card.
func (c *counts) outcome(what string) { c.requests.WithLabelValues(what).Inc() }

// read counts a request for which a page was read.
func (c *counts) read(took time.Duration, failed bool) {
	c.duration.Observe(took.Seconds())
	if failed {
		c.outcome("none")
	} else {
		c.outcome("made")
	}
}
