// Package rate says whether somebody has done something too often: so many times in a period, for each of a bounded number of addresses or accounts. What it knows
// is in memory and begins anew with the server.
package rate

import (
	"sync"
	"time"
)

// MaxPlaces is how many addresses, or accounts, a limiter remembers; with more, some begin anew.
const MaxPlaces = 10_000

// Limiter allows each address, or account, so many things in a period. It is safe for concurrent use.
type Limiter[K comparable] struct {
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

// New allows each so many in a period, which begins with the first.
func New[K comparable](most int, period time.Duration) *Limiter[K] {
	return &Limiter[K]{most: most, period: period, places: map[K]tally{}}
}

// Allow counts one more and reports whether it is not too much.
func (l *Limiter[K]) Allow(at K) bool {
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
	if len(l.places) >= MaxPlaces {
		l.forget(now)
	}
	l.places[at] = t
	return true
}

// GiveBack undoes Allow for something that did not come about.
func (l *Limiter[K]) GiveBack(at K) {
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
func (l *Limiter[K]) forget(now time.Time) {
	if now.Sub(l.swept) >= sweepInterval {
		l.swept = now
		for at, t := range l.places {
			if now.Sub(t.since) >= l.period {
				delete(l.places, at)
			}
		}
	}
	for at := range l.places {
		if len(l.places) < MaxPlaces {
			return
		}
		delete(l.places, at)
	}
}
