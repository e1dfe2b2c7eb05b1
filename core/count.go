package core

import (
	"time"

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
	return []prometheus.Collector{stanzas, lines{s}, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "palabre_core_sessions", Help: "Sessions now, dormant ones included.",
	}, func() float64 { return float64(s.CountSessions()) })}
}

var (
	lineStanzas = prometheus.NewDesc("palabre_core_line_stanzas",
		"Stanzas of all sessions that are read and not handled: they wait for the disk, or for those before them. None is ever dropped; a session with too many is read no further.", nil, nil)
	longestLine = prometheus.NewDesc("palabre_core_longest_line_stanzas", "The same for the session with the most.", nil, nil)
	oldestAge   = prometheus.NewDesc("palabre_core_line_oldest_age_seconds",
		"For how long, as seen from one reading of this figure to the next, the same stanza has been the oldest of these: the longest of all sessions.", nil, nil)
)

// lines counts what waits to be handled, when it is asked.
type lines struct{ server *Server }

// Describe is for Prometheus.
func (l lines) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{lineStanzas, longestLine, oldestAge} {
		out <- desc
	}
}

// Collect is for Prometheus.
func (l lines) Collect(out chan<- prometheus.Metric) {
	all, longest, now := 0, 0, time.Now()
	var oldest time.Duration
	l.server.EachSession(func(session *Session) {
		n, age := session.line.look(now)
		all, longest, oldest = all+n, max(longest, n), max(oldest, age)
	})
	out <- prometheus.MustNewConstMetric(lineStanzas, prometheus.GaugeValue, float64(all))
	out <- prometheus.MustNewConstMetric(longestLine, prometheus.GaugeValue, float64(longest))
	out <- prometheus.MustNewConstMetric(oldestAge, prometheus.GaugeValue, oldest.Seconds())
}

// look is what was seen of a line that was not empty: how many steps had been done, and when. No clock is read for a stanza.
type look struct {
	done uint32
	at   time.Time
}

// look counts the steps that wait, and says since when the first of them was seen to be the first.
func (l *line) look(now time.Time) (n int, age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.steps) == 0:
		l.looked = look{}
	case l.looked.at.IsZero() || l.looked.done != l.done:
		l.looked = look{l.done, now}
	default:
		age = now.Sub(l.looked.at)
	}
	return len(l.steps), age
}
