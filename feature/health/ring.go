package health

import (
	"math"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// step is how often a sample is taken, kept how many there are: a day.
const (
	step = time.Minute
	kept = 24 * 60
)

// series are the figures, in the order in which a sample has them.
var series = [...]string{
	"sessions",       // now
	"logins",         // that went well, in the minute
	"logins-refused", // in the minute
	"messages",       // read from sessions, in the minute
	"stanzas",        // read and written, in the minute
	"commit",         // mean time of a commit in the minute, in milliseconds
	"commit-slow",    // the time that 99 of 100 commits stay below, in milliseconds
	"queue",          // transactions that wait for the writer
	"oldest",         // age of what has waited longest, of all queues, in seconds
	"jobs",           // that wait
	"memory",         // resident, in bytes
	"cpu",            // of one processor, in percent
	"goroutines",
}

// ring holds the samples of a day: a fixed 75 KB.
type ring struct {
	samples [kept][len(series)]float32
	taken   int // since the start
}

func (r *ring) add(sample [len(series)]float32) {
	r.samples[r.taken%kept] = sample
	r.taken++
}

// read gives points values of one figure, oldest first, each the mean of so many samples; those that were not taken are not numbers.
func (r *ring) read(figure, points, each int) []float32 {
	out := make([]float32, points)
	for i := range out {
		sum, n := float32(0), 0
		for j := range each {
			at := r.taken - (points-i)*each + j
			if at < 0 || at >= r.taken || at < r.taken-kept {
				continue
			}
			if v := r.samples[at%kept][figure]; !math.IsNaN(float64(v)) {
				sum, n = sum+v, n+1
			}
		}
		out[i] = sum / float32(n) // 0/0 is not a number
	}
	return out
}

// text is a figure in few characters; - for none.
func text(v float32) string {
	switch {
	case math.IsNaN(float64(v)):
		return "-"
	case v >= 100 || v == float32(int64(v)):
		return strconv.FormatInt(int64(math.Round(float64(v))), 10)
	}
	return strconv.FormatFloat(float64(v), 'g', 3, 32)
}

// totals are counters as they stood at the last sample.
type totals struct {
	at                     time.Time
	logins, refused        float64
	messages, stanzas      float64
	commits, commitSeconds float64
	buckets                map[float64]float64
	cpu                    float64
}

// sample reads the metrics and adds what they say to the ring. What cannot be read is left out.
func (f *Feature) sample(now time.Time) {
	families, err := f.from.Gather()
	if err != nil {
		f.log.Warn("not all figures can be read", "err", err)
	}
	found := map[string]*dto.MetricFamily{}
	for _, family := range families {
		found[family.GetName()] = family
	}
	next := count(found)
	next.at = now
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring.add(f.last.until(next, found))
	f.last = next
}

// count reads what grows.
func count(found map[string]*dto.MetricFamily) totals {
	t := totals{buckets: map[float64]float64{}}
	t.logins = sum(found["palabre_c2s_logins_total"], "outcome", "ok")
	t.refused = sum(found["palabre_c2s_logins_total"], "", "") - t.logins
	for _, m := range found["palabre_core_stanzas_total"].GetMetric() {
		t.stanzas += value(m)
		if label(m, "stanza") == "message" && label(m, "direction") == "in" {
			t.messages += value(m)
		}
	}
	for _, m := range found["palabre_store_commit_duration_seconds"].GetMetric() {
		h := m.GetHistogram()
		t.commits, t.commitSeconds = t.commits+float64(h.GetSampleCount()), t.commitSeconds+h.GetSampleSum()
		for _, b := range h.GetBucket() {
			t.buckets[b.GetUpperBound()] += float64(b.GetCumulativeCount())
		}
	}
	t.cpu = sum(found["process_cpu_seconds_total"], "", "")
	return t
}

// until is the sample between two readings. The first has no figures of what grows.
func (t totals) until(next totals, found map[string]*dto.MetricFamily) (out [len(series)]float32) {
	none := math.NaN()
	minutes := next.at.Sub(t.at).Minutes()
	grown := func(from, to float64) float64 {
		if t.at.IsZero() || minutes <= 0 {
			return none
		}
		return max(0, to-from) / minutes
	}
	mean, slow := none, none
	if n := next.commits - t.commits; !t.at.IsZero() && n > 0 {
		mean, slow = 1000*(next.commitSeconds-t.commitSeconds)/n, 1000*t.slow(next, n)
	}
	oldest := none
	for name, family := range found {
		if strings.HasSuffix(name, "oldest_age_seconds") {
			oldest = larger(oldest, largest(family))
		}
	}
	values := [len(series)]float64{
		sum(found["palabre_core_sessions"], "", ""), grown(t.logins, next.logins), grown(t.refused, next.refused), grown(t.messages, next.messages),
		grown(t.stanzas, next.stanzas), mean, slow, sum(found["palabre_store_queue_depth"], "", ""), oldest, sum(found["palabre_jobs_waiting"], "", ""),
		sum(found["process_resident_memory_bytes"], "", ""), 100 * grown(t.cpu, next.cpu) / 60, sum(found["go_goroutines"], "", ""),
	}
	for i, v := range values {
		out[i] = float32(v)
	}
	return out
}

// slow is the upper bound of the bucket below which 99 of 100 new commits lie, in seconds.
func (t totals) slow(next totals, n float64) float64 {
	best, largest := math.Inf(1), 0.0
	for bound, now := range next.buckets {
		if math.IsInf(bound, 1) {
			continue
		}
		largest = max(largest, bound)
		if now-t.buckets[bound] >= 0.99*n && bound < best {
			best = bound
		}
	}
	return min(best, largest)
}

func larger(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}

func largest(family *dto.MetricFamily) float64 {
	out := math.NaN()
	for _, m := range family.GetMetric() {
		out = larger(out, value(m))
	}
	return out
}

// sum adds the metrics of a family with a label, or all.
func sum(family *dto.MetricFamily, name, wanted string) float64 {
	total := 0.0
	for _, m := range family.GetMetric() {
		if name == "" || label(m, name) == wanted {
			total += value(m)
		}
	}
	return total
}

func value(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
}

func label(m *dto.Metric, name string) string {
	for _, one := range m.GetLabel() {
		if one.GetName() == name {
			return one.GetValue()
		}
	}
	return ""
}
