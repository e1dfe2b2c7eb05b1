package pay

import (
	"sync"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// How often one account may ask for what others are told of and nobody has signed: so many at once, then one each time that a pace has passed.
const (
	asksAtOnce = 100
	askPace    = 6 * time.Second
	maxPaced   = 10_000 // accounts that are remembered before those are forgotten that may ask as much as anybody
)

// paced are the requests that are counted. Payments are not: each is signed, and bounded by what its payer has.
var paced = map[string]bool{"request": true, "decline": true, "cancel": true, "remind": true, "split": true, "dispute": true, "evidence": true, "settle": true, "agree": true}

// pace bounds how often accounts ask.
type pace struct {
	mu     sync.Mutex
	atOnce int
	until  map[string]time.Time // when what an account has asked is worked off
}

func newPace(atOnce int) *pace { return &pace{atOnce: atOnce, until: map[string]time.Time{}} }

// ask counts a request, or says how long to wait for it.
func (p *pace) ask(account string, now time.Time) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.until[account]
	if until.Before(now) {
		until = now
	}
	until = until.Add(askPace)
	if wait = until.Sub(now) - time.Duration(p.atOnce)*askPace; wait > 0 {
		return wait
	}
	p.until[account] = until
	if len(p.until) > maxPaced {
		for other, until := range p.until {
			if !until.After(now) {
				delete(p.until, other)
			}
		}
	}
	return 0
}

// mayAskNow refuses who asks too often, for a while.
func (s *Service) mayAskNow(account xmpp.JID, what string) error {
	if !paced[what] {
		return nil
	}
	now := s.now()
	if wait := s.asking.ask(account.String(), now); wait > 0 {
		return refusal(xmpp.ResourceConstraint, "wait", "until", intent.FormatTime(now.Add(wait+time.Second-1).UTC().Truncate(time.Second)))
	}
	return nil
}
