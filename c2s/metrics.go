package c2s

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
)

var (
	connections = prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_c2s_connections", Help: "Client connections now."})
	refused     = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_c2s_refused_total", Help: "Connections closed for a limit: too many of one address, too many guests."}, []string{"limit"})
	handshakes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_c2s_tls_handshakes_total", Help: "TLS handshakes by outcome."}, []string{"outcome"})
	logins = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_c2s_logins_total", Help: "Logins by protocol, mechanism and outcome."}, []string{"protocol", "mechanism", "outcome"})
	loginSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "palabre_c2s_login_seconds",
		Help: "Time from the choice of a mechanism to its outcome.", Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30}})
	resumptions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_c2s_resumptions_total", Help: "Attempts to resume a session, by outcome."}, []string{"outcome"})
	overflows = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "palabre_c2s_queue_overflows_total", Help: "Sessions ended because too much waited for them."})
	stalls = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "palabre_c2s_stalls_total", Help: "Times a session was read more slowly because it sent too fast."})
	streamErrors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "palabre_c2s_stream_errors_total", Help: "Streams that the server ended with an error, by condition (RFC 6120 §4.9.3)."}, []string{"condition"})
	lostDeliveries = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "palabre_c2s_unacknowledged_total", Help: "Deliveries that a session ended without having acknowledged."})
	dormant = prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_c2s_dormant_sessions", Help: "Sessions that wait to be resumed."})
)

// Collectors are the door's figures for Prometheus.
func (d *Door) Collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{connections, refused, handshakes, logins, loginSeconds, resumptions, overflows, stalls, streamErrors,
		lostDeliveries, dormant, queues{d},
		gauge("palabre_c2s_queued_bytes", "Bytes that wait for all sessions, or that these have not acknowledged, in steps of 8 KiB for each.",
			func() float64 { return float64(d.queued.Load()) }),
		gauge("palabre_c2s_dormant_bytes", "Bytes that wait for sessions that may be resumed.",
			func() float64 { return float64(d.dormant.Load()) }),
		gauge("palabre_c2s_guests", "Connections that have not logged in.", func() float64 { return float64(d.limits.countGuests()) })}
}

var (
	queuedStanzas = prometheus.NewDesc("palabre_c2s_queued_stanzas", "Stanzas that wait for all sessions, or that these have not acknowledged.", nil, nil)
	longestQueue  = prometheus.NewDesc("palabre_c2s_longest_queue_stanzas", "The same for the session with the most.", nil, nil)
	oldestAge     = prometheus.NewDesc("palabre_c2s_oldest_age_seconds", "For how long, as seen from one reading of this figure to the next, the same "+
		"stanza has been the oldest of a session's queue: the longest of all sessions that are connected, and of those that may be resumed.",
		[]string{"sessions"}, nil)
)

// queues counts what waits, when it is asked.
type queues struct{ door *Door }

// Describe is for Prometheus.
func (q queues) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{queuedStanzas, longestQueue, oldestAge} {
		out <- desc
	}
}

// Collect is for Prometheus.
func (q queues) Collect(out chan<- prometheus.Metric) {
	all, longest, now := 0, 0, time.Now()
	var connected, dormant time.Duration
	q.door.server.EachSession(func(one *core.Session) {
		s := q.door.bound.Get(one)
		if s == nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		n, age := s.count(), s.oldest(now)
		all, longest = all+n, max(longest, n)
		if s.conn == nil {
			dormant = max(dormant, age)
		} else {
			connected = max(connected, age)
		}
	})
	out <- prometheus.MustNewConstMetric(queuedStanzas, prometheus.GaugeValue, float64(all))
	out <- prometheus.MustNewConstMetric(longestQueue, prometheus.GaugeValue, float64(longest))
	out <- prometheus.MustNewConstMetric(oldestAge, prometheus.GaugeValue, connected.Seconds(), "connected")
	out <- prometheus.MustNewConstMetric(oldestAge, prometheus.GaugeValue, dormant.Seconds(), "dormant")
}

// look is what was seen of a queue that was not empty: how many deliveries had been acknowledged, and when. No clock is read for a stanza.
type look struct {
	done uint32
	at   time.Time
}

// oldest is since when the oldest of the queue was first seen as such; what is held for an inactive client waits because it may. s.mu is
// held.
func (s *session) oldest(now time.Time) time.Duration {
	waits := len(s.written) > 0 || len(s.loose) > 0 || slices.ContainsFunc(s.queue, func(d core.Delivery) bool { return d.Stanza != nil })
	switch {
	case !waits:
		s.looked = look{}
	case s.looked.at.IsZero() || s.looked.done != s.done:
		s.looked = look{s.done, now}
	default:
		return now.Sub(s.looked.at)
	}
	return 0
}
