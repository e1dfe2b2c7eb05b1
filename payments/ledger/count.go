package ledger

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are per ledger, so that several may be open in one process.
type metrics struct {
	refused  prometheus.Counter
	failures prometheus.Counter
	requests prometheus.Histogram
	waited   prometheus.Histogram
	duration prometheus.Histogram
	oldest   atomic.Pointer[time.Time] // since when the first request of the batch under way has waited
}

func newMetrics() *metrics {
	return &metrics{
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "palabre_ledger_queue_refused_total", Help: "Requests that found no room in the queue until their time was over; nothing was done.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "palabre_ledger_failures_total", Help: "Batches that the database did not keep.",
		}),
		requests: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_ledger_batch_requests", Help: "Requests that shared a transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 13),
		}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_ledger_queue_seconds", Help: "Time in the queue of the first request of each batch: nobody has waited longer.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 19),
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_ledger_batch_seconds", Help: "Time to decide about a batch and to keep it.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 19),
		}),
	}
}

// Collectors are the ledger's figures for Prometheus.
func (l *Ledger) Collectors() []prometheus.Collector {
	m := l.metrics
	return []prometheus.Collector{m.refused, m.failures, m.requests, m.waited, m.duration,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "palabre_ledger_queue_depth", Help: "Requests that wait for a batch.",
		}, func() float64 { return float64(len(l.waiting)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "palabre_ledger_oldest_age_seconds", Help: "For how long the oldest request that is not answered has waited.",
		}, func() float64 { return m.age(time.Now()).Seconds() }),
	}
}

// age is for how long the first request of the batch under way has waited: those in the queue came later.
func (m *metrics) age(now time.Time) time.Duration {
	since := m.oldest.Load()
	if since == nil {
		return 0
	}
	return now.Sub(*since)
}

// begun counts a batch that is taken from the queue, of which the first request has waited since a moment.
func (m *metrics) begun(now, since time.Time) {
	m.oldest.Store(&since)
	m.waited.Observe(now.Sub(since).Seconds())
}

// ended counts a batch that is answered, after all.
func (m *metrics) ended(requests int, took time.Duration) {
	m.oldest.Store(nil)
	m.requests.Observe(float64(requests))
	m.duration.Observe(took.Seconds())
}
