package linkcard

import (
	"sync"
	"time"
)

// question is what one account asked. Answers are not shared between accounts: from how soon one comes somebody could learn what others ask for.
type question struct {
	account int64
	address string
}

// finding is what was found: a card, or that there is none.
type finding struct {
	card   card
	failed bool
}

// memory is what was found lately. It is swept, so that nothing stays in it that nobody asks for any more.
type memory struct {
	mu    sync.Mutex // guards known
	known map[question]dated
}

type dated struct {
	finding
	until time.Time
}

func newMemory() *memory { return &memory{known: map[question]dated{}} }

// recall gives what was found, if that is not too long ago.
func (m *memory) recall(asked question, now time.Time) (finding, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.known[asked]
	return found.finding, ok && now.Before(found.until)
}

// remember keeps what was found; when there is no room the one goes whose time is over first.
func (m *memory) remember(asked question, found finding, now time.Time) {
	life := memoryLife
	if found.failed {
		life = failedLife
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, again := m.known[asked]; !again && len(m.known) >= maxMemory {
		delete(m.known, m.oldest())
	}
	m.known[asked] = dated{found, now.Add(life)}
}

func (m *memory) oldest() (first question) {
	var until time.Time
	for asked, found := range m.known {
		if until.IsZero() || found.until.Before(until) {
			first, until = asked, found.until
		}
	}
	return first
}

// sweep forgets all whose time is over.
func (m *memory) sweep(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for asked, found := range m.known {
		if !now.Before(found.until) {
			delete(m.known, asked)
		}
	}
}
