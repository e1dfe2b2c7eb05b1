package channel

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are the feature's figures.
type counts struct {
	entries    prometheus.Counter // put into logs and told
	deliveries prometheus.Counter // one for each session that was told
	dropped    *prometheus.CounterVec
}

func newCounts() counts {
	return counts{
		entries: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_channel_entries_total", Help: "Entries put into the logs of channels and told."}),
		deliveries: prometheus.NewCounter(prometheus.CounterOpts{Name: "palabre_channel_deliveries_total",
			Help: "Entries of channels put into the queues of sessions, one for each session."}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_channel_dropped_total",
			Help: "What was not done because too much waited already, by what it was: wake (posts whose followers are not woken), view (views that are not counted)."}, []string{"what"}),
	}
}

// Collectors are the feature's figures for Prometheus.
func (cs *Channels) Collectors() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	return []prometheus.Collector{cs.counts.entries, cs.counts.deliveries, cs.counts.dropped,
		gauge("palabre_channel_wake_waiting", "Posts whose followers are still to be woken.", func() float64 {
			n, _ := cs.wakes.depth(time.Now())
			return float64(n)
		}),
		gauge("palabre_channel_wake_oldest_age_seconds", "Age of the oldest of these.", func() float64 {
			_, age := cs.wakes.depth(time.Now())
			return age.Seconds()
		}),
		gauge("palabre_channel_loaded", "Channels in memory.", func() float64 { return float64(cs.loaded.size()) }),
	}
}

// depth is how many posts wait for their followers to be woken, and for how long the oldest has.
func (w *wakes) depth(now time.Time) (n int, oldest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.posts) > 0 {
		oldest = now.Sub(w.posts[0].since)
	}
	return len(w.posts), oldest
}

// size is how many channels are in memory.
func (l *loaded) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}
