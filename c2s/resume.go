package c2s

import (
	"strconv"
	"time"

	"palabre.dev/palabre/xmpp"
)

// maxExpired bounds how many ended sessions' counts are remembered, for clients that come back too late (XEP-0198 §5).
const maxExpired = 10_000

// expired remembers how far sessions were that cannot be resumed any more; guarded by Door.mu.
type expired struct {
	counts map[string]expiredSession
	order  []string // a ring, once it is full
	oldest int
}

type expiredSession struct {
	account int64
	handled uint32
}

func (e *expired) add(id string, one expiredSession) {
	if e.counts == nil {
		e.counts = map[string]expiredSession{}
	}
	e.counts[id] = one
	if len(e.order) < maxExpired {
		e.order = append(e.order, id)
		return
	}
	delete(e.counts, e.order[e.oldest])
	e.order[e.oldest] = id
	e.oldest = (e.oldest + 1) % maxExpired
}

func (d *Door) remember(id string, s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resumable[id] = s
}

// forget makes a session impossible to resume, and remembers how far it was.
func (d *Door) forget(s *session) {
	if s.managed.id == "" { // no longer written once the session has ended
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.resumable, s.managed.id)
	d.expired.add(s.managed.id, expiredSession{s.core.Account.ID, s.handled.Load()})
}

// sleep keeps the session for the client to resume after its connection c broke. It reports false if that is not to be.
func (s *session) sleep(c *connection) bool {
	s.mu.Lock()
	if s.conn != c {
		s.mu.Unlock()
		return true // it has gone on to another connection
	}
	if s.managed.id == "" || s.managed.last <= 0 || s.door.isStopping() {
		s.mu.Unlock()
		return false
	}
	loose := s.unsettled(c) // written before stream management began, perhaps not received
	s.conn = nil
	s.dropOwn()
	s.managed.early = 0
	s.managed.asked = false
	s.managed.timer = time.AfterFunc(s.managed.last, s.expire)
	slept := make(chan struct{})
	s.managed.slept = slept
	dormant.Inc()
	s.bound()
	s.mu.Unlock()
	defer close(slept) // whoever wakes the session waits for that
	s.lost(loose)
	s.door.server.Slept(s.door.life, s.core)
	return true
}

// expire ends the session unless it was woken. A stop of the door ends it by itself.
func (s *session) expire() {
	if !s.door.works() {
		return
	}
	defer s.door.work.Done()
	defer s.caught(nil)
	s.depart(true)
}

// works counts one more piece of work that a stop waits for; it reports false if the stop has begun.
func (d *Door) works() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stopping {
		d.work.Add(1)
	}
	return !d.stopping
}

// dropOwn takes the door's own bytes out of the queue: they meant something to the old connection only; s.mu is held.
func (s *session) dropOwn() {
	kept := s.queue[:0]
	for _, d := range s.queue {
		if d.Stanza == nil {
			s.size -= d.Len()
			continue
		}
		kept = append(kept, d)
	}
	clear(s.queue[len(kept):])
	s.queue = kept
}

// resume answers a <resume/> outside SASL2. The client may have proved long ago who it is.
func (c *connection) resume(request *xmpp.Element) error {
	if err := c.stillOpen(); err != nil {
		return err
	}
	s, failed, err := c.wake(request)
	if err != nil {
		return err
	}
	if failed != nil {
		return c.writeElement(failed)
	}
	return s.goOn(c, c.stream.Element(s.resumed()))
}

// wake finds the session to resume, takes it from its old connection and takes the client's count. It returns the <failed/> to send if
// there is none.
func (c *connection) wake(request *xmpp.Element) (*session, *xmpp.Element, error) {
	d, id := c.door, request.Attr("previd")
	d.mu.Lock()
	s := d.resumable[id]
	old, known := d.expired.counts[id]
	d.mu.Unlock()
	if s == nil || s.core.Account.ID != c.account.ID || !s.takeOver(c) {
		resumptions.WithLabelValues("unknown").Inc()
		failed := smFailed("item-not-found")
		if known && old.account == c.account.ID {
			failed.Set("h", strconv.FormatUint(uint64(old.handled), 10))
		}
		return nil, failed, nil
	}
	if err := s.acknowledge(request.Attr("h")); err != nil {
		resumptions.WithLabelValues("wrong").Inc()
		s.finish()
		return nil, nil, err
	}
	resumptions.WithLabelValues("ok").Inc()
	return s, nil, nil
}

// takeOver takes the session from its connection, or from its sleep, for connection c, and waits until all that the client sent before is
// handled. Until goOn nothing is written. It reports false if the session has ended, or has gone on to a later connection.
func (s *session) takeOver(c *connection) bool {
	s.mu.Lock()
	if s.ended || s.conn != nil && s.serial > c.serial { // see endOthers
		s.mu.Unlock()
		return false
	}
	old, slept := s.conn, s.managed.slept
	s.serial = c.serial
	loose := s.unsettled(old)
	s.conn, c.writing, c.taken = c, true, s
	s.managed.slept = nil
	s.countDormant(0)
	if s.managed.timer != nil {
		s.managed.timer.Stop()
		s.managed.timer = nil
		dormant.Dec()
	}
	s.mu.Unlock()
	s.lost(loose)
	if old != nil {
		old.stop(&streamError{condition: "conflict", text: "resumed elsewhere"})
		<-old.read
	}
	if slept != nil { // or the features would hear last that it sleeps
		<-slept
	}
	s.core.Idle()
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended
}

func (s *session) resumed() *xmpp.Element {
	return xmpp.NewElement(nsSM, "resumed").Set("previd", s.managed.id).Set("h", strconv.FormatUint(uint64(s.handled.Load()), 10))
}

// goOn continues on the connection that took over: first, then all that is not acknowledged once more, then what waits.
func (s *session) goOn(c *connection, first ...[]byte) error {
	s.mu.Lock()
	if s.conn != c { // somebody else took it over meanwhile, or it ended
		s.mu.Unlock()
		return fatal("conflict", "resumed elsewhere")
	}
	s.dropOwn()
	s.queue = append(s.written, s.queue...)
	s.written = nil
	s.managed.asked, s.managed.unasked, s.managed.urgent = false, 0, false
	s.held.inactive = false // XEP-0352 §4.3: a stream begins active
	s.release()
	s.mu.Unlock()
	s.core.SetDormant(false)
	c.begun()
	return s.attach(c, first...)
}

func (d *Door) isStopping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopping
}

// sessionsOf are the sessions of an account that the same installation of its client has, or that have the address jid.
func (d *Door) sessionsOf(c *connection, jid xmpp.JID) []*session {
	var out []*session
	for _, one := range d.server.Sessions(c.account.JID) {
		s := d.bound.Get(one)
		if s != nil && (one.JID == jid || c.client.id != "" && s.client.id == c.client.id) {
			out = append(out, s)
		}
	}
	return out
}
