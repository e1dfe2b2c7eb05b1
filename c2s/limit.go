package c2s

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// maxRemembered bounds the addresses whose failures are remembered at once.
const maxRemembered = 1 << 16

// limits keeps any address from taking more than its share.
type limits struct {
	cfg Config

	mu       sync.Mutex // guards what follows
	perPlace map[netip.Prefix]int
	guests   list.List // of *connection, oldest first
	failures map[netip.Prefix]failure
}

// failure counts failed logins since a time.
type failure struct {
	count int
	since time.Time
}

func newLimits(cfg Config) *limits {
	return &limits{cfg: cfg, perPlace: map[netip.Prefix]int{}, failures: map[netip.Prefix]failure{}}
}

// place is what counts as one address: a household has a /64 of IPv6.
func place(address netip.Addr) netip.Prefix {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.Prefix(bits)
	if err != nil { // no address, as with a pipe
		return netip.Prefix{}
	}
	return prefix
}

// enter counts a new connection among the guests, and reports whether it may come in.
func (l *limits) enter(c *connection) bool {
	at := place(c.address)
	l.mu.Lock()
	if at.IsValid() && l.perPlace[at] >= l.cfg.MaxPerAddress {
		l.mu.Unlock()
		return false
	}
	l.perPlace[at]++
	c.guestAt = l.guests.PushBack(c)
	var oldest *connection
	if l.guests.Len() > l.cfg.MaxGuests {
		oldest = l.guests.Remove(l.guests.Front()).(*connection)
		oldest.guestAt = nil
	}
	l.mu.Unlock()
	if oldest != nil {
		refused.WithLabelValues("guests").Inc()
		oldest.abort()
	}
	return true
}

// admit takes a connection out of the guests: it has logged in.
func (l *limits) admit(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.guestAt != nil {
		l.guests.Remove(c.guestAt)
		c.guestAt = nil
	}
}

func (l *limits) leave(c *connection) {
	at := place(c.address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.guestAt != nil {
		l.guests.Remove(c.guestAt)
		c.guestAt = nil
	}
	if l.perPlace[at]--; l.perPlace[at] <= 0 {
		delete(l.perPlace, at)
	}
}

func (l *limits) countGuests() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.guests.Len()
}

// blocked reports whether too many logins from an address have failed lately.
func (l *limits) blocked(address netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.failures[place(address)]
	return ok && f.count >= l.cfg.MaxFailures && time.Since(f.since) < l.cfg.FailureWindow
}

// failed notes a failed login.
func (l *limits) failed(address netip.Addr) {
	at, now := place(address), time.Now()
	if !at.IsValid() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.failures[at]
	if f.count == 0 || now.Sub(f.since) >= l.cfg.FailureWindow {
		f = failure{since: now}
	}
	f.count++
	if len(l.failures) >= maxRemembered {
		l.forgetOld(now)
	}
	l.failures[at] = f
}

// forgetOld makes room: first what is over, else anything.
func (l *limits) forgetOld(now time.Time) {
	for at, f := range l.failures {
		if now.Sub(f.since) >= l.cfg.FailureWindow {
			delete(l.failures, at)
		}
	}
	for at := range l.failures {
		if len(l.failures) < maxRemembered {
			return
		}
		delete(l.failures, at)
	}
}

// pace lets a rate through for long and a burst of one second at once.
type pace struct {
	stanzas, bytes float64 // debt in seconds
	at             time.Time
}

// add counts one element that was awaited since now, and says how long to wait before the next is read.
func (p *pace) add(now time.Time, size int, cfg *Config) time.Duration {
	passed := now.Sub(p.at).Seconds()
	p.at = now
	wait := 0.0
	if cfg.StanzaRate > 0 {
		p.stanzas = max(0, p.stanzas-passed) + 1/float64(cfg.StanzaRate)
		wait = p.stanzas - 1
	}
	if cfg.ByteRate > 0 {
		p.bytes = max(0, p.bytes-passed) + float64(size)/float64(cfg.ByteRate)
		wait = max(wait, p.bytes-1)
	}
	if wait < 0.001 {
		return 0
	}
	return time.Duration(wait * float64(time.Second))
}
