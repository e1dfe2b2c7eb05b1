package group

import (
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// room is one group in memory. The database is the truth: what is here changes only when it was kept, in the order of the log.
type room struct {
	id     int64
	jid    xmpp.JID // bare
	secret []byte

	// used is when it was last asked for, in nanoseconds since 1970.
	used atomic.Int64
	// tail is the end of the log as it was written. Only the writer of the database touches it.
	tail tail

	mu        sync.Mutex // guards what follows
	settings  Settings
	subject   string
	picture   string // SHA-1 of it, "" for none
	version   int64  // the newest change that was told
	destroyed string
	told      int64 // the newest entry that was told
	stood     int64 // the newest entry with which somebody's affiliation changed, or a later one
	members   map[xmpp.JID]standing
	occupants map[string]*occupant // by likeness of their nick
	attending map[*core.Session]*attendee
	leaving   []*attendee        // were taken out: the entry that says so is the last that they get
	spoke     map[xmpp.JID]int64 // when each last wrote, in a group with slow mode
}

// standing is how somebody stands with a group.
type standing struct {
	affiliation affiliation
	nick        string
	since       int64
	like        string // what the nick looks like
	hats        string // that they wear, by their addresses with blanks between
	// offered is what they become when they say so, and the affiliation is none meanwhile; none for who is not invited.
	offered affiliation
}

// invited reports whether somebody has been asked to become a member, and has not answered yet.
func (s standing) invited() bool { return s.offered >= member }

// occupant is somebody who is in the room with presence, on one or more devices (XEP-0045 §4.1).
type occupant struct {
	nick string
	user xmpp.JID // bare
	role role
	here []*attendee
}

// attendee is a session that gets what is said.
type attendee struct {
	session  *core.Session
	user     xmpp.JID // bare
	head     []byte   // the beginning of a message to it
	occupant *occupant
	presence *xmpp.Stanza // as it was told, nil without an occupant
	member   bool         // it attends all its groups
	// versioned sessions have asked to be told who stands how with the group (XEP-0463).
	versioned bool
}

// add makes a session one that gets what is said; r.mu is held.
func (r *room) add(session *core.Session) *attendee {
	if a := r.attending[session]; a != nil {
		return a
	}
	a := &attendee{session: session, user: session.Account.JID, head: messageHead(session.JID)}
	r.attending[session] = a
	return a
}

// messageHead is what the tag of a message begins with for one receiver.
func messageHead(to xmpp.JID) []byte {
	b := append(make([]byte, 0, len(to.String())+16), "<message to='"...)
	b = xmpp.AppendEscapedAttr(b, to.String())
	return append(b, '\'')
}

// stands is how somebody stands with the group; r.mu is held.
func (r *room) stands(user xmpp.JID) standing { return r.members[user.Bare()] }

// isMember reports whether what is said is for somebody; r.mu is held.
func (r *room) isMember(user xmpp.JID) bool { return r.stands(user).affiliation >= member }

// countMembers is how many there are; r.mu is held.
func (r *room) countMembers() (n int) {
	for _, s := range r.members {
		if s.affiliation >= member {
			n++
		}
	}
	return n
}

// tellsPresence reports whether occupants are told who is there; r.mu is held.
func (r *room) tellsPresence(limit int) bool {
	return max(r.countMembers(), len(r.occupants)) <= limit
}

// restAfter is how long a group that nobody attends stays in memory at least: nothing that was decided about it is still to be written then.
const restAfter = 10 * time.Minute

// forgettable reports whether nobody attends, and nobody has asked for a while.
func (r *room) forgettable(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.attending) == 0 && now.Sub(time.Unix(0, r.used.Load())) > restAfter
}

// byUser is the occupant that somebody is, or nil; r.mu is held.
func (r *room) byUser(user xmpp.JID) *occupant {
	for _, o := range r.occupants {
		if o.user == user {
			return o
		}
	}
	return nil
}
