package rail

import "time"

// Health is how a network has answered since this process began.
type Health struct {
	// Answered is when it has last answered a question, Failed when one has last failed; zero for never.
	Answered, Failed time.Time
	// Why is what the last one failed with, at most 256 bytes.
	Why string
}

// Up says whether the last question was answered. Nobody knows it of a network that was not asked.
func (h Health) Up() bool { return h.Answered.After(h.Failed) }

// Health says how a network has answered.
func (e *Engine) Health(rail string) Health {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.health[rail]
}

// noteCall notes that a network was asked, and what came of it.
func (e *Engine) noteCall(rail string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.health == nil {
		e.health = map[string]Health{}
	}
	h := e.health[rail]
	if err == nil {
		h.Answered = e.now().UTC()
	} else {
		h.Failed, h.Why = e.now().UTC(), clip(err.Error())
	}
	e.health[rail] = h
}
