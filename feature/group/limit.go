package group

import (
	"sync"
	"time"
)

// How often one account may do something within a minute.
const (
	maxJoins   = 30 // into one group
	maxTokens  = 10 // tries of invitation links
	maxLetters = 60 // invitations, their refusals, requests
	maxCounted = 50_000

	maxStrangers = 1000 // people who are invited within an hour by somebody whom they do not know
)

// limiter counts who does something how often, anew every minute.
type limiter struct {
	mu    sync.Mutex // guards what follows
	since time.Time
	count map[string]int
}

// allow counts one more and reports whether it is not too much. More than maxCounted who do so in a minute are not told apart from a flood.
func (l *limiter) allow(who string, most int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil || now.Sub(l.since) >= time.Minute {
		l.since, l.count = now, map[string]int{}
	}
	if _, known := l.count[who]; !known && len(l.count) >= maxCounted || l.count[who] >= most {
		return false
	}
	l.count[who]++
	return true
}
