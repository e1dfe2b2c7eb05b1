package archive

import (
	"sync"
	"time"

	"palabre.dev/palabre/xmpp"
)

// What reading the archive costs, beyond pages, which the index leads to: counting looks at every entry's place in the index, a full address
// at the messages themselves. Each request is bounded, and so is what one account may ask for.
const (
	maxCounted = 1_000_000 // entries that are counted; a larger number is told as this one (XEP-0059 §2.7)
	maxLooked  = 20_000    // messages that are looked at for one page of a full address
	lookCost   = 20        // of looking at a message, where counting an entry costs 1

	allowRate    = 200_000   // what an account may spend in a second for long
	allowBurst   = 2_000_000 // and at once
	allowReserve = 100_000   // what a request is taken to cost until it is done: with the burst, at most 20 of one account at once

	maxSpenders = 10_000 // accounts whose spending is remembered
)

// allowance keeps any account from making the database work for it alone.
type allowance struct {
	mu    sync.Mutex // guards spent
	spent map[int64]spending
}

// spending is what an account has spent until a time and not yet been given back.
type spending struct {
	cost float64
	at   time.Time
}

// begin lets an account begin a request of unknown cost. It returns xmpp.ResourceConstraint (to wait) if the account has spent too much.
func (a *allowance) begin(account int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	cost := a.now(account, now)
	if cost > allowBurst-allowReserve {
		return xmpp.ResourceConstraint.Because("too many searches at once; wait a few seconds")
	}
	a.set(account, cost+allowReserve, now)
	return nil
}

// end notes what a request has cost.
func (a *allowance) end(account int64, cost int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.set(account, a.now(account, now)+float64(cost-allowReserve), now)
}

// now is what an account has spent; a.mu is held.
func (a *allowance) now(account int64, now time.Time) float64 {
	s := a.spent[account]
	return max(0, s.cost-now.Sub(s.at).Seconds()*allowRate)
}

// set notes what an account has spent; a.mu is held.
func (a *allowance) set(account int64, cost float64, now time.Time) {
	if cost <= 0 {
		delete(a.spent, account)
		return
	}
	if a.spent == nil {
		a.spent = map[int64]spending{}
	}
	if len(a.spent) >= maxSpenders {
		a.forget(now)
	}
	a.spent[account] = spending{cost, now}
}

// forget makes room: first for those who have got all back, else for anybody; a.mu is held.
func (a *allowance) forget(now time.Time) {
	for account := range a.spent {
		if a.now(account, now) == 0 {
			delete(a.spent, account)
		}
	}
	for account := range a.spent {
		if len(a.spent) < maxSpenders {
			return
		}
		delete(a.spent, account)
	}
}
