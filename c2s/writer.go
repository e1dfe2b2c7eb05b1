package c2s

import "palabre.dev/palabre/core"

// Limits of what is written at once, and after how many stanzas the client is asked for an acknowledgement though more follow.
const (
	maxBatch      = 256
	maxBatchBytes = 64 << 10
	askAfter      = 50
)

// write writes for one connection until the queue is empty or the connection is no longer the session's.
func (s *session) write(c *connection) {
	defer s.door.work.Done()
	var room [16][]byte
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
	if s.conn != c {
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
		bytes += len(d.Bytes)
		items = append(items, d.Bytes)
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
		s.size -= len(d.Bytes)
	case counted:
		s.written = append(s.written, d)
		s.managed.unasked++
	default:
		s.loose = append(s.loose, d)
	}
}

var askBytes = []byte("<r xmlns='" + nsSM + "'/>")

// askNow says whether an <r/> goes with this batch: when nothing more follows, or after many; never two at once. s.mu is held.
func (s *session) askNow() bool {
	m := &s.managed
	if !m.on || m.asked || m.unasked == 0 || len(s.queue) > 0 && m.unasked < askAfter {
		return false
	}
	m.asked, m.unasked = true, 0
	return true
}

// settle reports what was written without stream management as acknowledged.
func (s *session) settle(c *connection, ok bool) {
	s.mu.Lock()
	if s.conn != c || !ok {
		s.mu.Unlock()
		return
	}
	loose := s.loose
	s.loose = nil
	for _, d := range loose {
		s.size -= len(d.Bytes)
	}
	s.mu.Unlock()
	if len(loose) > 0 {
		s.door.server.Acked(s.core, loose)
	}
}
