package roster

import (
	"slices"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// device is what presence keeps with a session. A nil device, of a session that never began, knows nothing.
type device struct {
	mu         sync.Mutex // guards what follows
	interested bool       // it has asked for the roster
	since      int64      // when it sent its present presence, in seconds since 1970
	directed   []xmpp.JID // whom it has shown its presence besides its contacts (RFC 6121 §4.6)
}

func (d *device) setInterested() {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.interested = true
}

func (d *device) isInterested() bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.interested
}

func (d *device) setSince(now time.Time) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = now.Unix()
}

func (d *device) sinceWhen() time.Time {
	if d == nil {
		return time.Time{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Unix(d.since, 0)
}

// full reports whether there is no room to remember one more.
func (d *device) full(to xmpp.JID, limit int) bool {
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.directed) >= limit && !slices.Contains(d.directed, to)
}

func (d *device) addDirected(to xmpp.JID) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.directed, to) {
		d.directed = append(d.directed, to)
	}
}

func (d *device) forgetDirected(to xmpp.JID) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.directed, to); i >= 0 {
		d.directed = slices.Delete(d.directed, i, i+1)
	}
}

func (d *device) takeDirected() []xmpp.JID {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.directed
	d.directed = nil
	return all
}

func (d *device) listDirected() []xmpp.JID {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.directed)
}

// noteDirected remembers whom a session has shown its presence, so that they hear of its end.
func (f *Feature) noteDirected(t *core.Transit) {
	to := t.Stanza.To
	if t.Via == nil || to.IsZero() || to.Bare() == t.Sender.JID {
		return
	}
	switch t.Stanza.Type {
	case "":
		f.devices.Get(t.Via).addDirected(to)
	case "unavailable":
		f.devices.Get(t.Via).forgetDirected(to)
	}
}
