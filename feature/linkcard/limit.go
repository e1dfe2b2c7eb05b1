package linkcard

import (
	"context"
	"time"

	"palabre.dev/palabre/xmpp"
)

const (
	perAccount = 2                // pages that are read at once for one account
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
	case !f.asked.Allow(account):
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
