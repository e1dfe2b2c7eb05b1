package c2s

import (
	"cmp"
	"slices"
	"time"

	"palabre.dev/palabre/core"
)

// How what waits for sessions is bounded: each session by itself, those without a connection more narrowly, and all together. Whoever is
// beyond a bound loses its session, never what was kept for it, and no sender waits for it.

// farewellTime is how long a session that was ended for its queue may take to receive the reason.
const farewellTime = 5 * time.Second

// bound ends the session if too much waits for it; s.mu is held.
func (s *session) bound() {
	cfg := &s.door.cfg
	s.weigh()
	if s.managed.timer == nil {
		if s.count() > cfg.MaxQueue || s.size > cfg.MaxQueueBytes {
			s.overflow("policy-violation")
		}
		return
	}
	if total := s.countDormant(s.size); s.count() > cfg.MaxDormant || s.size > cfg.MaxDormantBytes || total > int64(cfg.MaxDormantTotal) {
		s.overflow("policy-violation")
	}
}

// weighStep is how exactly the door knows what waits for a session: that of most is less, and costs no common counter anything.
const weighStep = 8 << 10

// weigh lets the door know how much waits for the session, in whole steps; s.mu is held.
func (s *session) weigh() {
	size := s.size &^ (weighStep - 1)
	if size == s.weighed {
		return
	}
	total := s.door.queued.Add(int64(size - s.weighed))
	s.weighed = size
	if total > int64(s.door.cfg.MaxQueueTotal) {
		s.door.relieve()
	}
}

// countDormant notes how many bytes wait for this session while it has no connection, and returns how many do for all such sessions; s.mu
// is held.
func (s *session) countDormant(size int) (total int64) {
	total = s.door.dormant.Add(int64(size - s.managed.dormant))
	s.managed.dormant = size
	return total
}

// overflow ends a session that does not keep up, without letting the sender wait for it; s.mu is held. Its connection may be stuck: it is
// told why if it takes that soon.
func (s *session) overflow(condition string) {
	if s.full || s.ended {
		return
	}
	s.full = true
	overflows.Inc()
	s.door.work.Add(1)
	go func() {
		defer s.door.work.Done()
		defer s.caught(nil)
		if c := s.finish(); c != nil {
			c.stop(&streamError{condition: condition, text: "too much waits for you"})
			time.AfterFunc(farewellTime, c.abort)
		}
	}()
}

// relieve begins to end the sessions for which most waits, unless somebody is doing so.
func (d *Door) relieve() {
	if d.relieving.CompareAndSwap(false, true) {
		d.work.Add(1)
		go d.endLargest()
	}
}

// endLargest ends sessions, the largest first, until an eighth of what may wait for all is free.
func (d *Door) endLargest() {
	defer d.work.Done()
	defer d.relieving.Store(false)
	type one struct {
		session *session
		size    int
	}
	var all []one
	total := 0
	d.server.EachSession(func(begun *core.Session) {
		s := d.bound.Get(begun)
		if s == nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.weighed > 0 && !s.full && !s.ended {
			all, total = append(all, one{s, s.weighed}), total+s.weighed
		}
	})
	slices.SortFunc(all, func(a, b one) int { return cmp.Compare(b.size, a.size) })
	enough := d.cfg.MaxQueueTotal - d.cfg.MaxQueueTotal/8
	for _, largest := range all {
		if total <= enough {
			return
		}
		total -= largest.size
		largest.session.mu.Lock()
		largest.session.overflow("resource-constraint")
		largest.session.mu.Unlock()
	}
}
