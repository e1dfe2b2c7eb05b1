package c2s

import (
	"runtime/debug"
	"sync"

	"palabre.dev/palabre/core"
)

// batches are where writers gather what they write in one go. A message to a large group has as many writers as it has members.
var batches = sync.Pool{New: func() any { return new([16][]byte) }}

// write writes for one connection until the queue is empty or the connection is no longer the session's.
func (s *session) write(c *connection) {
	defer s.door.work.Done()
	defer s.caught(c)
	room := batches.Get().(*[16][]byte)
	defer func() {
		clear(room[:])
		batches.Put(room)
	}()
	items := room[:0]
	for {
		items = s.batch(c, items[:0])
		if len(items) == 0 {
			return
		}
		err := c.stream.Write(items...)
		s.settle(c, err == nil)
		if err != nil { // the reader finds out, and ends or sleeps
			s.door.log.Debug("write", "session", s.core, "err", err)
			c.abort()
			return
		}
	}
}

// batch takes what to write next from the queue.
func (s *session) batch(c *connection, items [][]byte) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c || c.leaving {
		return nil
	}
	if len(s.queue) == 0 && s.askNow() { // an <a/> came while the last of it was being written
		return append(items, askBytes)
	}
	if len(s.queue) == 0 {
		c.writing = false
		if cap(s.queue) > maxKept {
			s.queue = nil
		}
		return nil
	}
	taken, bytes := 0, 0
	for taken < len(s.queue) && taken < maxBatch && bytes < maxBatchBytes {
		d := s.queue[taken]
		taken++
		bytes += d.Len()
		if len(d.Head) > 0 && !c.web { // there each item is a message of its own
			items = append(items, d.Head, d.Bytes)
		} else {
			items = append(items, d.Whole())
		}
		s.sent(d)
	}
	if taken == len(s.queue) {
		clear(s.queue)
		s.queue = s.queue[:0]
	} else {
		s.queue = s.queue[taken:]
	}
	if s.askNow() {
		items = append(items, askBytes)
	}
	s.weigh()
	return items
}

// sent moves a delivery on; s.mu is held.
func (s *session) sent(d core.Delivery) {
	counted := s.managed.on && s.managed.early == 0
	if s.managed.early > 0 {
		s.managed.early--
	}
	switch {
	case d.Stanza == nil:
		s.size -= d.Len()
	case counted:
		s.written = append(s.written, d)
		s.managed.unasked++
		s.managed.urgent = s.managed.urgent || !patient(&d)
	default:
		s.loose = append(s.loose, d)
	}
}

// settle reports what was written without stream management as acknowledged. If it could not be written, whoever ends the session reports
// it; what the session left behind on this connection is reported here.
func (s *session) settle(c *connection, ok bool) {
	s.mu.Lock()
	done := c.behind
	c.behind, c.failed = nil, !ok
	if s.conn == c && ok {
		done, s.loose = s.loose, nil
		s.left(done)
	}
	if c.telling = len(done) > 0; !c.telling {
		c.letGo()
	}
	s.mu.Unlock()
	if len(done) == 0 {
		return
	}
	defer s.told(c)
	if ok {
		s.door.server.Acked(s.core, done)
	} else {
		s.lost(done)
	}
}

// told ends the report of what was written to connection c.
func (s *session) told(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.telling = false
	c.letGo()
}

// letGo lets go on who waits for what the writer has to report; session.mu is held.
func (c *connection) letGo() {
	if c.settled != nil {
		close(c.settled)
		c.settled = nil
	}
}

// left takes deliveries that were acknowledged off the count; s.mu is held.
func (s *session) left(done []core.Delivery) {
	for i := range done {
		s.size -= done[i].Len()
	}
	s.done += uint32(len(done))
	s.weigh()
}

// unsettled decides what becomes of deliveries that are being written without stream management while the session parts from connection c;
// s.mu is held. Those that were kept are returned, to be lost: they come again from the archive, for nobody knows whether they arrive. The
// others nobody keeps: the writer reports them, and their senders are told only if they could not be written (RFC 6121 §8.5.3.1: what was
// delivered to a resource is delivered).
func (s *session) unsettled(c *connection) (lost []core.Delivery) {
	for _, d := range s.loose {
		s.size -= d.Len()
		if d.Kept == 0 && c != nil && !c.failed {
			c.behind = append(c.behind, d)
		} else {
			lost = append(lost, d)
		}
	}
	s.loose = nil
	s.weigh()
	return lost
}

// settleAll lets the writer of connection c finish what it is writing without stream management, and write no more: the stream has ended,
// and only then is it known what the client has.
func (s *session) settleAll(c *connection) {
	s.mu.Lock()
	c.leaving = true
	var settled chan struct{}
	if c.telling || s.conn == c && len(s.loose) > 0 && !c.failed {
		settled = make(chan struct{})
		c.settled = settled
	}
	s.mu.Unlock()
	if settled != nil {
		<-settled
	}
}

// caught, deferred, turns a panic in a goroutine that works for the session into the end of that session: of its connection c, or of
// itself.
func (s *session) caught(c *connection) {
	p := recover()
	if p == nil {
		return
	}
	s.door.log.Error("panic", "session", s.core, "err", p, "stack", string(debug.Stack()))
	if c == nil {
		return
	}
	s.mu.Lock()
	c.failed, c.telling = true, false
	c.letGo()
	s.mu.Unlock()
	c.abort()
}
