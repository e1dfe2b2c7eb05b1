package c2s

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// session is the way out of one core session. It outlives its connection when the client may resume it (XEP-0198 §5).
//
// A delivery is in exactly one place: held (the client is inactive), queue, loose, written, or connection.behind; from there it goes to
// core.Acked or to core.Lost, once. Two sessions' mutexes are never held together; the door's may be taken within.
type session struct {
	door   *Door
	client client
	core   *core.Session // set before anything is written

	handled atomic.Uint32 // stanzas of the client that were handled: the h of XEP-0198 §4

	mu      sync.Mutex // guards what follows
	conn    *connection
	reader  *connection     // the last one whose stanzas were the session's; it may have ended
	serial  uint64          // of the connection that it began or went on with last
	queue   []core.Delivery // waits to be written; one without a stanza is bytes of the door's own
	loose   []core.Delivery // is being written, and counts as acknowledged then
	written []core.Delivery // was written, and is not acknowledged (only with stream management)
	size    int             // bytes of all these
	weighed int             // bytes of them that Door.queued counts
	done    uint32          // deliveries that were acknowledged until now
	looked  look
	begun   bool // it has had a connection
	ended   bool
	full    bool // too much waited: it is about to end
	held    held
	managed managed
}

// managed is the state of stream management, zero without.
type managed struct {
	on      bool
	early   int    // how many at the head of queue stand before <enabled/>, and are not counted
	id      string // to resume with; "" if that is not allowed
	acked   uint32 // how many of our stanzas the client has acknowledged
	asked   bool   // the client owes an <a/>
	unasked int    // stanzas written since the last <r/>
	urgent  bool   // somebody waits for the acknowledgement of one of these, or it has waited for long
	lately  bool   // it was asked lately for what was said in groups; then it is in Door.asking
	last    time.Duration
	timer   *time.Timer   // runs while there is no connection
	dormant int           // bytes that wait while there is no connection, as Door.dormant counts them
	slept   chan struct{} // closed when the features have been told that there is no connection
}

// maxKept is the capacity of a queue that is kept while it is empty.
const maxKept = 8

// Send puts a delivery in the queue (core.Outbox). It never waits.
func (s *session) Send(d core.Delivery) {
	s.mu.Lock()
	if s.core != nil && (s.ended || s.full) {
		s.mu.Unlock()
		if d.Kept == 0 && d.Stanza != nil && d.Stanza.Type == "groupchat" { // it is told to many, while others wait for their turn
			s.loseLater(d)
			return
		}
		s.lost([]core.Delivery{d})
		return
	}
	defer s.mu.Unlock()
	if replaced, held := s.held.take(d); held {
		s.size += d.Len() - replaced
		if s.size > s.door.cfg.MaxQueueBytes/2 { // no more can wait: what does not go out is too much before long
			s.release()
			s.kick()
		}
		s.bound()
		return
	}
	s.release()
	s.push(d)
}

// loseLater reports that a delivery was lost without making who sent it wait for what that brings about, such as a wake-up that is written.
func (s *session) loseLater(d core.Delivery) {
	s.door.work.Add(1)
	go func() {
		defer s.door.work.Done()
		defer s.caught(nil)
		s.lost([]core.Delivery{d})
	}()
}

// push puts something at the end of the queue; s.mu is held.
func (s *session) push(d core.Delivery) {
	s.size += d.Len()
	s.queue = append(s.queue, d)
	s.bound()
	s.kick()
}

// sendOwn puts bytes of the door's own in the queue: they are not counted and not kept.
func (s *session) sendOwn(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && !s.full && s.conn != nil {
		s.push(core.Delivery{Bytes: b})
	}
}

// count is how many deliveries are on their way; s.mu is held.
func (s *session) count() int { return len(s.queue) + len(s.loose) + len(s.written) + s.held.len() }

// release puts what was held back at the end of the queue; s.mu is held.
func (s *session) release() { s.queue = s.held.appendTo(s.queue) }

// kick makes sure that somebody writes; s.mu is held.
func (s *session) kick() {
	c := s.conn
	if c == nil || c.writing || len(s.queue) == 0 {
		return
	}
	c.writing = true
	s.door.work.Add(1)
	go s.write(c)
}

// attach gives the session its connection: first goes out before all that waits, and does not count. It fails if the session has
// ended meanwhile, or was taken over.
func (s *session) attach(c *connection, first ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.session, c.writing = s, false
	if s.ended || s.conn != nil && s.conn != c {
		return fatal("conflict", "another session took its place")
	}
	s.conn, s.reader, s.begun = c, c, true
	queue := make([]core.Delivery, 0, len(first)+len(s.queue))
	for _, b := range first {
		s.size += len(b)
		queue = append(queue, core.Delivery{Bytes: b})
	}
	s.queue = append(queue, s.queue...)
	s.managed.early = len(first)
	s.kick()
	return nil
}

// End closes the session with a stream error (core.Outbox). Answers that wait to be written still are: the device that removes its
// account hears that this was done (XEP-0077 §3.2).
func (s *session) End(condition, text string) {
	if c, answers := s.depart(false); c != nil {
		c.stop(&streamError{condition: condition, text: text, first: answers})
	}
}

// answers are the iqs in the queue; s.mu is held.
func (s *session) answers() (bytes [][]byte) {
	for _, d := range s.queue {
		if d.Stanza != nil && d.Stanza.Kind == xmpp.IQ {
			bytes = append(bytes, d.Whole())
		}
	}
	return bytes
}

// finish ends the session for good: all that was not acknowledged is lost. It returns the connection that the session had.
func (s *session) finish() *connection {
	c, _ := s.depart(false)
	return c
}

// depart is finish, and also gives the answers that were not written yet. With asleep it does nothing to a session that has a connection.
func (s *session) depart(asleep bool) (c *connection, answers [][]byte) {
	s.mu.Lock()
	if asleep && s.conn != nil {
		s.mu.Unlock()
		return nil, nil
	}
	if s.ended || s.core == nil {
		s.ended = true
		s.mu.Unlock()
		return nil, nil
	}
	s.ended = true
	c, answers = s.conn, s.answers()
	s.loose = s.unsettled(c)
	s.conn = nil
	s.release()
	rest := s.takeAll()
	s.countDormant(0)
	if s.managed.timer != nil {
		s.managed.timer.Stop()
		dormant.Dec()
	}
	s.mu.Unlock()
	defer s.door.server.Unbind(s.door.life, s.core) // even if a feature panics
	s.door.forget(s)
	s.lost(rest)
	return c, answers
}

// abandon ends a session that connection c has begun, or taken over, and then did not go on with.
func (s *session) abandon(c *connection) {
	s.mu.Lock()
	mine := s.conn == c || s.conn == nil && !s.begun
	s.mu.Unlock()
	if mine {
		s.finish()
	}
}

// takeAll empties the session of deliveries, oldest first; s.mu is held.
func (s *session) takeAll() []core.Delivery {
	all := append(append(s.written, s.loose...), s.queue...)
	s.written, s.loose, s.queue, s.size = nil, nil, nil, 0
	s.weigh()
	rest := all[:0]
	for _, d := range all {
		if d.Stanza != nil {
			rest = append(rest, d)
		}
	}
	return rest
}

// lost reports deliveries that the device never acknowledged.
func (s *session) lost(deliveries []core.Delivery) {
	if len(deliveries) > 0 {
		lostDeliveries.Add(float64(len(deliveries)))
		s.door.server.Lost(s.door.life, s.core, deliveries)
	}
}

// leave ends the session because its connection c has ended in order, and returns what the client is to hear last: answers, and how far
// we got. It does nothing if the session has gone on to another connection.
func (s *session) leave(c *connection) [][]byte {
	s.mu.Lock()
	mine, ack := s.conn == c, s.managed.on
	s.mu.Unlock()
	if !mine {
		return nil
	}
	_, last := s.depart(false)
	if ack {
		last = append(last, s.ack())
	}
	return last
}

// Waiting are the deliveries that the device has not acknowledged, oldest first.
func (s *session) Waiting() []core.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var waiting []core.Delivery
	for _, d := range slices.Concat(s.written, s.loose, s.queue) {
		if d.Stanza != nil {
			waiting = append(waiting, d)
		}
	}
	return waiting
}
