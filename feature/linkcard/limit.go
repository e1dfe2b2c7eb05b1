package linkcard

import (
	"context"
	"time"

	"palabre.dev/palabre/xmpp"
)

const (
	perAccount = 2                // pages that are read at once for one account
	maxTallies = 10_000           // accounts whose requests are counted
	maxMemory  = 200              // answers that are remembered, of at most about 35 KB each
	memoryLife = 10 * time.Minute // of an answer
	failedLife = time.Minute      // of an answer that there is no card

	// sweepInterval is how often what is over is taken out of memory.
	sweepInterval = time.Minute
)

// flight is one page that is being read.
type flight struct {
	account int64
	cancel  context.CancelFunc
}

// begin lets an account have one more page read, or says which limit is reached (resource-constraint). Whoever begins calls land.
func (f *Feature) begin(account int64, cancel context.CancelFunc) (*flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := 0
	for one := range f.flights {
		if one.account == account {
			own++
		}
	}
	switch {
	case f.ended:
		return nil, xmpp.ResourceConstraint.Because("the server stops")
	case own >= perAccount || len(f.flights) >= f.cfg.AtOnce:
		return nil, xmpp.ResourceConstraint.Because("too many pages are being read")
	case !f.tallies.allow(account, time.Now()):
		return nil, xmpp.ResourceConstraint.Because("at most %d pages in a minute", f.cfg.PerMinute)
	}
	one := &flight{account: account, cancel: cancel}
	f.flights[one] = struct{}{}
	f.work.Add(1)
	f.counts.reading.Set(float64(len(f.flights)))
	return one, nil
}

// land ends a flight.
func (f *Feature) land(one *flight) {
	one.cancel()
	f.mu.Lock()
	delete(f.flights, one)
	f.counts.reading.Set(float64(len(f.flights)))
	f.mu.Unlock()
	f.work.Done()
}

// end lets nothing begin any more, and breaks off what is being read.
func (f *Feature) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for one := range f.flights {
		one.cancel()
	}
}

// tallies count the requests of each account in a minute. They have no lock of their own.
type tallies struct {
	most  int
	since map[int64]tally
}

type tally struct {
	count int
	since time.Time
}

func newTallies(most int) *tallies { return &tallies{most: most, since: map[int64]tally{}} }

// allow counts one request, unless there were too many.
func (t *tallies) allow(account int64, now time.Time) bool {
	one := t.since[account]
	if now.Sub(one.since) >= time.Minute {
		one = tally{since: now}
	}
	if one.count >= t.most {
		return false
	}
	one.count++
	if len(t.since) >= maxTallies {
		t.makeRoom(now)
	}
	t.since[account] = one
	return true
}

// makeRoom forgets what is over, or else anything.
func (t *tallies) makeRoom(now time.Time) {
	for account, one := range t.since {
		if now.Sub(one.since) >= time.Minute {
			delete(t.since, account)
		}
	}
	for account := range t.since {
		if len(t.since) < maxTallies {
			return
		}
		delete(t.since, account)
	}
}
