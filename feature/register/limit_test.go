package register

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core/rate"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := rate.New[netip.Prefix](2, time.Hour)
		home, neighbour := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff")
		for i, want := range []bool{true, true, false} {
			if got := l.Allow(place(home)); got != want {
				t.Errorf("attempt %d: %v", i, got)
			}
		}
		if l.Allow(place(neighbour)) {
			t.Error("another address of the same household starts anew")
		}
		if !l.Allow(place(netip.MustParseAddr("2001:db8:0:1::1"))) || !l.Allow(place(netip.MustParseAddr("::ffff:192.0.2.1"))) {
			t.Error("others are refused")
		}
		time.Sleep(time.Hour)
		if !l.Allow(place(home)) {
			t.Error("refused after the hour")
		}
	})
}

func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token := newToken()
		if len(token) != 26 || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
	}
}
