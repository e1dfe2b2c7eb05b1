package c2s

import (
	"sync"
	"time"

	"palabre.dev/palabre/core"
)

// Limits of what is written at once, and after how many stanzas the client is asked for an acknowledgement though more follow.
const (
	maxBatch      = 256
	maxBatchBytes = 64 << 10
	askAfter      = 50
)

// askPause is how long a client that was just asked is not asked again for what was said in a group: that is in the group's log, nobody is told
// when it is lost, and in a lively group the answers would cost as much as the messages. Twice that later it is asked in any case.
const askPause = time.Second

var askBytes = []byte("<r xmlns='" + nsSM + "'/>")

// patient reports whether a delivery is one whose acknowledgement nobody waits for: what all in a group get.
func patient(d *core.Delivery) bool { return len(d.Head) > 0 }

// askNow says whether an <r/> goes with this batch: when nothing more follows, or after many; never two at once. s.mu is held.
func (s *session) askNow() bool {
	m := &s.managed
	if !m.on || m.asked || m.unasked == 0 || len(s.queue) > 0 && m.unasked < askAfter || !s.worthAsking() {
		return false
	}
	s.ask()
	return true
}

// worthAsking reports whether somebody waits for what the client was not asked for, or it was not asked lately, or that is much; s.mu is held.
func (s *session) worthAsking() bool {
	return s.managed.urgent || !s.managed.lately || s.managed.unasked >= askAfter
}

// ask notes that an <r/> goes out; s.mu is held.
func (s *session) ask() {
	m := &s.managed
	if !m.urgent && !m.lately {
		m.lately = true
		s.door.asking.add(s)
	}
	m.asked, m.unasked, m.urgent = true, 0, false
}

// askAgain asks for what was written while the client owed an <a/>, unless a batch follows that does; s.mu is held.
func (s *session) askAgain() {
	if s.managed.unasked > 0 && s.conn != nil && len(s.queue) == 0 && s.worthAsking() {
		s.ask()
		s.push(core.Delivery{Bytes: askBytes})
	}
}

// asking are the sessions that were asked lately for what was said in groups.
type asking struct {
	mu       sync.Mutex // guards sessions; taken within a session's
	sessions []*session
}

// add notes a session, once, and has it looked at after a pause.
func (a *asking) add(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions = append(a.sessions, s)
	if len(a.sessions) == 1 {
		time.AfterFunc(askPause, s.door.lookAtAsked)
	}
}

// lookAtAsked goes through the sessions that were asked lately.
func (d *Door) lookAtAsked() {
	if !d.works() {
		return
	}
	defer d.work.Done()
	a := &d.asking
	a.mu.Lock()
	all := a.sessions
	a.sessions = nil
	a.mu.Unlock()
	for _, s := range all {
		s.lookAtAsked()
	}
}

// lookAtAsked forgets that the session was asked lately if nothing has come since. Otherwise it is asked with the next delivery, and if none
// has come until the next look, alone.
func (s *session) lookAtAsked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.managed
	if s.ended || s.conn == nil || !m.on || m.unasked == 0 {
		m.lately = false
		return
	}
	switch {
	case m.asked:
	case m.urgent:
		s.askAgain()
	default:
		m.urgent = true
	}
	s.door.asking.add(s)
}
