package linkcard

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
)

// Addresses of the test's internet.
var (
	outsideAddress = netip.MustParseAddr("192.0.2.10")
	ownAddress     = netip.MustParseAddr("192.0.2.99")
)

// web is an internet of the test's own: every site is the one test server, whatever the address that is called, and which are called is noted.
type web struct {
	*site
	mu     sync.Mutex // guards what follows
	names  map[string][][]netip.Addr
	called []string
}

// newWeb has the handler answer for all sites. A name that is not among names is outside.
func newWeb(t *testing.T, handler http.HandlerFunc) *web {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w := &web{site: newSite(false), names: map[string][][]netip.Addr{}}
	w.own = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: ownAddress.AsSlice(), Mask: net.CIDRMask(24, 32)}}, nil
	}
	w.lookup = w.resolves
	w.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		w.mu.Lock()
		w.called = append(w.called, address)
		w.mu.Unlock()
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, server.Listener.Addr().String())
	}
	return w
}

// named says what a name gives, one lookup after the other; the last one holds.
func (w *web) named(name string, answers ...[]netip.Addr) { w.names[name] = answers }

func (w *web) resolves(_ context.Context, host string) ([]netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	answers := w.names[host]
	if len(answers) == 0 {
		return []netip.Addr{outsideAddress}, nil
	}
	if len(answers) > 1 {
		w.names[host] = answers[1:]
	}
	return slices.Clone(answers[0]), nil
}

// calls are the addresses that were called since the last time.
func (w *web) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.called
	w.called = nil
	return out
}

func ips(texts ...string) (out []netip.Addr) {
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

// says answers with a page.
func says(w http.ResponseWriter, page string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := w.Write([]byte(page)); err != nil {
		panic(http.ErrAbortHandler)
	}
}
