// Package httpd is the HTTP door: one HTTPS listener for what people and apps fetch (invitations, uploads, WebSocket, the web client) and
// a plain one on the loopback interface for what the operator's tools ask (metrics, health). Features hang their pages on the first with
// Routes. Left out: access logs (who fetched what is nobody's business) and virtual hosts beyond routing by host in a pattern.
package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is what an operator can set.
type Config struct {
	// Listen are the addresses for HTTPS; none turns it off.
	Listen []string `toml:"listen"`
	// Local is the address for metrics (/metrics), health (/healthz) and readiness (/readyz), over plain HTTP: keep it on the loopback
	// interface or a private network. Empty turns it off.
	Local string `toml:"local"`
	// URL is what people's browsers reach Listen as, without a path; empty for https://<domain> with the port of the first of Listen.
	URL string `toml:"url"`
	// MaxConnections is the most connections that HTTPS holds at once, WebSocket among them (1–1000000).
	MaxConnections int `toml:"max_connections"`
	// MaxPerAddress is the most of them that one address (IPv6: one /64) may have; it does not hold for TrustedProxies.
	MaxPerAddress int `toml:"max_per_address"`
	// TrustedProxies are the addresses (or networks) of reverse proxies whose X-Forwarded-For is believed.
	TrustedProxies []string `toml:"trusted_proxies"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{Listen: []string{":5443"}, Local: "127.0.0.1:5280", MaxConnections: 20_000, MaxPerAddress: 1000}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxConnections < 1 || c.MaxConnections > 1_000_000 {
		return fmt.Errorf("max_connections: %d is not within 1–1000000", c.MaxConnections)
	}
	if c.MaxPerAddress < 1 || c.MaxPerAddress > 1_000_000 {
		return fmt.Errorf("max_per_address: %d is not within 1–1000000", c.MaxPerAddress)
	}
	if _, err := parseNetworks(c.TrustedProxies); err != nil {
		return fmt.Errorf("trusted_proxies: %w", err)
	}
	if c.URL == "" {
		return nil
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Path != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("url: %q is not like https://chat.example", c.URL)
	}
	return nil
}

// Public is the address at which browsers reach the server, without a slash at the end.
func (c Config) Public(domain string) string {
	if c.URL != "" || len(c.Listen) == 0 {
		return c.URL
	}
	_, port, err := net.SplitHostPort(c.Listen[0])
	if n, e := strconv.Atoi(port); err != nil || e != nil || n == 443 || n == 0 {
		return "https://" + domain
	}
	return "https://" + net.JoinHostPort(domain, port)
}

// Host is the host of URL, "" if there is none.
func (c Config) Host() string {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// How long a client may take, to send and to take what it is answered. Uploads and downloads are long: their handlers set deadlines of
// their own.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	bodyTimeout    = 30 * time.Second
	answerTimeout  = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// Door is the HTTP door.
type Door struct {
	cfg     Config
	log     *slog.Logger
	proxies []netip.Prefix
	mux     *http.ServeMux // public
	local   *http.ServeMux
	metrics *metrics
	ready   atomic.Bool
	serving sync.WaitGroup

	mu      sync.Mutex // guards what follows
	servers []*http.Server
	bound   []net.Addr
}

// New makes the door; registry is what /metrics shows.
func New(cfg Config, registry *prometheus.Registry, log *slog.Logger) (*Door, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("http configuration: %w", err)
	}
	proxies, err := parseNetworks(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	d := &Door{cfg: cfg, log: log.With("part", "httpd"), proxies: proxies, mux: http.NewServeMux(), local: http.NewServeMux(), metrics: newMetrics()}
	d.local.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: headerTimeout}))
	d.local.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	d.local.HandleFunc("GET /readyz", d.readiness)
	return d, nil
}

// Mux is where features put their pages.
func (d *Door) Mux() *http.ServeMux { return d.mux }

// SetReady says what /readyz answers: 200 when ready, else 503.
func (d *Door) SetReady(ready bool) { d.ready.Store(ready) }

func (d *Door) readiness(w http.ResponseWriter, _ *http.Request) {
	if !d.ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// Addresses are those that the door listens at, HTTPS first; empty before Listen.
func (d *Door) Addresses() []net.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bound
}

// Listen opens the listeners and answers on them until Close. tlsConfig is cloned.
func (d *Door) Listen(tlsConfig *tls.Config) error {
	public := d.server(d.guard(d.mux))
	for _, address := range d.cfg.Listen {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return errors.Join(fmt.Errorf("listen for https: %w", err), d.abort())
		}
		secure := tlsConfig.Clone()
		secure.NextProtos = append([]string{"h2", "http/1.1"}, secure.NextProtos...)
		d.serve(public, tls.NewListener(limit(listener, d.cfg.MaxConnections, d.share), secure))
	}
	if d.cfg.Local == "" {
		return nil
	}
	listener, err := net.Listen("tcp", d.cfg.Local)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for metrics and health: %w", err), d.abort())
	}
	d.serve(d.server(d.local), limit(listener, 64, nil))
	return nil
}

func (d *Door) server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
}

func (d *Door) serve(server *http.Server, listener net.Listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bound = append(d.bound, listener.Addr())
	if len(d.servers) == 0 || d.servers[len(d.servers)-1] != server {
		d.servers = append(d.servers, server)
	}
	d.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("http listener ended", "address", listener.Addr().String(), "err", err)
		}
	})
}

func (d *Door) abort() error { return d.Close(context.Background()) }

// Close stops listening and waits for the requests under way until ctx ends; then it cuts them off.
func (d *Door) Close(ctx context.Context) error {
	d.mu.Lock()
	servers := d.servers
	d.servers = nil
	d.mu.Unlock()
	var errs []error
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	d.serving.Wait()
	return errors.Join(errs...)
}

// Collectors are the door's figures for Prometheus.
func (d *Door) Collectors() []prometheus.Collector { return d.metrics.all() }

// guard is around all public pages: it counts, sets the headers that keep browsers safe, bounds the time that a body may take, and
// survives a panic.
func (d *Door) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		d.setHeaders(w.Header(), r)
		r.RemoteAddr = d.client(r)
		control := http.NewResponseController(w)
		if err := control.SetReadDeadline(began.Add(bodyTimeout)); err != nil {
			d.log.Debug("no read deadline", "err", err)
		}
		if err := control.SetWriteDeadline(began.Add(answerTimeout)); err != nil {
			d.log.Debug("no write deadline", "err", err)
		}
		counting := &counter{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				counting.failed = true
				d.log.Error("panic in a page", "path", r.Pattern, "panic", p, "stack", string(debug.Stack()))
				if counting.status == 0 {
					http.Error(counting, "internal error", http.StatusInternalServerError)
				}
			}
			d.metrics.count(r.Method, counting, time.Since(began))
		}()
		next.ServeHTTP(counting, r)
	})
}

// setHeaders are the defaults; a page that needs others replaces them.
func (d *Door) setHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.TLS != nil && !onlyHere(r.Host) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// onlyHere reports whether a host is this machine's alone: what is told of localhost would bind every other program there.
func onlyHere(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}
