package health

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

type about struct{}

func (about) Version() string            { return "v1.2.0" }
func (about) CertificateEnds() time.Time { return time.Time{} }

// world is a feature with metrics of the test's own.
type world struct {
	*Feature
	logins   *prometheus.CounterVec
	stanzas  *prometheus.CounterVec
	sessions prometheus.Gauge
	commits  prometheus.Histogram
	oldest   prometheus.Gauge
}

func anybody(next func(context.Context, *core.Request) (*xmpp.Element, error)) core.IQHandler {
	return next
}

func open(t *testing.T, db *store.DB, cfg Config) *world {
	t.Helper()
	registry := prometheus.NewRegistry()
	w := &world{
		logins:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_c2s_logins_total"}, []string{"outcome"}),
		stanzas:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "palabre_core_stanzas_total"}, []string{"stanza", "direction"}),
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_core_sessions"}),
		commits:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "palabre_store_commit_duration_seconds", Buckets: []float64{0.001, 0.01, 0.1}}),
		oldest:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "palabre_jobs_oldest_age_seconds"}),
	}
	registry.MustRegister(w.logins, w.stanzas, w.sessions, w.commits, w.oldest)
	var err error
	if w.Feature, err = New(t.Context(), cfg, db, registry, about{}, anybody, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return w
}

// ask reads the answer: the facts, and the last values of each series.
func (w *world) ask(t *testing.T, span string, last int) (facts, values map[string]string) {
	t.Helper()
	payload := xmpp.NewElement(NS, "health").Set("span", span)
	e, err := w.answer(t.Context(), &core.Request{Payload: payload})
	if err != nil {
		t.Fatal(err)
	}
	facts, values = map[string]string{}, map[string]string{}
	for child := range e.Children() {
		if child.Local == "fact" {
			facts[child.Attr("name")] = child.Attr("value")
			continue
		}
		all := strings.Fields(child.Text())
		values[child.Attr("name")] = strings.Join(all[len(all)-last:], " ")
	}
	return facts, values
}

func TestFiguresOfAnHour(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := open(t, db, Config{})
		at := time.Now()
		w.sample(at)
		w.sessions.Set(12)
		w.oldest.Set(3.5)
		w.logins.WithLabelValues("ok").Add(4)
		w.logins.WithLabelValues("not-authorized").Add(2)
		w.stanzas.WithLabelValues("message", "in").Add(7)
		w.stanzas.WithLabelValues("iq", "out").Add(3)
		for range 99 {
			w.commits.Observe(0.0005)
		}
		w.commits.Observe(0.05)
		w.sample(at.Add(step))
		w.sample(at.Add(3 * step)) // one was missed
		_, values := w.ask(t, "hour", 3)
		for name, want := range map[string]string{"sessions": "0 12 12", "logins": "- 4 0", "logins-refused": "- 2 0", "messages": "- 7 0", "stanzas": "- 10 0",
			"commit": "- 0.995 -", "commit-slow": "- 1 -", "oldest": "0 3.5 3.5"} {
			if values[name] != want {
				t.Errorf("%s: %q, want %q", name, values[name], want)
			}
		}
	})
}

func TestTheRingHasADay(t *testing.T) {
	var r ring
	if got := r.read(0, 60, 1); len(got) != 60 || !math.IsNaN(float64(got[59])) {
		t.Errorf("empty: %v", got)
	}
	for i := range 3 * kept {
		r.add([len(series)]float32{float32(i)})
	}
	day := r.read(0, 144, 10)
	if day[143] != 3*kept-5.5 || day[0] != 2*kept+4.5 {
		t.Errorf("day: %v … %v", day[0], day[143])
	}
	if beyond := r.read(0, 150, 10); !math.IsNaN(float64(beyond[0])) || beyond[149] != 3*kept-5.5 {
		t.Errorf("beyond a day: %v", beyond[0])
	}
}

func TestBackupsAreNoted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := open(t, db, Config{})
		if facts, _ := w.ask(t, "day", 1); facts["backup"] != "" || facts["version"] != "v1.2.0" || facts["newer"] != "" {
			t.Errorf("at first: %v", facts)
		}
		for _, at := range []string{"2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"} {
			when, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.BackedUp(t.Context(), when); err != nil {
				t.Fatal(err)
			}
			if facts, _ := w.ask(t, "hour", 1); facts["backup"] != at {
				t.Errorf("%v", facts)
			}
		}
	})
}

func TestANewerVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var answer atomic.Value
		answer.Store(`{"version":"v1.3.0","page":"https://palabre.example/v1.3.0"}`)
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("User-Agent") != "" || r.URL.RawQuery != "" {
				t.Errorf("the request tells something: %v", r.Header)
			}
			if _, err := w.Write([]byte(answer.Load().(string))); err != nil {
				t.Error(err)
			}
		}))
		defer site.Close()
		w := open(t, db, Config{UpdateURL: site.URL})
		w.look(t.Context())
		if facts, _ := w.ask(t, "hour", 1); facts["newer"] != "v1.3.0" || facts["newer-page"] != "https://palabre.example/v1.3.0" {
			t.Errorf("%v", facts)
		}
		answer.Store(`{"version":"v1.2.0","page":"javascript:alert(1)"}`)
		w.look(t.Context())
		if facts, _ := w.ask(t, "hour", 1); facts["newer"] != "" || facts["newer-page"] != "" {
			t.Errorf("%v", facts)
		}
	})
}

func TestVersionsAreCompared(t *testing.T) {
	for _, c := range []struct {
		release, running string
		want             bool
	}{
		{"v1.2.1", "v1.2.0", true}, {"v1.10.0", "v1.9.9", true}, {"v2.0.0", "v1.99.99", true}, {"v1.2.0", "v1.2.0", false}, {"v1.1.9", "v1.2.0", false},
		{"v1.3.0", "b29fd1d0d714 2026-11-21T09:13:29Z", false}, {"", "v1.0.0", false}, {"v1.3", "v1.0.0", false}, {"v1.3.x", "v1.0.0", false}, {"1.3.0", "v1.0.0", false},
	} {
		if got := newerVersion(c.release, c.running); got != c.want {
			t.Errorf("%s after %s: %t", c.release, c.running, got)
		}
	}
}
