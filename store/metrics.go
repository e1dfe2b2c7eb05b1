package store

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are per database, so that several may be open in one process.
type metrics struct {
	commits  prometheus.Counter
	reruns   prometheus.Counter
	group    prometheus.Histogram
	duration prometheus.Histogram
	failures *prometheus.CounterVec
	depth    prometheus.GaugeFunc
	oldest   prometheus.GaugeFunc
}

func newMetrics(l *lane) *metrics {
	return &metrics{
		commits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "palabre_store_commits_total", Help: "Durable commits, each of a group of transactions.",
		}),
		reruns: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "palabre_store_reruns_total", Help: "Groups that ran again because a function failed or the connection was lost.",
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_store_group_transactions", Help: "Transactions that shared a commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_store_commit_duration_seconds", Help: "Time to write the rows of a group and make them durable.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_store_failures_total", Help: "Groups and transactions that were not kept, by kind.",
		}, []string{"kind"}),
		depth: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "palabre_store_queue_depth", Help: "Transactions waiting for the writer.",
		}, func() float64 { _, n := l.oldest(); return float64(n) }),
		oldest: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "palabre_store_queue_oldest_age_seconds", Help: "Age of the transaction that has waited longest.",
		}, func() float64 { return age(l) }),
	}
}

func age(l *lane) float64 {
	since, n := l.oldest()
	if n == 0 {
		return 0
	}
	return time.Since(since).Seconds()
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.commits, m.reruns, m.group, m.duration, m.failures, m.depth, m.oldest}
}

func (m *metrics) committed(n int, took time.Duration) {
	if n == 0 {
		return
	}
	m.commits.Inc()
	m.group.Observe(float64(n))
	m.duration.Observe(took.Seconds())
}

func (m *metrics) failed(kind string) { m.failures.WithLabelValues(kind).Inc() }

func failureKind(err error) string {
	switch {
	case errors.Is(err, ErrFull):
		return "full"
	case errors.Is(err, ErrUnknown):
		return "unknown"
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	}
	return "other"
}
