package pay

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// Rates are how often one account may ask for something. What it may ask by links is counted apart, so that nobody who has a link is in its way.
type Rates struct {
	// Ask (how many at once, and after how long it may be one more each time) is for what others are told of and nobody has signed: requests, splits, reminders, disputes.
	Ask Rate `toml:"ask"`
	// Series is for recurring requests to one and the same person.
	Series Rate `toml:"series"`
	// Pay is for payments; those that are refused count as well, what was answered for good before does not.
	Pay Rate `toml:"pay"`
	// Promise is for payments without network that whoever was promised them hands in: a shop, all of a day without network at once.
	Promise Rate `toml:"promise"`
	// Order is for orders about keys and limits.
	Order Rate `toml:"order"`
	// Key is for keys that are added.
	Key Rate `toml:"key"`
	// Unlock is for PINs, right or wrong.
	Unlock Rate `toml:"unlock"`
	// Cashin is for money that is to come in by a network outside.
	Cashin Rate `toml:"cashin"`
}

// Rate is how often something may be done: AtOnce (1 to 100,000), then one more Every (a millisecond to 31 days). What may be done at once is worked off within ten years. It
// is written "120/1s".
type Rate struct {
	AtOnce int
	Every  time.Duration
}

// MarshalText writes a rate. It does not fail.
func (r Rate) MarshalText() ([]byte, error) {
	every := r.Every.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(every, nothing) {
			every = every[:len(every)-2]
		}
	}
	return fmt.Appendf(nil, "%d/%s", r.AtOnce, every), nil
}

// UnmarshalText reads a rate.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	atOnce, every, found := strings.Cut(string(text), "/")
	if !found {
		return fmt.Errorf("a rate is written 120/1s: %q", text)
	}
	if r.AtOnce, err = strconv.Atoi(strings.TrimSpace(atOnce)); err != nil {
		return fmt.Errorf("a rate is written 120/1s: %w", err)
	}
	if r.Every, err = time.ParseDuration(strings.TrimSpace(every)); err != nil {
		return fmt.Errorf("a rate is written 120/1s: %w", err)
	}
	return r.validate()
}

func (r Rate) validate() error {
	if r.AtOnce < 1 || r.AtOnce > maxAtOnce || r.Every < minEvery || r.Every > maxEvery {
		return fmt.Errorf("a rate is 1 to %d, then one more every %s to %s", maxAtOnce, minEvery, maxEvery)
	}
	if time.Duration(r.AtOnce) > maxWorkedOff/r.Every { // the product itself could be more than a number holds
		return fmt.Errorf("a rate of %d at once is worked off in at most %s, one every %s: this takes longer", r.AtOnce, maxWorkedOff, r.Every)
	}
	return nil
}

const (
	maxAtOnce    = 100_000
	minEvery     = time.Millisecond
	maxEvery     = 31 * day
	maxWorkedOff = 3660 * day
	maxPaced     = 20_000       // who has asked by one rate and is remembered: at most about 5 MB for each rate
	pacedForgot  = maxPaced / 8 // that are forgotten at least when there is no place, so that it is looked for once in so many new ones
)

// defaultRates are more than people need, and less than a flood.
func defaultRates() Rates {
	return Rates{Ask: Rate{100, 6 * time.Second}, Series: Rate{5, day}, Pay: Rate{120, time.Second}, Promise: Rate{1000, 100 * time.Millisecond}, Order: Rate{20, time.Minute}, Key: Rate{10, 10 * time.Minute},
		Unlock: Rate{60, 5 * time.Second}, Cashin: Rate{10, 2 * time.Minute}}
}

// of is the rate of a request that sets something, nil for one that is not counted.
func (r *Rates) of(what string) *Rate {
	switch what {
	case "request", "decline", "cancel", "remind", "split", "dispute", "evidence", "settle":
		return &r.Ask
	case "pay":
		return &r.Pay
	case "promise":
		return &r.Promise
	case "order":
		return &r.Order
	case "key":
		return &r.Key
	case "unlock":
		return &r.Unlock
	case "cashin":
		return &r.Cashin
	}
	return nil
}

func (r *Rates) validate() error {
	for _, one := range []Rate{r.Ask, r.Series, r.Pay, r.Promise, r.Order, r.Key, r.Unlock, r.Cashin} {
		if err := one.validate(); err != nil {
			return fmt.Errorf("rates: %w", err)
		}
	}
	return nil
}

// pace bounds how often accounts ask. Of each rate it remembers who has asked, apart from the others: what is worked off in a day takes no place from what is in seconds.
type pace struct {
	mu    sync.Mutex
	until map[*Rate]map[string]time.Time // when what somebody (an account, with whom the series is for, or by a link) has asked is worked off; guarded by mu
}

func newPace() *pace { return &pace{until: map[*Rate]map[string]time.Time{}} }

// ask counts a request, or says how long to wait for it.
func (p *pace) ask(rate *Rate, who string, now time.Time) (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.until[rate]
	if all == nil {
		all = map[string]time.Time{}
		p.until[rate] = all
	}
	until, known := all[who]
	if until.Before(now) {
		until = now
	}
	until = until.Add(rate.Every)
	if wait = until.Sub(now) - time.Duration(rate.AtOnce)*rate.Every; wait > 0 {
		return wait
	}
	if !known && len(all) >= maxPaced {
		forget(all, now)
	}
	all[who] = until
	return 0
}

// forget makes place: those go who may ask as much as anybody, and if that is not enough, those who soonest may. Nobody is refused because many others ask; whoever has used up
// what may be asked is among the last to go.
func forget(all map[string]time.Time, now time.Time) {
	maps.DeleteFunc(all, func(_ string, until time.Time) bool { return !until.After(now) })
	over := len(all) - (maxPaced - pacedForgot)
	if over <= 0 {
		return
	}
	soonest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[a].Compare(all[b]) })
	for _, who := range soonest[:over] {
		delete(all, who)
	}
}

// mayAskNow refuses who asks too often, for a while.
func (s *Service) mayAskNow(who, what string) error {
	return s.paced(s.cfg.Rates.of(what), who)
}

// mayComeAgain refuses a further recurring request of somebody to one and the same person, for a while.
func (s *Service) mayComeAgain(r *request) error {
	return s.paced(&s.cfg.Rates.Series, r.maker+" "+r.payer)
}

// paced counts something, nothing where there is no rate.
func (s *Service) paced(rate *Rate, who string) error {
	if rate == nil {
		return nil
	}
	now := s.now()
	if wait := s.asking.ask(rate, who, now); wait > 0 {
		return refusal(xmpp.ResourceConstraint, "wait", "until", intent.FormatTime(now.Add(wait+time.Second-1).UTC().Truncate(time.Second)))
	}
	return nil
}
