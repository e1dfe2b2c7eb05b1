package register

import (
	"net/netip"
	"sync"
	"time"
)

// maxPlaces bounds the addresses, or accounts, that a limiter remembers.
const maxPlaces = 10_000

// limiter allows each address, or account, so many things in a period.
type limiter[K comparable] struct {
	most   int
	period time.Duration

	mu     sync.Mutex // guards what follows
	places map[K]tally
	swept  time.Time
}

type tally struct {
	count int
	since time.Time
}

func newLimiter[K comparable](most int, period time.Duration) *limiter[K] {
	return &limiter[K]{most: most, period: period, places: map[K]tally{}}
}

// place is what counts as one address: a household has a /64 of IPv6.
func place(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}

func (l *limiter[K]) allow(at K) bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.places[at]
	if t.count == 0 || now.Sub(t.since) >= l.period {
		t = tally{since: now}
	}
	if t.count >= l.most {
		return false
	}
	t.count++
	if len(l.places) >= maxPlaces {
		l.forget(now)
	}
	l.places[at] = t
	return true
}

// giveBack undoes allow for something that did not come about.
func (l *limiter[K]) giveBack(at K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.places[at]; t.count > 0 {
		t.count--
		l.places[at] = t
	}
}

// sweepInterval is how often the whole memory is looked through at most.
const sweepInterval = time.Minute

// forget makes room: what is over, if that was not looked for a moment ago, else anything.
func (l *limiter[K]) forget(now time.Time) {
	if now.Sub(l.swept) >= sweepInterval {
		l.swept = now
		for at, t := range l.places {
			if now.Sub(t.since) >= l.period {
				delete(l.places, at)
			}
		}
	}
	for at := range l.places {
		if len(l.places) < maxPlaces {
			return
		}
		delete(l.places, at)
	}
}
