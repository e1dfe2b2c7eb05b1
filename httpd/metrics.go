package httpd

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	duration prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_httpd_requests_total", Help: "Requests answered, by the class of the answer.",
		}, []string{"method", "class"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "palabre_httpd_request_seconds", Help: "Time to answer a request, WebSocket sessions left out.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
}

func (m *metrics) all() []prometheus.Collector { return []prometheus.Collector{m.requests, m.duration} }

var classes = [...]string{"hijacked", "1xx", "2xx", "3xx", "4xx", "5xx"}

func (m *metrics) count(method string, w *counter, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodOptions:
	default:
		method = "other"
	}
	class := min(w.status/100, len(classes)-1)
	if w.failed {
		class = 5
	}
	m.requests.WithLabelValues(method, classes[class]).Inc()
	if class > 1 {
		m.duration.Observe(took.Seconds())
	}
}

// counter notes the status of an answer; 0 if the connection was taken over (WebSocket). Unwrap lets handlers reach the rest.
type counter struct {
	http.ResponseWriter
	status int
	failed bool
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counter) WriteHeader(status int) {
	if c.status < 200 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(b)
}

// Hijack lets a WebSocket take the connection over.
func (c *counter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(c.ResponseWriter).Hijack()
}

// ReadFrom lets the system copy a file to the connection by itself.
func (c *counter) ReadFrom(r io.Reader) (int64, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return io.Copy(c.ResponseWriter, r)
}
