package client

import "sync"

// gap is what an Inbox knows of whether something may be missing. Its methods do not wait.
type gap struct {
	mu     sync.Mutex // guards what follows
	open   bool       // something may be missing: live messages only say that there is more in the archive
	more   bool       // one did
	losses int        // how often the connection was lost
}

// lost is said when the connection is.
func (g *gap) lost() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	g.losses++
}

// arrived is said when a message that the archive has comes live. It reports whether to hand it on now. If not, the archive is to be read;
// begin says that nobody is at it yet.
func (g *gap) arrived(late bool) (now, begin bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open && !late {
		return true, false
	}
	begin = !g.open
	g.open, g.more = true, true
	return false, begin
}

// reading is said before the archive is asked: what has come until now will be in the answer. It returns how often the connection had
// been lost.
func (g *gap) reading() (losses int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.more = false
	return g.losses
}

// read is said after the last page was handed on. It reports whether the gap is closed: nothing has come since that page was asked for,
// and the connection has not been lost.
func (g *gap) read(losses int) (closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.more || g.losses != losses {
		return false
	}
	g.open = false
	return true
}
