package c2s

import (
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
	lostDeliveries = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "palabre_c2s_unacknowledged_total", Help: "Deliveries that a session ended without having acknowledged."})
	dormant = prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_c2s_dormant_sessions", Help: "Sessions that wait to be resumed."})
)

// Collectors are the door's figures for Prometheus.
func (d *Door) Collectors() []prometheus.Collector {
	return []prometheus.Collector{connections, refused, handshakes, logins, loginSeconds, resumptions, overflows, stalls, lostDeliveries,
		dormant, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_c2s_dormant_bytes", Help: "Bytes that wait for sessions that may be resumed."},
			func() float64 { return float64(d.dormant.Load()) }), queues{d}, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "palabre_c2s_guests", Help: "Connections that have not logged in."},
			func() float64 { return float64(d.limits.countGuests()) })}
}

var (
	queuedStanzas = prometheus.NewDesc("palabre_c2s_queued_stanzas", "Stanzas that wait for all sessions, or that these have not acknowledged.", nil, nil)
	longestQueue  = prometheus.NewDesc("palabre_c2s_longest_queue_stanzas", "The same for the session with the most.", nil, nil)
)

// queues counts what waits, when it is asked.
type queues struct{ door *Door }

// Describe is for Prometheus.
func (q queues) Describe(out chan<- *prometheus.Desc) { out <- queuedStanzas; out <- longestQueue }

// Collect is for Prometheus.
func (q queues) Collect(out chan<- prometheus.Metric) {
	all, longest := 0, 0
	q.door.server.EachSession(func(one *core.Session) {
		if s := q.door.bound.Get(one); s != nil {
			s.mu.Lock()
			n := s.count()
			s.mu.Unlock()
			all, longest = all+n, max(longest, n)
		}
	})
	out <- prometheus.MustNewConstMetric(queuedStanzas, prometheus.GaugeValue, float64(all))
	out <- prometheus.MustNewConstMetric(longestQueue, prometheus.GaugeValue, float64(longest))
}
