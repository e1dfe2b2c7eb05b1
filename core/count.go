package core

import (
	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/xmpp"
)

var stanzas = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "palabre_core_stanzas_total", Help: "Stanzas read from and written to local sessions.",
}, []string{"stanza", "direction"})

var counters = func() (out [4][2]prometheus.Counter) {
	for _, kind := range []xmpp.Kind{xmpp.Message, xmpp.Presence, xmpp.IQ} {
		out[kind] = [2]prometheus.Counter{stanzas.WithLabelValues(kind.String(), "in"), stanzas.WithLabelValues(kind.String(), "out")}
	}
	return out
}()

func (s *Server) counted(kind xmpp.Kind, direction string) {
	i := 0
	if direction == "out" {
		i = 1
	}
	counters[kind][i].Inc()
}

// Collectors are the server's figures for Prometheus.
func (s *Server) Collectors() []prometheus.Collector {
	return []prometheus.Collector{stanzas, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "palabre_core_sessions", Help: "Sessions now, dormant ones included.",
	}, func() float64 { return float64(s.CountSessions()) })}
}
