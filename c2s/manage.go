package c2s

import (
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

func smFailed(condition string) *xmpp.Element {
	return xmpp.NewElement(nsSM, "failed", xmpp.NewElement(xmpp.NSStanzas, condition))
}

// enable turns stream management on (XEP-0198 §3) and returns the answer, which must be the next thing that the client gets.
func (s *session) enable(request *xmpp.Element) *xmpp.Element {
	s.core.Idle() // what came before does not count
	s.handled.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enableHere(request)
}

// enableHere is enable when all that came before is handled; s.mu is held.
func (s *session) enableHere(request *xmpp.Element) *xmpp.Element {
	enabled := xmpp.NewElement(nsSM, "enabled")
	s.managed.on = true
	if s.ended {
		return enabled
	}
	if location := s.door.cfg.Location; location != "" {
		enabled.Set("location", location)
	}
	if !isTrue(request.Attr("resume")) || s.door.cfg.MaxResumeTime <= 0 {
		return enabled
	}
	s.managed.last = s.resumeTime(request.Attr("max"))
	s.managed.id = newID()
	s.door.remember(s.managed.id, s)
	return enabled.Set("id", s.managed.id).Set("resume", "true").Set("max", strconv.Itoa(int(s.managed.last/time.Second)))
}

// resumeTime is how long the session waits, given the seconds that the client would like.
func (s *session) resumeTime(wish string) time.Duration {
	cfg := s.door.cfg
	if seconds, err := strconv.ParseUint(wish, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, cfg.MaxResumeTime)
	}
	return min(cfg.ResumeTime, cfg.MaxResumeTime)
}

func isTrue(value string) bool { return value == "true" || value == "1" }

// enableNow turns stream management on for a session that is attached. What was put in the queue before is not counted.
func (s *session) enableNow(request *xmpp.Element) {
	if s.isManaged() { // XEP-0198 §3: once
		s.sendOwn(smFailed("unexpected-request").Append(nil, xmpp.NSClient))
		return
	}
	s.core.Idle() // what came before does not count
	s.handled.Store(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.enableHere(request).Append(nil, xmpp.NSClient)
	if s.ended || s.conn == nil {
		return
	}
	s.managed.early = len(s.queue) + 1
	s.push(core.Delivery{Bytes: answer})
}

func (s *session) isManaged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.managed.on
}

// ack is an <a/> for all that was handled until now.
func (s *session) ack() []byte {
	b := append(make([]byte, 0, 48), "<a xmlns='"+nsSM+"' h='"...)
	return append(strconv.AppendUint(b, uint64(s.handled.Load()), 10), "'/>"...)
}

// answerAck answers an <r/> when all that came before it is handled: only then may it be acknowledged.
func (s *session) answerAck() { s.core.After(func() { s.sendOwn(s.ack()) }) }

// countHandled is called when a stanza of the client is handled.
func (s *session) countHandled() { s.handled.Add(1) }

// acknowledge takes the client's count (XEP-0198 §4). It fails if that is more than was sent.
func (s *session) acknowledge(text string) error {
	h, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return fatal("invalid-xml", "h is not a number")
	}
	s.mu.Lock()
	count := uint32(h) - s.managed.acked // modulo 2^32
	if int64(count) > int64(len(s.written)) {
		sent := s.managed.acked + uint32(len(s.written))
		s.mu.Unlock()
		return tooHigh(uint32(h), sent)
	}
	s.managed.acked = uint32(h)
	done := s.written[:count:count]
	s.written = s.written[count:]
	if len(s.written) == 0 {
		s.written, s.managed.unasked, s.managed.urgent = nil, 0, false
	}
	s.left(done)
	s.managed.asked = false
	s.askAgain()
	s.mu.Unlock()
	if len(done) > 0 {
		s.door.server.Acked(s.core, done)
	}
	return nil
}

func tooHigh(h, sent uint32) error {
	detail := xmpp.NewElement(nsSM, "handled-count-too-high").
		Set("h", strconv.FormatUint(uint64(h), 10)).Set("send-count", strconv.FormatUint(uint64(sent), 10))
	return &streamError{condition: "undefined-condition", text: "acknowledged more than was sent", detail: detail}
}
