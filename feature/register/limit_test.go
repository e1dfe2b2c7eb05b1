package register

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter[netip.Prefix](2, time.Hour)
		home, neighbour := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff")
		for i, want := range []bool{true, true, false} {
			if got := l.allow(place(home)); got != want {
				t.Errorf("attempt %d: %v", i, got)
			}
		}
		if l.allow(place(neighbour)) {
			t.Error("another address of the same household starts anew")
		}
		if !l.allow(place(netip.MustParseAddr("2001:db8:0:1::1"))) || !l.allow(place(netip.MustParseAddr("::ffff:192.0.2.1"))) {
			t.Error("others are refused")
		}
		time.Sleep(time.Hour)
		if !l.allow(place(home)) {
			t.Error("refused after the hour")
		}
		for i := range uint32(2 * maxPlaces) {
			l.allow(place(netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})))
		}
		if len(l.places) > maxPlaces {
			t.Errorf("%d addresses remembered", len(l.places))
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
