package httpd

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// door listens on free ports with a certificate that the returned client trusts.
func door(t *testing.T, change func(*Config)) (*Door, *http.Client) {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Listen, cfg.Local = []string{"127.0.0.1:0"}, "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	registry := prometheus.NewRegistry()
	d, err := New(cfg, registry, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	registry.MustRegister(d.Collectors()...)
	lender := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	defer lender.Close()
	if err := d.Listen(&tls.Config{Certificates: lender.TLS.Certificates}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(t.Context()); err != nil {
			t.Log(err)
		}
	})
	return d, lender.Client()
}

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestPagesAreGuarded(t *testing.T) {
	d, client := door(t, nil)
	d.Mux().HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	d.Mux().HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("oh") })
	base := "https://" + d.Addresses()[0].String()
	response, body := get(t, client, base+"/hello")
	if response.StatusCode != 200 || body != "hello" {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if got := response.Header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	for host, want := range map[string]string{"chat.example": "max-age=31536000", "localhost:5443": "", "127.0.0.1": ""} {
		request, err := http.NewRequest(http.MethodGet, base+"/hello", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.Header.Get("Strict-Transport-Security") != want {
			t.Errorf("%s: %q", host, response.Header.Get("Strict-Transport-Security"))
		}
	}
	if !strings.Contains(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("no content security policy")
	}
	if response, _ := get(t, client, base+"/panic"); response.StatusCode != 500 {
		t.Errorf("panic: %d", response.StatusCode)
	}
	if response, _ := get(t, client, base+"/metrics"); response.StatusCode != 404 {
		t.Errorf("the metrics are public: %d", response.StatusCode)
	}
	local := "http://" + d.Addresses()[1].String()
	if _, body := get(t, client, local+"/metrics"); !strings.Contains(body, `palabre_httpd_requests_total{class="5xx",method="GET"} 1`) {
		t.Errorf("metrics:\n%s", body)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	d, client := door(t, nil)
	local := "http://" + d.Addresses()[1].String()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		if response, _ := get(t, client, local+path); response.StatusCode != want {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	d.SetReady(true)
	if response, _ := get(t, client, local+"/readyz"); response.StatusCode != 200 {
		t.Errorf("ready: %d", response.StatusCode)
	}
}

func TestClientAddressBehindProxies(t *testing.T) {
	d, err := New(Config{MaxConnections: 1, MaxPerAddress: 1, TrustedProxies: []string{"10.0.0.0/8", "192.0.2.1"}}, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:55", "198.51.100.1", "203.0.113.9:55"}, // not a proxy: not believed
		{"10.1.2.3:55", "198.51.100.1", "198.51.100.1:0"},
		{"192.0.2.1:55", "6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1:0"}, // what comes before is the client's own invention
		{"10.1.2.3:55", "", "10.1.2.3:55"},
		{"10.1.2.3:55", "198.51.100.1, nonsense", "10.1.2.3:55"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := d.client(r); got != c.want {
			t.Errorf("%s for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

// TestShareOfConnections has one address take all that it may: it gets no more until it lets one go, and a proxy is not held to it.
func TestShareOfConnections(t *testing.T) {
	d, _ := door(t, func(cfg *Config) { cfg.MaxPerAddress = 2 })
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", d.Addresses()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	open := func(conn net.Conn) bool {
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // the certificate is not what is tested
		return secure.HandshakeContext(t.Context()) == nil
	}
	first, second := dial(), dial()
	if !open(first) || !open(second) {
		t.Fatal("not let in")
	}
	if open(dial()) {
		t.Error("a third connection was let in")
	}
	first.Close()
	for !open(dial()) { // the server hears of the end a moment later
		if t.Context().Err() != nil {
			t.Fatal("no room was made")
		}
	}
	proxied, _ := door(t, func(cfg *Config) { cfg.MaxPerAddress, cfg.TrustedProxies = 1, []string{"127.0.0.1"} })
	d = proxied
	for range 2 {
		if !open(dial()) {
			t.Error("a proxy has no more than one connection")
		}
	}
}

// TestSlowReaderIsCutOff has a client ask for much and take nothing.
func TestSlowReaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := New(DefaultConfig(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		d.Mux().HandleFunc("GET /much", func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		})
		server, client := net.Pipe()
		listener := &one{conn: server, closed: make(chan struct{})}
		s := d.server(d.guard(d.mux))
		go s.Serve(listener)
		if _, err := io.WriteString(client, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := <-ended; err == nil || time.Since(began) > answerTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		client.Close()
		s.Close()
	})
}

// one is a listener with one connection.
type one struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *one) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *one) Close() error   { close(l.closed); return nil }
func (l *one) Addr() net.Addr { return &net.TCPAddr{} }

func TestPublicAddress(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{DefaultConfig(), "https://chat.example:5443"},
		{Config{Listen: []string{"[::]:443"}}, "https://chat.example"},
		{Config{Listen: []string{":5443"}, URL: "https://talk.example"}, "https://talk.example"},
		{Config{}, ""},
	} {
		if got := c.cfg.Public("chat.example"); got != c.want {
			t.Errorf("%+v: %s", c.cfg, got)
		}
	}
	for _, bad := range []string{"chat.example", "https://chat.example/", "ftp://chat.example"} {
		if (Config{MaxConnections: 1, URL: bad}).Validate() == nil {
			t.Errorf("url %s is taken", bad)
		}
	}
}
